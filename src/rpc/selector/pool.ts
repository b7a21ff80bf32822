import { Code, StatusError } from '../../base/errors/status.ts'
import type { Clock } from '../../base/time/clock.ts'
import { turnNow } from '../../base/time/turn-now.ts'
import type { Service } from '../registry/registry.ts'
import type { NodeFilter } from './filters/filter.ts'
import type { HealthSettings } from './health.ts'
import { NodeList } from './node-list.ts'
import { NodePick, type PickOptions, type PickOwner, SINCE_PICK } from './pick.ts'
import { readSnapshot, sameRecord } from './snapshot.ts'
import type { Candidate, PickContext, Strategy } from './strategy.ts'
import { TrackedNode } from './tracked-node.ts'

/** Most paths that lists of nodes are kept for. */
const MAX_LISTS = 1024
/** Steps in which a starting node reaches its weight. */
const START_STEPS = 50

/** Settings that all services of a selector share. */
export interface PoolSettings {
  readonly clock: Clock
  readonly strategy: Strategy
  readonly filters: readonly NodeFilter[]
  readonly health: HealthSettings | undefined
  /** Milliseconds in which a node reaches its weight; 0 for at once. */
  readonly slowStart: number
  /** Called after a node was ejected or has returned. */
  readonly onHealth: (candidate: Candidate) => void
}

/** Counts of the nodes of one service since they were first asked for. */
export interface SelectorStats {
  /** Calls that nodes were picked for. */
  picks: number
  /** Ejections of nodes that failed or were slow. */
  ejections: number
  /** Returns of ejected nodes, after a probe that succeeded. */
  returns: number
  /** Lists of nodes that the registry gave. */
  updates: number
  /** Nodes that came. */
  came: number
  /** Nodes that left. */
  left: number
  /** Times that the registry was lost. */
  outages: number
}

/** `PickContext` that is filled in again for each pick, because a pick must cost little. */
type Draft = { -readonly [Name in keyof PickContext]: PickContext[Name] }

/** The nodes of one service. */
export class Pool implements PickOwner {
  /** Why the last watch ended; '' while one runs. */
  failure = ''
  /** Whether the registry has answered yet. */
  isLoaded = false
  readonly service: string
  /** Counts, without the picks of nodes that are known now. */
  readonly #past: SelectorStats = { picks: 0, ejections: 0, returns: 0, updates: 0, came: 0, left: 0, outages: 0 }
  readonly #settings: PoolSettings
  readonly #now: () => number
  readonly #isByPath: boolean
  /** Filters without those that are preferences; undefined when that leaves out none. */
  readonly #required: readonly NodeFilter[] | undefined
  readonly #panicThreshold: number
  readonly #context: Draft = { path: '', key: undefined, now: 0 }
  #nodes = new Map<string, TrackedNode>()
  #candidates: readonly TrackedNode[] = []
  readonly #lists = new Map<string, NodeList>()
  /** Lists without preferences, for calls that exclude all nodes of their list. */
  readonly #wideLists = new Map<string, NodeList>()
  #starting: TrackedNode[] = []
  #growAt = 0

  constructor(service: string, settings: PoolSettings) {
    this.service = service
    this.#settings = settings
    this.#now = turnNow(settings.clock)
    this.#isByPath = settings.filters.some(({ byPath }) => byPath === true)
    const required = settings.filters.filter(({ isPreference }) => isPreference !== true)
    this.#required = required.length < settings.filters.length ? required : undefined
    this.#panicThreshold = settings.health?.panicThreshold ?? 0
  }

  get size(): number {
    return this.#nodes.size
  }

  get candidates(): readonly TrackedNode[] {
    return this.#candidates
  }

