import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { silentLogger } from '../../src/base/log.ts'
import type { Clock } from '../../src/base/time/clock.ts'
import type { Registry, Service, ServiceNode } from '../../src/rpc/registry/registry.ts'
import type { NodePick } from '../../src/rpc/selector/pick.ts'
import { Selector, type SelectorOptions } from '../../src/rpc/selector/selector.ts'
import type { Candidate } from '../../src/rpc/selector/strategy.ts'
import { seeded } from '../../src/testing/random.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

/** A clock that is advanced by hand, and its seeded chance. */
export class TestClock implements Clock {
  readonly #time = new VirtualTime()
  readonly random: () => number
  readonly now = (): number => this.#time.now
  readonly setTimeout = (run: () => void, ms: number) => this.#time.at(this.#time.now + ms, run)
  readonly clearTimeout = (timer: unknown): void => this.#time.cancel(timer as never)

  constructor(seed = 'selector') {
    this.random = seeded(seed)
  }

  /** Number of timers that are set. */
  get timers(): number {
    return this.#time.size
  }

  /** Advances without yielding. Requires that no timer is due. */
  skip(ms: number): void {
    this.#time.skipTo(this.#time.now + ms)
  }

  /** Advances, runs what is due, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    await turn()
    const until = this.#time.now + ms
    while ((this.#time.next ?? Infinity) <= until) {
      this.#time.step()
      await turn()
    }
    this.#time.skipTo(until)
    await turn()
  }
}

/** A registry whose snapshots and losses a test decides. */
export class TestRegistry implements Pick<Registry, 'watch'> {
  /** Number of watches that were begun. */
  watches = 0
  /** Reason that new watches fail with at once; undefined: they work. */
  refuses: Error | undefined
  readonly #snapshots = new Map<string, readonly Service[]>()
  readonly #running = new Set<{ wake: () => void; lost: Error | undefined; version: number }>()
  #version = 0

  set(name: string, services: readonly Service[]): void {
    this.#snapshots.set(name, services)
    this.#version++
    for (const watch of this.#running) watch.wake()
  }

  /** Ends all watches with an error. */
  lose(error = new Error('registry gone')): void {
    for (const watch of this.#running) {
      watch.lost = error
      watch.wake()
    }
  }

  /** Number of watches that run now. */
  get running(): number {
    return this.#running.size
  }

  async *watch(name: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<readonly Service[]> {
    this.watches++
    if (this.refuses !== undefined) throw this.refuses
    const watch = { wake: (): void => {}, lost: undefined as Error | undefined, version: -1 }
    this.#running.add(watch)
    const onAbort = (): void => watch.wake()
    signal?.addEventListener('abort', onAbort)
    try {
      for (;;) {
        if (signal?.aborted === true) return
        if (watch.lost !== undefined) throw watch.lost
        const services = this.#snapshots.get(name)
        if (services !== undefined && watch.version !== this.#version) {
          watch.version = this.#version
          yield services
        } else {
          await new Promise<void>((resolve) => {
            watch.wake = resolve
          })
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#running.delete(watch)
    }
  }
}

/** A node named `id`, at an address of the same name unless `more` says another. */
export function node(id: string, metadata: Record<string, string> = {}, more: Partial<ServiceNode> = {}): ServiceNode {
  return { id, address: `${id}:1`, paths: undefined, metadata, ...more }
}

export function nodes(count: number, metadata: Record<string, string> = {}): ServiceNode[] {
  return Array.from({ length: count }, (_, i) => node(`n${i}`, metadata))
}

export function service(all: readonly ServiceNode[], version = '1.0.0', name = 'math'): Service {
  return { name, version, metadata: {}, nodes: all }
}

/** A selector of the service `math` with these nodes, in virtual time. */
export async function selectorOf(
  services: readonly Service[],
  options: Partial<SelectorOptions> = {},
): Promise<{ selector: Selector; registry: TestRegistry; clock: TestClock }> {
  const registry = new TestRegistry()
  const clock = new TestClock()
  registry.set('math', services)
  const selector = new Selector({ registry, clock, logger: silentLogger, slowStart: 0, ...options })
  await selector.loaded('math')
  return { selector, registry, clock }
}

/** Candidates for a strategy alone. */
export function candidates(count: number, more: (i: number) => Partial<Candidate> = () => ({})): Candidate[] {
  return nodes(count).map((each, i) => {
    const own = more(i)
    return {
      node: each,
      service: service([]),
      nominalWeight: own.weight ?? 1,
      weight: 1,
      inFlight: 0,
      latency: 0,
      success: 1,
      pickedAt: 0,
      isEjected: false,
      ...own,
    }
  })
}

/** How often each id was picked. */
export function counts(picks: Iterable<Candidate>): Map<string, number> {
  const found = new Map<string, number>()
  for (const { node } of picks) found.set(node.id, (found.get(node.id) ?? 0) + 1)
  return found
}

/** Pearson's chi-square of counts against expected shares of them. */
export function chiSquare(found: Map<string, number>, shares: ReadonlyMap<string, number>): number {
  const total = [...found.values()].reduce((sum, count) => sum + count, 0)
  let sum = 0
  for (const [id, share] of shares) sum += ((found.get(id) ?? 0) - total * share) ** 2 / (total * share)
  return sum
}

/** Picks until `node` is picked; the others succeed after 1 ms. */
export function pickOf(selector: Selector, wanted: Candidate, clock: TestClock): NodePick {
  for (let i = 0; i < 1000; i++) {
    const pick = selector.pick('math', { path: '/math/add' })
    if (pick.candidate === wanted) return pick
    clock.skip(1)
    pick.done(false, 1)
  }
  assert.fail(`${wanted.node.id} was not picked`)
}

/** Fails calls to `node` until it is ejected. */
export function eject(selector: Selector, wanted: Candidate, clock: TestClock): void {
  for (let i = 0; i < 5; i++) pickOf(selector, wanted, clock).done(true, 1)
  assert.equal(wanted.isEjected, true)
}
