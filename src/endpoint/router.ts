import { isThenable } from '../base/async/thenable.ts'
import { flag, optionNames, requireAll, requireOptions, shown } from '../base/check-options.ts'
import { type Hooks, type Plugin, PluginContainer } from '../hooks/plugin.ts'
import { checkMessageType, type MessageType, type RouteTypes } from '../message/message-type.ts'
import { internName } from '../message/names.ts'
import { controllerName, functionName, groupPrefix, type NameMapper, namingOf } from '../message/naming.ts'
import { RouteTable } from '../message/route-table.ts'
import { isSchema } from '../message/standard-schema.ts'
import type { ServedCounts } from '../overload/meter.ts'
import { guardHandler } from '../session/guard.ts'
import type { CallContext, PushContext } from './context.ts'

/**
 * Handles a CALL: returns the result or a promise of it. The caller gets what it throws: a StatusError as it is,
 * another error as 500.
 */
export type CallHandler<Arg, Result> = (arg: Arg, ctx: CallContext) => Result | Promise<Result>
/**
 * `unknown`, written so that a literal which a handler returns keeps its type: `() => 'a'` matches a schema of 'a' and
 * 'b'.
 */
export type AnyResult = NonNullable<unknown> | string | number | bigint | boolean | null | undefined
/** Handles a PUSH. What it throws is logged. */
export type PushHandler<Arg> = (arg: Arg, ctx: PushContext) => unknown

/**
 * An object of a class. Each of its public methods becomes a route, such as `/class/method`; a leading `_` hides a
 * method.
 */
export type Controller = object

/** Options of a route. */
export interface RouteOptions<Arg = never, Result = unknown> extends RouteTypes<Arg, Result> {
  /** Plugins that run for this route's messages, after those of its groups and the endpoint. Default: none. */
  plugins?: readonly Plugin[] | undefined
  /**
   * Whether a call has no effects, so that anyone who can make a browser load an address may make it: `GET` and `HEAD`
   * of the http protocol reach safe routes and no others. Default: false, which means that http clients call it by
   * POST.
   */
  safe?: boolean | undefined
}

const unknownCallNames = optionNames<Pick<RouteOptions, 'safe'>>({ safe: true })
const known = optionNames<RouteOptions>({ arg: true, result: true, plugins: true, safe: true })

/** A handler as the router stores it. The type of the argument is the user's. */
export type AnyHandler = (arg: never, ctx: CallContext) => unknown

/** A registered route. */
export interface Route {
  readonly name: string
  /** The handler, wrapped with the route's schemas if it has any. */
  readonly handler: AnyHandler
  /** Type of the argument, for codecs that need one, or `bytes`. */
  readonly argType: MessageType | undefined
  /** Type of the result, for codecs that need one. */
  readonly resultType: MessageType | undefined
  /** Whether a call has no effects; see `RouteOptions.safe`. */
  readonly safe: boolean
  /** Hooks of the plugins of the route, its groups and the endpoint. */
  readonly hooks: Hooks
  /** Counts of the route by the endpoint's meter; null before it has measured a message. */
  counts: ServedCounts | null
  /** Whether its handler has returned a promise, as far as requests without hooks have shown. */
  isAsync: boolean
}

/** Maps service methods to handlers, with one table for CALLs and one for PUSHes (docs/spec/behaviour.md#routes). */
export class Router {
  readonly mapper: NameMapper
  readonly plugins: PluginContainer
  /** Routes by id in the name table. */
  readonly calls = new RouteTable<Route>()
  readonly pushes = new RouteTable<Route>()
  /** Handler of CALLs without a route, which gets the body as bytes. */
  unknownCall: CallHandler<Uint8Array, unknown> | undefined
  unknownPush: PushHandler<Uint8Array> | undefined
  /** Whether `unknownCall` has no effects. */
  unknownSafe = false

  /** Gets the promises of hooks about routes, because registering cannot wait for them. */
  private readonly onHook: (result: PromiseLike<unknown>) => void

  constructor(mapper: NameMapper, plugins: PluginContainer, onHook: (result: PromiseLike<unknown>) => void = () => {}) {
    this.mapper = mapper
    this.plugins = plugins
    this.onHook = onHook
  }

