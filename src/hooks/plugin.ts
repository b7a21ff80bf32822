import type { Logger } from '../base/log.ts'
import type { Clock } from '../base/time/clock.ts'
import { checkPlugin } from './check-plugin.ts'
import { hookNames } from './hook-names.ts'
import type { EarlyContext, Hook, HookedDirections, MessageHooks, ReadContext, WriteContext } from './hooks.ts'
import type { RouteInfo } from './route-info.ts'
import type { BaseSession, CtxSession, EarlySession } from './session-views.ts'

/** The endpoint as the hooks about endpoints see it. */
export interface PluginEndpoint {
  /** The plugins of the endpoint. */
  readonly plugins: PluginContainer
  /** Logger for what happens outside of a call. It is the option `log` of the endpoint. */
  readonly log: Logger
  /** The endpoint's clock: real time, or virtual time in tests. */
  readonly clock: Clock
  /** Number of sessions that are not closed. */
  readonly sessionCount: number
  /** Iterates over the sessions that are not closed. */
  sessions(): IterableIterator<EndpointSession>
  /**
   * Registers a handler of CALLs; as `Endpoint.routeCall` with one name.
   *
   * @returns the names registered
   * @throws Error when a route has this name
   */
  routeCall(name: string, handler: (arg: unknown, ctx: unknown) => unknown): string[]
  /**
   * Registers a handler of PUSHes; as `Endpoint.routePush` with one name.
   *
   * @returns the names registered
   * @throws Error when a route has this name
   */
  routePush(name: string, handler: (arg: unknown, ctx: unknown) => unknown): string[]
  /** Sets the handler of CALLs without a route. It gets the body's bytes, not decoded. */
  setUnknownCall(handler: (bytes: Uint8Array, ctx: unknown) => unknown): void
  /** Sets the handler of PUSHes without a route. It gets the body's bytes, not decoded. */
  setUnknownPush(handler: (bytes: Uint8Array, ctx: unknown) => unknown): void
}

/** A session of a plugin's endpoint. */
export type EndpointSession = CtxSession & {
  /** Closes the session gracefully. */
  close(): Promise<void>
}

/** The hooks of an endpoint and of its sessions' lives; `Plugin` describes each. */
interface LifeHooks {
  beforeNewEndpoint(options: object, plugins: PluginContainer): unknown
  afterNewEndpoint(endpoint: PluginEndpoint): unknown
  beforeCloseEndpoint(endpoint: PluginEndpoint): unknown
  afterCloseEndpoint(endpoint: PluginEndpoint): unknown
  afterRegRouter(route: RouteInfo): unknown
  afterListen(url: string): unknown
  beforeDial(url: string, isRedial: boolean): unknown
  afterDial(session: EarlySession, isRedial: boolean): unknown
  afterDialFail(url: string, error: Error, isRedial: boolean): unknown
  afterAccept(session: EarlySession): unknown
  afterDisconnect(session: BaseSession): unknown
}

/**
 * Sees, changes or refuses what an endpoint does: an object with a name and any of the 27 hooks.
 *
 * A hook refuses by throwing, best a `StatusError`. What it returns is ignored, except that a promise is waited for,
 * at most the endpoint's `hookTimeout`; after that the hook has failed with 408. A rejection counts as a throw. Of one
 * hook, the first plugin that fails stops the rest.
 *
 * An error that is no `StatusError` is logged, and a remote caller gets a bare 500 (option `exposeErrors` adds its
 * text). A local `call` or `push` fails with 104 when the hook runs before the write, with 500 when it runs after the
 * read.
 *
 * Hooks about messages belong to the endpoint's plugins. Those of a routed CALL or PUSH, from the body on, also belong
 * to the plugins of its groups and its route. docs/spec/plugins.md has the order of plugins and hooks.
 */
export interface Plugin {
  /** Name of the plugin, unique among the plugins that run for the same message. */
  readonly name: string

