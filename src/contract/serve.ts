import { optionNames, requireAll, requireOptions } from '../base/check-options.ts'
import { type Body, routeType } from './body.ts'
import { isRoute, type MethodRoute, type RouteTree } from './routes.ts'
import type { Routes, ServeOptions } from './types.ts'

type Handler = (arg: never, ctx: never) => unknown

const known = optionNames<ServeOptions>({ plugins: true, describe: true })

/**
 * Registers what serves a service.
 *
 * @param describe registers the description route
 * @returns the service methods registered
 * @throws TypeError that names all that is missing or wrong; then nothing is registered
 */
export function serve(
  service: string,
  { tree, list }: { tree: RouteTree; list: readonly MethodRoute[] },
  routes: Routes,
  implementation: unknown,
  options: ServeOptions,
  describe: () => void,
): string[] {
  requireOptions('options', options, known)
  requireAll('plugins', options.plugins)
  const handlers = new Map<MethodRoute, Handler>()
  const problems: string[] = []
  collect(tree, implementation, '', handlers, problems)
  if (problems.length > 0) throw new TypeError(`the implementation of service ${service} ${problems.join(', and ')}`)
  const { plugins } = options
  const names = list.flatMap((each) => register(routes, each, handlers.get(each) as Handler, plugins))
  if (options.describe === true) describe()
  return names
}

function register(routes: Routes, { route, method }: MethodRoute, handler: Handler, plugins: readonly unknown[] | undefined): string[] {
  const arg = routeType(method.arg as Body)
  if (method['~method'] === 'call') {
    const { safe } = method.options
    return add(routes.routeCall, routes, route, handler, { arg, result: routeType(method.result as Body), safe, plugins })
  }
  const names = add(routes.routePush, routes, route, handler, { arg, plugins })
  if (method.options.callable !== true) return names
  const called = (value: never, ctx: never): unknown => {
    const done = handler(value, ctx)
    return done instanceof Promise ? done.then(nothing) : undefined
  }
  add(routes.routeCall, routes, route, called, { arg, plugins })
  return names
}

/** Registers a route: the types of routes are for callers who know those of their handlers. */
function add(method: Routes['routeCall'], routes: Routes, ...args: [name: string, handler: Handler, options: object]): string[] {
  return (method as (...args: unknown[]) => string[]).apply(routes, args)
}

const nothing = (): undefined => undefined

/** Finds the handlers in an implementation, bound to the object they are in, and what is wrong with it. */
function collect(tree: RouteTree, from: unknown, path: string, into: Map<MethodRoute, Handler>, problems: string[]): void {
  const given = (typeof from === 'object' && from !== null) || typeof from === 'function' ? (from as Record<string, unknown>) : undefined
  if (given === undefined) {
    problems.push(path === '' ? 'must be an object' : `has no group ${path}`)
    return
  }
  for (const [name, member] of Object.entries(tree)) {
    const shown = path === '' ? name : `${path}.${name}`
    const value = given[name]
    if (!isRoute(member)) collect(member, value, shown, into, problems)
    else if (typeof value === 'function') into.set(member, (value as Handler).bind(given as never))
    else if (value === undefined) problems.push(`lacks the ${member.method['~method']} ${shown}`)
    else problems.push(`has no function as the ${member.method['~method']} ${shown}`)
  }
  // An object of a class may have methods of its own.
  if (![Object.prototype, null].includes(Object.getPrototypeOf(given))) return
  for (const [name, value] of Object.entries(given))
    if (typeof value === 'function' && !(name in tree))
      problems.push(`has ${path === '' ? name : `${path}.${name}`}, which the contract does not know`)
}