  /**
   * Adds a route.
   *
   * @throws Error when `table` has the name already
   * @throws RangeError when the name is too long for a message, or there are too many
   * @throws TypeError for a bad handler or type; what a hook throws
   */
  add(table: RouteTable<Route>, name: string, handler: AnyHandler, types: RouteOptions | undefined, plugins: PluginContainer): void {
    requireHandler(handler, `route ${JSON.stringify(name)} needs a function as its handler`)
    if (name === '') throw new TypeError('a service method must not be empty')
    const { arg, result } = types ?? {}
    const safe = flag('safe', types?.safe, false)
    const [argSchema, argType] = isSchema(arg) ? [arg] : [undefined, arg]
    const [resultSchema, resultType] = isSchema(result) ? [result] : [undefined, result]
    checkMessageType(argType, `route ${JSON.stringify(name)}: arg`)
    checkMessageType(resultType, `route ${JSON.stringify(name)}: result`)
    const id = internName(name)
    if (table.get(id) !== undefined) throw new Error(`route ${JSON.stringify(name)} is already registered`)
    const guarded = guardHandler(name, handler, argSchema, resultSchema)
    table.set(id, { name, handler: guarded, argType, resultType, safe, hooks: plugins.hooks, counts: null, isAsync: false })
    try {
      for (const hook of plugins.hooks.afterRegRouter ?? []) {
        const result = hook({ name, kind: table === this.calls ? 'call' : 'push', arg })
        if (isThenable(result)) this.onHook(result)
      }
    } catch (error) {
      table.set(id, undefined)
      throw error
    }
  }

  /** @throws TypeError for what is no function, and for bad options */
  setUnknownCall(handler: CallHandler<Uint8Array, unknown>, options: Pick<RouteOptions, 'safe'> | undefined): void {
    requireHandler(handler, 'an unknown-call handler must be a function')
    if (options !== undefined) requireOptions('options', options, unknownCallNames)
    this.unknownSafe = flag('safe', options?.safe, false)
    this.unknownCall = handler
  }

  /** @throws TypeError for what is no function */
  setUnknownPush(handler: PushHandler<Uint8Array>): void {
    requireHandler(handler, 'an unknown-push handler must be a function')
    this.unknownPush = handler
  }
}

/**
 * Registers routes: the endpoint itself, and its groups. A string names a route as it is, with the group's prefix
 * before it; the endpoint's mapper names a function or a controller, as in Go.
 */
export class RouteGroup {
  readonly #router: Router
  readonly #prefix: string
  readonly #plugins: PluginContainer

  constructor(router: Router, prefix: string = groupPrefix(router.mapper), plugins: PluginContainer = router.plugins) {
    this.#router = router
    this.#prefix = prefix
    this.#plugins = plugins
  }

