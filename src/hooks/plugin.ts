import type { Logger } from '../base/log.ts'
import type { Clock } from '../base/time/clock.ts'
import type { Hook, HookedDirections, HookList, MessageHooks } from './hooks.ts'
import type { BaseSession, CtxSession, EarlySession } from './session-views.ts'

/** A route, as `afterRegRouter` sees it. */
export interface RouteInfo {
  readonly name: string
  readonly kind: 'call' | 'push'
}

/** What hooks about an endpoint see of it. */
export interface PluginEndpoint {
  readonly plugins: PluginContainer
  /** Where it reports what nobody asked for. */
  readonly log: Logger
  /** Time as it goes for the endpoint. */
  readonly clock: Clock
  readonly sessionCount: number
  sessions(): IterableIterator<EndpointSession>
  routeCall(name: string, handler: (arg: unknown, ctx: unknown) => unknown): string[]
  routePush(name: string, handler: (arg: unknown, ctx: unknown) => unknown): string[]
  setUnknownCall(handler: (bytes: Uint8Array, ctx: unknown) => unknown): void
  setUnknownPush(handler: (bytes: Uint8Array, ctx: unknown) => unknown): void
}

export type EndpointSession = CtxSession & { close(): Promise<void> }

/** The hooks of an endpoint and of its sessions' lives; docs/spec/plugins.md#the-hooks has the list. */
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

type MessageHookFunctions = {
  [Name in Exclude<keyof MessageHooks, keyof HookedDirections>]: MessageHooks[Name] extends HookList<infer Context> ? Hook<Context> : never
}

type Optional<Functions> = { [Name in keyof Functions]?: Functions[Name] | undefined }

/**
 * Sees, changes or refuses what an endpoint does: an object with a name and any of the 27 hooks. A hook refuses by throwing, best a StatusError;
 * what it returns is ignored, but a promise is waited for, for at most the endpoint's `hookTimeout`. What a failure does stands in
 * docs/spec/plugins.md#the-hooks: a call is answered or fails with the status, a push is dropped, a session that is accepted or dialled closes;
 * hooks that only look on are logged.
 */
export interface Plugin extends Optional<MessageHookFunctions>, Optional<LifeHooks> {
  /** Unique among the plugins that run for the same message. */
  readonly name: string
}

type Compiled<Functions> = { [Name in keyof Functions]: readonly Functions[Name][] | null }
export type Hooks = MessageHooks & Compiled<LifeHooks>

type AnyHook = (...args: unknown[]) => unknown
type HookName = Exclude<keyof Hooks, keyof HookedDirections>

const names: readonly HookName[] = [
  'beforeNewEndpoint',
  'afterNewEndpoint',
  'beforeCloseEndpoint',
  'afterCloseEndpoint',
  'afterRegRouter',
  'afterListen',
  'beforeDial',
  'afterDial',
  'afterDialFail',
  'afterAccept',
  'beforeWriteCall',
  'afterWriteCall',
  'beforeWriteReply',
  'afterWriteReply',
  'beforeWritePush',
  'afterWritePush',
  'beforeReadHeader',
  'afterReadCallHeader',
  'beforeReadCallBody',
  'afterReadCallBody',
  'afterReadPushHeader',
  'beforeReadPushBody',
  'afterReadPushBody',
  'afterReadReplyHeader',
  'beforeReadReplyBody',
  'afterReadReplyBody',
  'afterDisconnect',
]

/** A class, because an object filled by names is a dictionary to V8: each look would cost 20 ns and more. */
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

const ways: Readonly<Record<keyof HookedDirections, readonly HookName[]>> = {
  callsIn: ['afterReadCallHeader', 'beforeReadCallBody', 'afterReadCallBody', 'beforeWriteReply', 'afterWriteReply'],
  pushesIn: ['afterReadPushHeader', 'beforeReadPushBody', 'afterReadPushBody'],
  repliesIn: ['afterReadReplyHeader', 'beforeReadReplyBody', 'afterReadReplyBody'],
  callsOut: ['beforeWriteCall', 'afterWriteCall'],
  pushesOut: ['beforeWritePush', 'afterWritePush'],
}

/** Plugins in the order they run: left, middle, right (docs/spec/plugins.md#order-of-plugins). A group's and a route's container follow their parent's sides. */
export class PluginContainer {
  /** Compiled: each hook's functions in order, or null for none. The same object for life. */
  readonly hooks: Hooks
  /** Seen by containers of another copy of this package too. @internal */
  readonly sides: { left: readonly Plugin[]; right: readonly Plugin[]; readonly containers: Set<PluginContainer> }
  /** @internal */
  readonly middle: readonly Plugin[]

  /** @param parent whose sides it shares; its middle comes before `own` */
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

  byName(name: string): Plugin | undefined {
    return this.all.find((plugin) => plugin.name === name)
  }

  /** Puts `plugins`, in their order, before all others. Hooks about the making of the endpoint are over for them. */
  appendLeft(...plugins: Plugin[]): void {
    this.#change([...plugins, ...this.sides.left], this.sides.right)
  }

  /** Puts `plugins` behind all others. */
  appendRight(...plugins: Plugin[]): void {
    this.#change(this.sides.left, [...this.sides.right, ...plugins])
  }

  /** @throws Error when no plugin on the left or right has this name */
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

  /** @throws TypeError for what is no plugin, Error for two of one name @internal */
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
 * One function for a plugin's hook, whichever containers it is in: where messages of many routes pass, V8 sees through a call only as long as it
 * is always of the same function.
 */
function boundTo(plugin: Plugin, name: HookName): AnyHook {
  const hook = plugin[name] as AnyHook
  let hooks = bound.get(plugin)
  if (hooks === undefined) bound.set(plugin, (hooks = new Map()))
  let known = hooks.get(hook)
  if (known === undefined) hooks.set(hook, (known = hook.bind(plugin)))
  return known
}

/** By plugin and function. */
const bound = new WeakMap<Plugin, Map<AnyHook, AnyHook>>()

function checkPlugin(plugin: Plugin): void {
  if (typeof plugin !== 'object' || plugin === null) throw new TypeError('a plugin must be an object')
  if (typeof plugin.name !== 'string' || plugin.name === '') throw new TypeError('a plugin must have a name')
  for (const name of names) {
    const hook: unknown = plugin[name]
    if (hook !== undefined && typeof hook !== 'function')
      throw new TypeError(`plugin ${JSON.stringify(plugin.name)}: ${name} must be a function`)
  }
}
