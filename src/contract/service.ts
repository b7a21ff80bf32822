import { flag, optionNames, requireObject, requireOptions, requireText } from '../base/check-options.ts'
import { markOf } from '../base/mark.ts'
import type { NameMapper } from '../message/naming.ts'
import { clientMaker } from './client.ts'
import { offerDescription } from './description-route.ts'
import type { Failures } from './failure.ts'
import { checkDocs, checkFailures, type Docs, type Methods } from './method.ts'
import { type MethodRoute, routesOf } from './routes.ts'
import { serve } from './serve.ts'
import type { Calls, ClientOptions, Routes, ServeOptions, ServiceOf } from './types.ts'

/** Options of a service. */
export interface ServiceOptions<ToClient extends Methods = Methods> extends Docs {
  /** Version of the contract, such as '1.2.0'. Default: '0.0.0'. */
  version?: string | undefined
  /** Put before the routes, as a group of routes: 'v2' makes `/v2/math/add`. Default: none. */
  group?: string | undefined
  /** How routes are named, as the option `mapper` of an endpoint. Default: 'http', which makes `/math/add`. */
  naming?: 'http' | 'rpc' | NameMapper | undefined
  /** Codec of what clients send. Default: protobuf for methods with protobuf types, else that of their endpoint. */
  codec?: string | undefined
  /** Errors that every method may fail with, by name. Default: none. */
  errors?: Failures | undefined
  /** Methods that the server calls and pushes, and its clients serve (`service.toClient`). Default: none. */
  toClient?: ToClient | undefined
}

const docsNames = { docs: true, deprecated: true, since: true } as const
const known = optionNames<ServiceOptions>({
  ...docsNames,
  version: true,
  group: true,
  naming: true,
  codec: true,
  errors: true,
  toClient: true,
})
const knownOfClient = optionNames<ClientOptions>({ validate: true })
const serviceMark = markOf('service')

/** A contract: what a service offers, and what it asks its clients. */
export interface Service<Of extends Methods = Methods, ToClient extends Methods = Methods> extends ServiceOf<Of> {
  /** Name of the service, the first part of its routes. */
  readonly name: string
  /** Version of the contract, such as `1.2.0`. */
  readonly version: string
  /** Documentation of the service. */
  readonly docs: Docs
  /** Codec of what clients send; undefined for protobuf where methods have its types, else that of their endpoint. */
  readonly codec: string | undefined
  /** The methods that clients serve and the server calls, as a service of the same name. */
  readonly toClient: ServiceOf<ToClient> & { readonly routes: readonly MethodRoute[] }
  /** The methods with their routes, in the order of the contract. */
  readonly routes: readonly MethodRoute[]
}

/**
 * Defines a service: the contract that its server, its clients and the generators share.
 *
 * @example
 * const Calculator = defineService('calculator', { add: call(plain<number[]>(), plain<number>()), reset: push(none) })
 * server.serve(Calculator, { add: ([a, b]) => a + b, reset() {} })
 * await session.client(Calculator).add([1, 2])
 *
 * @param name becomes the first part of the routes, as the name of a struct does in Go
 * @throws TypeError for bad names, methods and options, and for two methods with the same route
 */
export function defineService<const Of extends Methods, const ToClient extends Methods = Record<never, never>>(
  name: string,
  methods: Of,
  options: ServiceOptions<ToClient> = {},
): Service<Of, ToClient> {
  if (typeof name !== 'string' || !/^[A-Za-z]\w*$/.test(name))
    throw new TypeError(`the name of a service must be letters, digits and _, got ${JSON.stringify(name)}`)
  requireObject(`the methods of service ${name}`, methods)
  requireOptions('options', options, known)
  checkDocs(options)
  checkFailures(options.errors)
  const { version = '0.0.0', group, naming = 'http', codec, errors = {}, toClient = {} } = options
  for (const [each, value] of Object.entries({ version, group, codec })) requireText(each, value)
  if (typeof naming !== 'function' && naming !== 'http' && naming !== 'rpc')
    throw new TypeError(`option naming must be 'http', 'rpc' or a function`)
  const { docs, deprecated, since } = options
  const make = (of: Methods, isToClient: boolean) => {
    const routes = routesOf({ name, group, naming, errors }, of)
    const clients = clientMaker(routes.tree, codec)
    return {
      [serviceMark]: true,
      name,
      version,
      docs: { docs, deprecated, since },
      codec,
      methods: of,
      routes: routes.list,
      clientOf(caller: Calls, given: ClientOptions = {}): unknown {
        requireOptions('options', given, knownOfClient)
        return clients(caller as never, flag('validate', given.validate, false))
      },
      serveOn(target: Routes, implementation: unknown, given: ServeOptions = {}): string[] {
        return serve(isToClient ? `${name}.toClient` : name, routes, target, implementation, given, () => offerDescription(target, service))
      },
    }
  }
  const service = { ...make(methods, false), toClient: make(toClient, true) } as unknown as Service<Of, ToClient>
  return Object.freeze(service)
}

/** Whether `value` is a service of this or of another copy of this package. */
export function isService(value: unknown): value is Service {
  return typeof value === 'object' && value !== null && serviceMark in value
}