  /**
   * Both sides, first in the constructor of the endpoint. May change the options and add plugins. A throw is thrown by
   * the constructor; a rejection makes the next `listen` or `dial` reject.
   */
  beforeNewEndpoint?: LifeHooks['beforeNewEndpoint'] | undefined
  /**
   * Both sides, last in the constructor of the endpoint. May register routes and handlers for unknown names. A throw is
   * thrown by the constructor; a rejection makes the next `listen` or `dial` reject.
   */
  afterNewEndpoint?: LifeHooks['afterNewEndpoint'] | undefined
  /** Both sides, when `Endpoint.close` begins. Changes nothing; a failure is logged. */
  beforeCloseEndpoint?: LifeHooks['beforeCloseEndpoint'] | undefined
  /** Both sides, when all sessions of a closing endpoint are closed. Changes nothing; a failure is logged. */
  afterCloseEndpoint?: LifeHooks['afterCloseEndpoint'] | undefined
  /**
   * Both sides, when a route was registered. Changes nothing. A throw removes the route again and is thrown by the
   * method that registered it; a rejection makes the next `listen` or `dial` reject.
   */
  afterRegRouter?: LifeHooks['afterRegRouter'] | undefined
  /** Accepting side, when an address is bound. Changes nothing. A failure closes the listener, and `listen` rejects. */
  afterListen?: LifeHooks['afterListen'] | undefined
  /**
   * Dialling side, before the first connection and before each reconnect (`isRedial`). Changes nothing. A failure makes
   * `dial` reject, with 105 unless it is a `StatusError`; a failure before a reconnect is logged.
   */
  beforeDial?: LifeHooks['beforeDial'] | undefined
  /**
   * Dialling side, when a connection is made and its session does not run yet; also after each reconnect (`isRedial`).
   * May set the id, the ages and `data`, and exchange early messages. A failure closes the connection, and `dial`
   * rejects, with 105 unless it is a `StatusError`; a reconnect counts as a failed attempt.
   */
  afterDial?: LifeHooks['afterDial'] | undefined
  /**
   * Dialling side, when `dial` fails after `beforeDial`, or when the last attempt to reconnect failed (`isRedial`).
   * Changes nothing; a failure is logged.
   */
  afterDialFail?: LifeHooks['afterDialFail'] | undefined
  /**
   * Accepting side, when a connection is accepted and its session does not run yet. May set the id, the ages and
   * `data`, and exchange early messages. A failure closes the session, is logged, and no event `session` is emitted.
   */
  afterAccept?: LifeHooks['afterAccept'] | undefined
  /** Both sides, when a session is closed for good. Changes nothing; a failure is logged. */
  afterDisconnect?: LifeHooks['afterDisconnect'] | undefined

  /**
   * Caller, before a CALL is encoded. May change the body, its codec and type, and the meta. A failure makes the call
   * fail, and nothing is sent.
   */
  beforeWriteCall?: Hook<WriteContext> | undefined
  /** Caller, when a CALL was queued. Changes nothing; a failure is logged. */
  afterWriteCall?: Hook<WriteContext> | undefined
  /**
   * Callee, before a REPLY is encoded, also one with a failure. May change the body, its codec and type, the meta and
   * the status: a success may become a failure, a failure no success. A failure of the hook is logged, and the REPLY is
   * sent all the same. Runs for no CALL that a limit or overload protection refused.
   */
  beforeWriteReply?: Hook<WriteContext> | undefined
  /** Callee, when a REPLY was queued. Changes nothing; a failure is logged. */
  afterWriteReply?: Hook<WriteContext> | undefined
  /**
   * Sender, before a PUSH is encoded. May change the body, its codec and type, and the meta. A failure makes `push`
   * reject, and nothing is sent.
   */
  beforeWritePush?: Hook<WriteContext> | undefined
  /** Sender, when a PUSH was queued. Changes nothing; a failure is logged. */
  afterWritePush?: Hook<WriteContext> | undefined

  /**
   * Receiver, before each message is received, so once more often than there are messages. Changes nothing. A failure
   * closes the session.
   */
  beforeReadHeader?: Hook<EarlyContext> | undefined
  /**
   * Callee, when a CALL was received, before it is routed. May change the service method and the bytes. A failure is
   * the answer to the CALL. The session is not read while a promise is waited for.
   */
  afterReadCallHeader?: Hook<ReadContext> | undefined
  /**
   * Callee, when a CALL is routed, before its body is decoded. May change the bytes. A failure is the answer to the
   * CALL. The session is not read while a promise is waited for.
   */
  beforeReadCallBody?: Hook<ReadContext> | undefined
  /**
   * Callee, when the body of a CALL is decoded, before the handler. May change the body. A failure is the answer to the
   * CALL, and no handler runs. A promise delays this message alone.
   */
  afterReadCallBody?: Hook<ReadContext> | undefined
  /**
   * Receiver, when a PUSH was received, before it is routed. May change the service method and the bytes. A failure is
   * logged and drops the PUSH. The session is not read while a promise is waited for.
   */
  afterReadPushHeader?: Hook<ReadContext> | undefined
  /**
   * Receiver, when a PUSH is routed, before its body is decoded. May change the bytes. A failure is logged and drops
   * the PUSH. The session is not read while a promise is waited for.
   */
  beforeReadPushBody?: Hook<ReadContext> | undefined
  /**
   * Receiver, when the body of a PUSH is decoded, before the handler. May change the body. A failure is logged, and no
   * handler runs. A promise delays this message alone.
   */
  afterReadPushBody?: Hook<ReadContext> | undefined
  /**
   * Caller, when the REPLY to an open call was received. May change the bytes. A failure makes the call fail. The
   * session is not read while a promise is waited for.
   */
  afterReadReplyHeader?: Hook<ReadContext> | undefined
  /**
   * Caller, before the body of a REPLY is decoded. May change the bytes. A failure makes the call fail. The session is
   * not read while a promise is waited for.
   */
  beforeReadReplyBody?: Hook<ReadContext> | undefined
  /**
   * Caller, when the body of a successful REPLY is decoded. May change the body. A failure makes the call fail. The
   * session is not read while a promise is waited for.
   */
  afterReadReplyBody?: Hook<ReadContext> | undefined
}

