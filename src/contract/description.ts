import { type Body, isNone } from './body.ts'
import { type Converters, toJsonSchema } from './convert.ts'
import type { JsonSchema } from './json-schema.ts'
import { codecOf, type Docs } from './method.ts'
import type { MethodRoute } from './routes.ts'

/** A declared error in a description. */
export interface ErrorDescription {
  /** Name of the error in the contract. */
  name: string
  /** Code of the status, from 1000 on. */
  code: number
  /** Text of the status. */
  message: string
  /** Schema of the details; absent for none. */
  details?: JsonSchema
}

/** A method in a description. */
export interface MethodDescription {
  /** Name in the contract, with its groups: `users.get`. */
  name: string
  /** Whether the method answers: a call does, a push does not. */
  kind: 'call' | 'push'
  /** Service method by which it is called, such as `/math/add`. */
  route: string
  /** Schema of the argument; null for none. */
  arg: JsonSchema | null
  /** Schema of a call's result; null for none. */
  result?: JsonSchema | null
  /** Errors that a call may fail with, the service's too; absent for none. */
  errors?: ErrorDescription[]
  /** Text whose first line is the summary; absent for none. */
  docs?: string
  /** Replacement in words, or true; absent where neither the method nor a group of it is deprecated. */
  deprecated?: boolean | string
  /** First version of the service that has the method; absent where the contract names none. */
  since?: string
  /** Whether the call has no effects; absent for no. */
  safe?: boolean
  /** Whether running the call twice does no harm; absent for no. */
  idempotent?: boolean
  /** Whether the push may also be called; absent for no. */
  callable?: boolean
  /** Codec of what clients send; absent for that of their endpoint. */
  codec?: string
}

/** A group of methods in a description. */
export interface GroupDescription {
  /** Name of the group, after those of the groups it is in: `users.admin`. */
  name: string
  /** Text whose first line is the summary; absent for none. */
  docs?: string
  /** Replacement in words, or true; absent where it is not deprecated. */
  deprecated?: boolean | string
  /** First version of the service that has the group; absent where the contract names none. */
  since?: string
}

/** A service as data: what the generators read, and what `/dmicro/describe` answers. */
export interface ServiceDescription {
  /** Version of this form. */
  dmicro: 1
  /** Name of the service, the first part of its routes. */
  name: string
  /** Version of the contract, such as `1.2.0`. */
  version: string
  /** Text whose first line is the summary; absent for none. */
  docs?: string
  /** Replacement in words, or true; absent where it is not deprecated. */
  deprecated?: boolean | string
  /** First version that has the service; absent where the contract names none. */
  since?: string
  /** The groups of `methods` that are said something of. */
  groups?: GroupDescription[]
  /** Methods that the service offers, in the order of the contract. */
  methods: MethodDescription[]
  /** Methods that the server calls and pushes on its clients. */
  toClient: MethodDescription[]
  /** Parts of schemas that JSON Schema cannot say, which are left open. */
  problems: string[]
}

/** Options of describing a service, which all generators take. */
export interface DescribeOptions {
  /**
   * Gives schemas JSON Schema whose library has it apart, by the library's name: `{ valibot: toStandardJsonSchema }`.
   * Default: none.
   */
  converters?: Converters | undefined
  /**
   * Schemas that JSON Schema cannot say make it `throw`, or are left `open` and listed. Default: 'throw'.
   */
  unknown?: 'throw' | 'open' | undefined
}

/** The part of a service that is described. */
export interface Describable {
  readonly name: string
  readonly version: string
  readonly docs: Docs
  readonly codec: string | undefined
  readonly routes: readonly MethodRoute[]
  readonly toClient: { readonly routes: readonly MethodRoute[] }
}

/**
 * Describes a service as data.
 *
 * @throws TypeError that names method, side and property of each schema that JSON Schema cannot say
 */
export function describe(service: Describable, options: DescribeOptions = {}): ServiceDescription {
  const problems: string[] = []
  const convert = (body: Body, side: 'input' | 'output', where: string): JsonSchema | null => {
    if (isNone(body)) return null
    const { schema, problems: found } = toJsonSchema(body, side, options.converters)
    for (const problem of found) problems.push(`${where}: ${problem}`)
    return schema
  }
  const describeMethod = ({ path, route, method, errors, groups }: MethodRoute): MethodDescription => {
    const name = path.join('.')
    const isCall = method['~method'] === 'call'
    const { docs, since } = method.options
    const deprecated = [method.options, ...groups].map((each) => each.deprecated).find((each) => each !== undefined && each !== false)
    const found: MethodDescription = {
      name,
      kind: method['~method'],
      route,
      arg: convert(method.arg as Body, 'input', `${name}, argument`),
    }
    if (isCall) found.result = convert(method.result as Body, 'output', `${name}, result`)
    const failures = isCall
      ? Object.entries(errors).map(([each, { code, message, details }]): ErrorDescription => {
          const schema = details === undefined ? null : convert(details, 'output', `${name}, error ${each}`)
          return { name: each, code, message, ...(schema === null ? undefined : { details: schema }) }
        })
      : []
    if (failures.length > 0) found.errors = failures
    if (docs !== undefined) found.docs = docs
    if (deprecated !== undefined) found.deprecated = deprecated
    if (since !== undefined) found.since = since
    if (isCall && method.options.safe === true) found.safe = true
    if (isCall && method.options.idempotent === true) found.idempotent = true
    if (!isCall && method.options.callable === true) found.callable = true
    const codec = codecOf(method, service.codec)
    if (codec !== undefined) found.codec = codec
    return found
  }
  const groups = groupsOf(service.routes)
  const description: ServiceDescription = {
    dmicro: 1,
    name: service.name,
    version: service.version,
    ...said(service.docs),
    ...(groups.length === 0 ? undefined : { groups }),
    methods: service.routes.map(describeMethod),
    toClient: service.toClient.routes.map(describeMethod),
    problems,
  }
  if (problems.length > 0 && options.unknown !== 'open') throw new TypeError(`service ${service.name}: ${problems.join('; ')}`)
  return description
}

/** A service, or the description of one. */
export type Described = Describable | ServiceDescription

/** Groups without docs are known by the names of their methods. */
function groupsOf(routes: readonly MethodRoute[]): GroupDescription[] {
  const found = new Map<string, GroupDescription>()
  for (const { path, groups } of routes) {
    for (const [i, docs] of groups.entries()) {
      const name = path.slice(0, i + 1).join('.')
      const own = said(docs)
      if (Object.keys(own).length > 0) found.set(name, { name, ...own })
    }
  }
  return [...found.values()]
}

function said({ docs, deprecated, since }: Docs): Omit<GroupDescription, 'name'> {
  return {
    ...(docs === undefined ? undefined : { docs }),
    ...(deprecated === undefined || deprecated === false ? undefined : { deprecated }),
    ...(since === undefined ? undefined : { since }),
  }
}
