import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Link } from './link.ts'

/** `npm run test:chaos`: the sizes and times the project promises. Else the same in a few seconds. */
export const long = process.env.DMICRO_CHAOS === '1'

/** Hard limit of each test, in milliseconds: `it(name, limit, …)`. */
export const limit = { timeout: long ? 300_000 : 120_000 }

/** `short` in `npm test`, which shares its machine, so that bounds of time are wide there; `full` in `npm run test:chaos`. */
export function scaled<T>(short: T, full: T): T {
  return long ? full : short
}

/** Options of a suite whose tests share nothing and wait much: side by side in the short form. */
export const side = { concurrency: scaled(3, 1) }

/** A process of its own that answers requests; see `answering`. It is killed when the test ends; without one whoever made it does that. */
export class Child {
  readonly #process: ChildProcess
  readonly #open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #count = 0
  /** Its exit code; null when a signal ended it. */
  readonly gone: Promise<number | null>

  /**
   * @param script a file of `fixtures/` that calls `answering`
   * @param options.link to live in that namespace
   * @param options.execArgv flags of node, such as '--expose-gc'
   */
  static async start(t: TestContext | undefined, script: string, options: { link?: Link; execArgv?: string[] } = {}): Promise<Child> {
    const file = fileURLToPath(new URL(`fixtures/${script}`, import.meta.url))
    const [command, ...args] = [...(options.link?.prefix ?? []), process.execPath, ...(options.execArgv ?? []), '--import', 'tsx', file]
    const child = new Child(spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    t?.after(() => child.kill())
    await child.ask(undefined)
    return child
  }

  private constructor(process: ChildProcess) {
    this.#process = process
    this.gone = once(process, 'exit').then(([code]) => {
      for (const { reject } of this.#open.values()) reject(new Error('the child is gone'))
      this.#open.clear()
      return code
    })
    process.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
      const waiting = this.#open.get(id)
      this.#open.delete(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(error))
    })
  }

  get pid(): number {
    return this.#process.pid as number
  }

  /** Resolves to what the child answers; rejects with its error, or when it dies. */
  ask<T>(request: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) throw new Error('the child is gone')
      this.#open.set(++this.#count, { resolve: resolve as (value: unknown) => void, reject })
      this.#process.send({ id: this.#count, request })
    })
  }

  /** Resolves when it is gone. SIGKILL by default: nothing of it runs any more. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.#process.kill(signal)
    return this.gone
  }

  /** SIGSTOP and SIGCONT: it is there and does nothing. */
  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  resume(): void {
    this.#process.kill('SIGCONT')
  }
}

/** In a child: answers the parent's requests with what `handler` returns or resolves to, JSON. */
export function answering(handler: (request: never) => unknown): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, request }: { id: number; request: unknown }) => {
    try {
      const result = request === undefined || request === null ? true : await handler(request as never)
      process.send?.({ id, result })
    } catch (error) {
      process.send?.({ id, error: String((error as Error).stack ?? error) })
    }
  })
}

/** Numbers and what is asked of them. */
export class Samples {
  readonly all: number[] = []

  constructor(all: Iterable<number> = []) {
    this.all.push(...all)
  }

  add(value: number): void {
    this.all.push(value)
  }

  get count(): number {
    return this.all.length
  }

  get max(): number {
    return this.all.reduce((a, b) => Math.max(a, b), -Infinity)
  }

  get mean(): number {
    return this.all.reduce((a, b) => a + b, 0) / this.all.length
  }

  /** @param share 0.99 for p99; NaN of no samples */
  percentile(share: number): number {
    const sorted = [...this.all].sort((a, b) => a - b)
    return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]
  }

  /** How many lie in each [i × width, (i + 1) × width). */
  bins(width: number): number[] {
    const counts: number[] = []
    for (const value of this.all) {
      const bin = Math.max(0, Math.floor(value / width))
      while (counts.length <= bin) counts.push(0)
      counts[bin]++
    }
    return counts
  }
}

/** Watches the event loop of this process; `max` is its longest stall in milliseconds since the start, or `reset`. */
export function watchLoop(): { readonly max: number; reset(): void; stop(): void } {
  const resolution = 5
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  return {
    get max() {
      return Math.max(0, histogram.max / 1e6 - resolution)
    },
    reset: () => histogram.reset(),
    stop: () => void histogram.disable(),
  }
}

/** Resolves when `condition` holds, looking each turn of the loop; the test's limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}