/** Compiled life hooks: lists in the order they run, or null for none. */
type Compiled<Functions> = { [Name in keyof Functions]: readonly Functions[Name][] | null }
/** All compiled hooks of one container. */
export type Hooks = MessageHooks & Compiled<LifeHooks>

type AnyHook = (...args: unknown[]) => unknown
type HookName = Exclude<keyof Hooks, keyof HookedDirections>

const names: readonly HookName[] = hookNames

/**
 * A class with all fields, because V8 treats an object filled by computed names as a dictionary: each access would cost
 * 20 ns or more.
 */
class CompiledHooks implements Hooks {
  callsIn = false
  pushesIn = false
  repliesIn = false
  callsOut = false
  pushesOut = false
  beforeNewEndpoint: Hooks['beforeNewEndpoint'] = null
  afterNewEndpoint: Hooks['afterNewEndpoint'] = null
  beforeCloseEndpoint: Hooks['beforeCloseEndpoint'] = null
  afterCloseEndpoint: Hooks['afterCloseEndpoint'] = null
  afterRegRouter: Hooks['afterRegRouter'] = null
  afterListen: Hooks['afterListen'] = null
  beforeDial: Hooks['beforeDial'] = null
  afterDial: Hooks['afterDial'] = null
  afterDialFail: Hooks['afterDialFail'] = null
  afterAccept: Hooks['afterAccept'] = null
  beforeWriteCall: Hooks['beforeWriteCall'] = null
  afterWriteCall: Hooks['afterWriteCall'] = null
  beforeWriteReply: Hooks['beforeWriteReply'] = null
  afterWriteReply: Hooks['afterWriteReply'] = null
  beforeWritePush: Hooks['beforeWritePush'] = null
  afterWritePush: Hooks['afterWritePush'] = null
  beforeReadHeader: Hooks['beforeReadHeader'] = null
  afterReadCallHeader: Hooks['afterReadCallHeader'] = null
  beforeReadCallBody: Hooks['beforeReadCallBody'] = null
  afterReadCallBody: Hooks['afterReadCallBody'] = null
  afterReadPushHeader: Hooks['afterReadPushHeader'] = null
  beforeReadPushBody: Hooks['beforeReadPushBody'] = null
  afterReadPushBody: Hooks['afterReadPushBody'] = null
  afterReadReplyHeader: Hooks['afterReadReplyHeader'] = null
  beforeReadReplyBody: Hooks['beforeReadReplyBody'] = null
  afterReadReplyBody: Hooks['afterReadReplyBody'] = null
  afterDisconnect: Hooks['afterDisconnect'] = null
}

/** The hooks of each direction of messages. */
const ways: Readonly<Record<keyof HookedDirections, readonly HookName[]>> = {
  callsIn: ['afterReadCallHeader', 'beforeReadCallBody', 'afterReadCallBody', 'beforeWriteReply', 'afterWriteReply'],
  pushesIn: ['afterReadPushHeader', 'beforeReadPushBody', 'afterReadPushBody'],
  repliesIn: ['afterReadReplyHeader', 'beforeReadReplyBody', 'afterReadReplyBody'],
  callsOut: ['beforeWriteCall', 'afterWriteCall'],
  pushesOut: ['beforeWritePush', 'afterWritePush'],
}

/**
 * The plugins of an endpoint, a group or a route, in the order they run: left, middle, right
 * (docs/spec/plugins.md#order-of-plugins). Containers of groups and routes share the left and right ones of their
 * endpoint.
 */
