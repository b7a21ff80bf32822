// Node's modules, as far as the code of sessions imports them, for pages.
import { report } from '../page.ts'
import { PageBuffer } from './buffer.ts'

/** A timer as Node.js has it, which a page's number is not. */
interface Timer {
  readonly id: number
  ref(): Timer
  unref(): Timer
}

const timers = globalThis as unknown as {
  setTimeout(run: () => void, ms: number): number
  clearTimeout(id: number): void
  setInterval(run: () => void, ms: number): number
}

function timer(id: number): Timer {
  const self: Timer = { id, ref: () => self, unref: () => self }
  return self
}

/** Runs what waits for the end of the turn: a message to oneself is not delayed, as timers of a page are. */
const channel = new MessageChannel()
let waiting: (() => void)[] = []
channel.port1.addEventListener('message', () => {
  const runs = waiting
  waiting = []
  for (const run of runs) {
    try {
      run()
    } catch (error) {
      report(error)
    }
  }
})
channel.port1.start()

/** `node:timers`. */
export default {
  setTimeout: (run: () => void, ms: number): Timer => timer(timers.setTimeout(run, ms)),
  clearTimeout: (timer: Timer | undefined): void => timers.clearTimeout(timer?.id ?? 0),
  setInterval: (run: () => void, ms: number): Timer => timer(timers.setInterval(run, ms)),
  setImmediate(run: () => void): void {
    if (waiting.push(run) === 1) channel.port2.postMessage(0)
  },
}

/** `node:perf_hooks`. */
export const { performance } = globalThis

/** `node:async_hooks`: a page has one context. */
export const AsyncResource = { bind: <T>(run: T): T => run }

type Listener = (...args: unknown[]) => void

/** `node:events`. */
export class EventEmitter {
  readonly #listeners = new Map<string | symbol, { run: Listener; once: boolean }[]>()

  on(event: string | symbol, run: Listener): this {
    return this.#add(event, run, false)
  }

  once(event: string | symbol, run: Listener): this {
    return this.#add(event, run, true)
  }

  off(event: string | symbol, run: Listener): this {
    const list = this.#listeners.get(event) ?? []
    const at = list.findLastIndex((entry) => entry.run === run)
    if (at >= 0) this.#listeners.set(event, list.toSpliced(at, 1))
    return this
  }

  emit(event: string | symbol, ...args: unknown[]): boolean {
    const list = this.#listeners.get(event) ?? []
    for (const { run, once } of list) {
      if (once) this.off(event, run)
      run.apply(this, args)
    }
    return list.length > 0
  }

  listenerCount(event: string | symbol): number {
    return this.#listeners.get(event)?.length ?? 0
  }

  removeAllListeners(event?: string | symbol): this {
    if (event === undefined) this.#listeners.clear()
    else this.#listeners.delete(event)
    return this
  }

  #add(event: string | symbol, run: Listener, once: boolean): this {
    if (typeof run !== 'function') throw new TypeError('a listener must be a function')
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), { run, once }])
    return this
  }
}

export function setMaxListeners(): void {}

/** `node:buffer`. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** `node:util`. */
export const getSystemErrorName = String

/** Modules that `src/base/builtin.ts` loads. */
export function nodeCrypto(): { randomBytes(size: number): PageBuffer } {
  return { randomBytes: (size) => crypto.getRandomValues(new PageBuffer(size)) }
}

export function nodeWorkers(): { markAsUntransferable(): void } {
  return { markAsUntransferable: () => {} }
}