  get stats(): SelectorStats {
    return { ...this.#past, picks: this.#candidates.reduce((sum, { picks }) => sum + picks, this.#past.picks) }
  }

  /** The registry is lost. */
  lost(reason: string): void {
    if (this.failure === '') this.#past.outages++
    this.failure = reason
  }

  /** Takes over a snapshot of the registry. Nodes that stay keep their candidates. */
  update(services: readonly Service[]): { came: TrackedNode[]; left: TrackedNode[] } {
    const came: TrackedNode[] = []
    const before = this.#nodes
    const nodes = new Map<string, TrackedNode>()
    let isChanged = false
    for (const [key, listed] of readSnapshot(services)) {
      const known = before.get(key)
      if (known !== undefined) {
        if (!sameRecord(known, listed)) isChanged = true
        known.update(listed.node, listed.service)
        nodes.set(key, known)
      } else {
        const node = new TrackedNode(listed.node, listed.service, this.#settings.health)
        nodes.set(key, node)
        came.push(node)
      }
    }
    const left = [...before].filter(([key]) => !nodes.has(key)).map(([, node]) => node)
    for (const node of left) {
      node.isGone = true
      this.#past.picks += node.picks
    }
    this.#past.updates++
    this.#past.came += came.length
    this.#past.left += left.length
    // The nodes of the first snapshot are not new.
    if (before.size > 0) for (const node of came) this.#startSlowly(node)
    this.#starting = this.#starting.filter(({ isGone }) => !isGone)
    this.#nodes = nodes
    this.#candidates = [...nodes.values()]
    this.isLoaded = true
    if (isChanged || came.length > 0 || left.length > 0) this.#clearLists()
    return { came, left }
  }

  /**
   * Picks a node.
   * @throws StatusError 503 when there is none
   */
  pick(call: PickOptions): NodePick {
    const now = this.#now()
    if (this.#starting.length > 0 && now >= this.#growAt) this.#grow(now)
    const { path, key, exclude } = call
    const list = this.#listFor(path, this.#settings.filters, call.filters)
    const probe = list.ejected.length > 0 ? list.probe(now, exclude) : undefined
    // Calls of one key go to one node, whose latency would be that of the key.
    const slow = key === undefined ? list.slow : undefined
    if (probe !== undefined) return new NodePick(probe, this, now, slow, true)
    const nodes = exclude === undefined || exclude.length === 0 ? list.usable : this.#without(exclude, list, call)
    if (nodes.length === 0) throw this.#none(list.all.length, list.emptiedBy)
    return new NodePick(this.#choose(nodes, call, now), this, now, slow, false)
  }

  /** Whether `pick` would find a node. A filter that throws leaves none. */
  hasNode(call: PickOptions): boolean {
    const { path, exclude = [] } = call
    try {
      const list = this.#listFor(path, this.#settings.filters, call.filters)
      return (exclude.length === 0 ? list.usable : this.#without(exclude, list, call)).length > 0
    } catch {
      return false
    }
  }

  onDone(pick: NodePick, failed: boolean, given: number | undefined, now?: number): void {
    const { candidate, pickedAt, slow, isProbe } = pick // not above, which would make them part of the declaration
    const node = candidate as TrackedNode
    node.inFlight--
    if (given === undefined || node.isGone) return
    now ??= this.#now()
    const latency = given === SINCE_PICK ? now - pickedAt : given
    node.sample(failed, latency, now)
    if (node.health === undefined) return
    const { slowFactor } = this.#settings.health as HealthSettings
    const isSlow = !failed && slow?.isExceeded(latency, slowFactor, now) === true
    if (!node.health.onOutcome(failed || isSlow, pickedAt, isProbe, now)) return
    node.isEjected = node.health.isEjected
    if (node.isEjected) this.#past.ejections++
    else this.#past.returns++
    this.#clearLists()
    if (!node.isEjected) this.#startSlowly(node)
    this.#settings.onHealth(node)
  }

  /** The list of a path: kept for the selector's `filters`, made for `own`, those of the call. */
  #listFor(path: string, filters: readonly NodeFilter[], own: readonly NodeFilter[] | undefined): NodeList {
    const lists = filters === this.#required ? this.#wideLists : this.#lists
    const key = this.#isByPath ? path : ''
    let list = lists.get(key)
    if (list === undefined) {
      if (lists.size >= MAX_LISTS) lists.clear()
      list = new NodeList(this.#candidates, filters, path, this.#panicThreshold)
      lists.set(key, list)
    }
    return own === undefined ? list : new NodeList(list.all, own, path, this.#panicThreshold, list.emptiedBy)
  }

  /** Nodes that a call does not exclude: of its list, else those that filters avoid if they can, else ejected ones. */
  #without(exclude: readonly Candidate[], list: NodeList, { path, filters }: PickOptions): readonly TrackedNode[] {
    const left = remove(exclude, list.usable)
    if (left.length > 0) return left
    const wide = this.#required === undefined ? list : this.#listFor(path, this.#required, filters)
    const wider = remove(exclude, wide.usable)
    return wider.length > 0 ? wider : remove(exclude, wide.all)
  }

  #clearLists(): void {
    this.#lists.clear()
    this.#wideLists.clear()
  }

  #choose(nodes: readonly TrackedNode[], { path, key, strategy = this.#settings.strategy }: PickOptions, now: number): TrackedNode {
    if (nodes.length === 1) return nodes[0]
    const context = this.#context
    context.path = path
    context.key = key
    context.now = now
    const chosen: Candidate = strategy.pick(nodes, context)
    if (chosen instanceof TrackedNode) return chosen
    throw new TypeError(`strategy ${strategy.name} picked none of the candidates`)
  }

  #none(remaining: number, emptiedBy: string): StatusError {
    const { service } = this
    const failure = this.failure === '' ? '' : `; registry: ${this.failure}`
    if (!this.isLoaded) return unavailable(`nodes of service ${service} are not known yet${failure}`)
    if (this.size === 0) return unavailable(`no node of service ${service} is registered${failure}`)
    if (remaining > 0) return unavailable(`all nodes of service ${service} that may take the call were tried`)
    return unavailable(`filter "${emptiedBy}" leaves none of ${this.size} nodes of service ${service}`)
  }

  #startSlowly(node: TrackedNode): void {
    if (this.#settings.slowStart === 0) return
    if (node.startedAt === -Infinity) this.#starting.push(node)
    node.startSlowly(this.#now())
  }

  #grow(now: number): void {
    const { slowStart } = this.#settings
    this.#growAt = now + slowStart / START_STEPS
    this.#starting = this.#starting.filter((node) => node.grow(now, slowStart))
  }
}

/** A status 503 for a call that no node can take. Made without a stack, since in an outage every call gets one. */
export function unavailable(cause: string): StatusError {
  return new StatusError(Code.ServiceUnavailable, undefined, cause, { stack: false })
}

function remove(exclude: readonly Candidate[], nodes: readonly TrackedNode[]): readonly TrackedNode[] {
  return nodes.filter((node) => !exclude.includes(node))
}