export class PluginContainer {
  /**
   * Compiled hooks: each hook's functions in order, or null for none. The object stays the same when plugins change.
   */
  readonly hooks: Hooks
  /**
   * The left and right plugins, and all containers that share them. Containers of another copy of this package read
   * them too.
   *
   * @internal
   */
  readonly sides: { left: readonly Plugin[]; right: readonly Plugin[]; readonly containers: Set<PluginContainer> }
  /**
   * The plugins between left and right: those of the groups and the route.
   *
   * @internal
   */
  readonly middle: readonly Plugin[]

  /**
   * @param own the left plugins of an endpoint, or the middle ones of a group or a route
   * @param parent container of the endpoint or the outer group, whose middle plugins come before `own`
   */
  constructor(own: readonly Plugin[] = [], parent?: PluginContainer) {
    this.sides = parent === undefined ? { left: own, right: [], containers: new Set() } : parent.sides
    this.middle = parent === undefined ? [] : [...parent.middle, ...own]
    this.hooks = new CompiledHooks()
    this.compile()
    this.sides.containers.add(this)
  }

  /** All plugins, in the order they run. */
  get all(): readonly Plugin[] {
    return [...this.sides.left, ...this.middle, ...this.sides.right]
  }

  /** Finds the plugin with this name; undefined when there is none. */
  byName(name: string): Plugin | undefined {
    return this.all.find((plugin) => plugin.name === name)
  }

  /**
   * Puts `plugins`, in their order, before all others. Their hooks about making the endpoint do not run any more.
   *
   * @throws TypeError for a value that is no plugin
   * @throws Error when two plugins have the same name
   */
  appendLeft(...plugins: Plugin[]): void {
    this.#change([...plugins, ...this.sides.left], this.sides.right)
  }

  /**
   * Puts `plugins`, in their order, after all others. Their hooks about making the endpoint do not run any more.
   *
   * @throws TypeError for a value that is no plugin
   * @throws Error when two plugins have the same name
   */
  appendRight(...plugins: Plugin[]): void {
    this.#change(this.sides.left, [...this.sides.right, ...plugins])
  }

  /**
   * Removes a plugin from the left or the right.
   *
   * @throws Error when no plugin on the left or right has this name
   */
  remove(name: string): void {
    const without = (list: readonly Plugin[]): readonly Plugin[] => list.filter((plugin) => plugin.name !== name)
    const { left, right } = this.sides
    if (!left.concat(right).some((plugin) => plugin.name === name)) throw new Error(`no plugin is named ${JSON.stringify(name)}`)
    this.#change(without(left), without(right))
  }

  #change(left: readonly Plugin[], right: readonly Plugin[]): void {
    const { left: oldLeft, right: oldRight, containers } = this.sides
    this.sides.left = left
    this.sides.right = right
    try {
      for (const container of containers) container.compile()
    } catch (error) {
      this.sides.left = oldLeft
      this.sides.right = oldRight
      for (const container of containers) container.compile()
      throw error
    }
  }

  /**
   * Fills `hooks` from the plugins.
   *
   * @throws TypeError for a value that is no plugin
   * @throws Error when two plugins have the same name
   * @internal
   */
  compile(): void {
    const { all } = this
    const seen = new Set<string>()
    for (const plugin of all) {
      checkPlugin(plugin)
      if (seen.has(plugin.name)) throw new Error(`two plugins are named ${JSON.stringify(plugin.name)}`)
      seen.add(plugin.name)
    }
    for (const [way, hooks] of Object.entries(ways)) {
      this.hooks[way as keyof HookedDirections] = all.some((plugin) => hooks.some((name) => plugin[name] !== undefined))
    }
    for (const name of names) {
      const list = all.filter((plugin) => plugin[name] !== undefined).map((plugin) => boundTo(plugin, name))
      ;(this.hooks as unknown as Record<string, unknown>)[name] = list.length === 0 ? null : list
    }
  }
}

/**
 * Binds a plugin's hook, always to the same function whatever containers the plugin is in. V8 inlines a call only while
 * its call site always calls the same function, and messages of many routes share the call sites.
 */
function boundTo(plugin: Plugin, name: HookName): AnyHook {
  const hook = plugin[name] as AnyHook
  let hooks = bound.get(plugin)
  if (hooks === undefined) bound.set(plugin, (hooks = new Map()))
  let known = hooks.get(hook)
  if (known === undefined) hooks.set(hook, (known = hook.bind(plugin)))
  return known
}

/** Bound functions by plugin and hook. */
const bound = new WeakMap<Plugin, Map<AnyHook, AnyHook>>()
