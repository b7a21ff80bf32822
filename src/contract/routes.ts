import { groupPrefix, httpName, type NameMapper, rpcName } from '../message/naming.ts'
import type { Failures } from './failure.ts'
import { type Docs, docsOfGroup, isMethod, type Method, type Methods } from './method.ts'

/** Names that no method may have. A client with `then` would be taken for a promise; objects have the others. */
const FORBIDDEN = new Set(['then', 'constructor', '__proto__', 'prototype'])

/** A method of a service with its route. */
export interface MethodRoute {
  /** Names of the groups, then of the method. */
  readonly path: readonly string[]
  /** Service method, such as `/math/add`. */
  readonly route: string
  /** The method as the contract declares it. */
  readonly method: Method
  /** All errors that the method fails with: the service's and its own. */
  readonly errors: Failures
  /** The groups it is in, outermost first. */
  readonly groups: readonly Docs[]
}

/** The part of a service that names its routes. */
interface Naming {
  readonly name: string
  readonly group: string | undefined
  readonly naming: 'http' | 'rpc' | NameMapper
  readonly errors: Failures
}

/** Methods by name in the form of the contract, each with its route. */
export interface RouteTree {
  readonly [name: string]: MethodRoute | RouteTree
}

/** Whether a method or a group may be named so. */
export function isMethodName(name: string): boolean {
  return /^[A-Za-z]\w*$/.test(name) && !FORBIDDEN.has(name)
}

export function isRoute(value: MethodRoute | RouteTree): value is MethodRoute {
  return Array.isArray(value.path)
}

/**
 * The routes of a service, named as Go names those of a struct: `math` and `addFunc` make `/math/add_func`.
 *
 * @throws TypeError for a bad name, and for two methods with the same route
 */
export function routesOf(service: Naming, methods: Methods): { tree: RouteTree; list: MethodRoute[] } {
  const mapper = typeof service.naming === 'function' ? service.naming : service.naming === 'rpc' ? rpcName : httpName
  const root = service.group === undefined ? groupPrefix(mapper) : groupPrefix(mapper, service.group)
  const list: MethodRoute[] = []
  const taken = new Map<string, string>()
  const walk = (members: Methods, path: readonly string[], prefix: string, groups: readonly Docs[]): RouteTree => {
    const tree: Record<string, MethodRoute | RouteTree> = Object.create(null)
    for (const [name, member] of Object.entries(members)) {
      const shown = [...path, name].join('.')
      if (!isMethodName(name)) throw new TypeError(`service ${service.name}: no method may be named ${JSON.stringify(name)}`)
      if (!isMethod(member)) {
        if (typeof member !== 'object' || member === null)
          throw new TypeError(`service ${service.name}: ${shown} must be made by call or push, or be a group of such`)
        tree[name] = walk(member, [...path, name], mapper(prefix, name), [...groups, docsOfGroup(member)])
        continue
      }
      const route = mapper(prefix, name)
      const other = taken.get(route)
      if (other !== undefined) throw new TypeError(`service ${service.name}: ${other} and ${shown} have the same route, ${route}`)
      taken.set(route, shown)
      const own = member['~method'] === 'call' ? member.options.errors : undefined
      tree[name] = { path: [...path, name], route, method: member, errors: { ...service.errors, ...own }, groups }
      list.push(tree[name])
    }
    return tree
  }
  const tree = walk(methods, [], mapper(root, service.name), [])
  return { tree, list }
}