  /**
   * Makes a group below this one: `group('github').routeCall(new Math())` registers `/github/math/add`.
   *
   * @param plugins plugins that run for the group's messages, after those of the groups above
   * @throws TypeError when the prefix is no string
   */
  group(prefix: string, ...plugins: Plugin[]): RouteGroup {
    if (typeof prefix !== 'string') throw new TypeError('a group prefix must be a string')
    return new RouteGroup(this.#router, this.#router.mapper(this.#prefix, prefix), this.#containerFor(plugins))
  }

  /**
   * Registers handlers of CALLs: a name and a function, a named function, or a controller.
   *
   * @param options types of the bodies, for codecs that need them (other codecs, such as json, ignore them), or
   *   schemas; and plugins
   * @returns the service methods registered
   * @throws Error when a route has the name
   * @throws TypeError for a bad name, handler, type or option
   */
  routeCall<Arg, Result extends AnyResult = unknown>(
    name: string,
    handler: CallHandler<Arg, NoInfer<Result>>,
    options?: RouteOptions<Arg, Result>,
  ): string[]
  routeCall<Arg, Result extends AnyResult = unknown>(
    handler: CallHandler<Arg, NoInfer<Result>>,
    options?: RouteOptions<Arg, Result>,
  ): string[]
  routeCall(controller: Controller, options?: Pick<RouteOptions, 'plugins' | 'safe'>): string[]
  routeCall(target: unknown, ...rest: unknown[]): string[] {
    return this.#register(this.#router.calls, target, rest)
  }

  /**
   * Registers handlers of PUSHes, in the same three forms as `routeCall`.
   *
   * @returns the service methods registered
   * @throws Error when a route has the name
   * @throws TypeError for a bad name, handler, type or option
   */
  routePush<Arg>(name: string, handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result' | 'safe'>): string[]
  routePush<Arg>(handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result' | 'safe'>): string[]
  routePush(controller: Controller, options?: Pick<RouteOptions, 'plugins'>): string[]
  routePush(target: unknown, ...rest: unknown[]): string[] {
    return this.#register(this.#router.pushes, target, rest)
  }

  #containerFor(plugins: readonly Plugin[] | undefined): PluginContainer {
    return plugins === undefined || plugins.length === 0 ? this.#plugins : new PluginContainer(plugins, this.#plugins)
  }

  /**
   * Registers what `routeCall` or `routePush` was called with.
   *
   * @param rest the handler when `target` is a name, then the options
   */
  #register(table: RouteTable<Route>, target: unknown, rest: unknown[]): string[] {
    const handler = typeof target === 'string' ? rest.shift() : undefined
    const options = rest[0] as RouteOptions | undefined
    if (options !== undefined) requireOptions('options', options, known)
    if (table === this.#router.pushes && (options?.safe !== undefined || options?.result !== undefined))
      throw new TypeError(`a route for pushes has no option ${options.safe !== undefined ? 'safe' : 'result'}`)
    if (typeof target === 'object' && (options?.arg !== undefined || options?.result !== undefined))
      throw new TypeError('the routes of a controller take no types')
    requireAll('plugins', options?.plugins)
    const plugins = this.#containerFor(options?.plugins)
    const routes = this.#routesOf(target, handler as AnyHandler | undefined)
    for (const [name, each] of routes) this.#router.add(table, name, each, options, plugins)
    return routes.map(([name]) => name)
  }

  #routesOf(target: unknown, handler: AnyHandler | undefined): [string, AnyHandler][] {
    const { mapper } = this.#router
    if (typeof target === 'string') return [[this.#join(target), handler as AnyHandler]]
    if (typeof target === 'function') {
      requireHandler(target, 'a route is a name and a function, a function, or a controller')
      return [[functionName(mapper, this.#prefix, target.name), target as AnyHandler]]
    }
    if (typeof target !== 'object' || target === null) throw new TypeError('a route is a name and a function, a function, or a controller')
    const typeName = target.constructor?.name
    if (typeName === undefined || typeName === 'Object' || typeName === '') {
      throw new TypeError('a controller must be an object of a named class')
    }
    const routes = methodsOf(target).map((method): [string, AnyHandler] => {
      const bound = (target as Record<string, AnyHandler>)[method].bind(target)
      return [controllerName(mapper, this.#prefix, typeName, method), bound]
    })
    if (routes.length === 0) throw new TypeError(`controller ${typeName} has no public method`)
    return routes
  }

  /** Joins the group's prefix and a name given as a string, which is not mapped otherwise. */
  #join(name: string): string {
    const { mapper } = this.#router
    const root = groupPrefix(mapper)
    if (this.#prefix === root) return name
    if (namingOf(mapper) === 'rpc') return `${this.#prefix}.${name.replace(/^\.+/, '')}`
    if (namingOf(mapper) === 'http') return `${this.#prefix}/${name.replace(/^\/+/, '')}`
    return mapper(this.#prefix, name)
  }
}

/** @throws TypeError for what is no function, and for a class, which cannot be called */
function requireHandler(handler: unknown, expected: string): void {
  if (typeof handler !== 'function') throw new TypeError(`${expected}, got ${shown(handler)}`)
  if (/^class\b/.test(Function.prototype.toString.call(handler)))
    throw new TypeError(`${expected}, got a class: register an object, new ${handler.name}()`)
}

/** Names of the public methods of an object's classes, most derived first. A leading `_` hides one. */
function methodsOf(controller: object): string[] {
  const names = new Set<string>()
  for (let at = Object.getPrototypeOf(controller); at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && name !== 'constructor' && !name.startsWith('_')) names.add(name)
    }
  }
  return [...names]
}
