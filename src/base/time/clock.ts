import { performance } from 'node:perf_hooks'
import timers from 'node:timers'
import { runInRoot, untouched } from '../async/root-context.ts'
import { nodeCrypto } from '../builtin.ts'

// Taken once and for all, so that a program that puts others in their place, as fake timers in tests do, does not stop what is under way. Those of the
// module, since most of them replace the global ones only.
const { setTimeout, clearTimeout, setInterval, setImmediate } = timers
const { now } = performance
const { queueMicrotask } = globalThis

/** What `Clock.setTimeout` returns. */
export interface ClockTimer {
  /** It keeps no process alive. */
  unref(): unknown
}

/**
 * Time and chance, as far as the outcome of a run depends on them: an endpoint asks its clock and nothing else, so that a transport
 * with a clock of its own (`dmicro/testing`) repeats a run. Functions, no methods: they are taken out of the object.
 */
export interface Clock {
  /** Monotonic milliseconds, fractions allowed. */
  readonly now: () => number
  /**
   * Calls `run` once, after at least `ms` milliseconds, unless `clearTimeout` comes first. For an endpoint: outside of any `AsyncLocalStorage`,
   * since most of its timers serve all who wait.
   */
  readonly setTimeout: (run: () => void, ms: number) => ClockTimer
  /** Harmless for a timer that is over, and for undefined. */
  readonly clearTimeout: (timer: ClockTimer | undefined) => void
  /** From 0 up to 1, as `Math.random`. */
  readonly random: () => number
  /** The time of day in milliseconds since 1970. Default: `now`, counted from the beginning of 2000. */
  readonly date?: () => number
  /** 128 bits in 22 letters. Default: such as nobody can guess, which a clock that repeats runs cannot give. */
  readonly secret?: (() => string) | undefined
}

/** The system's. */
export const realClock: Clock = Object.freeze({
  now: () => now.call(performance),
  setTimeout: (run: () => void, ms: number) => runInRoot(setTimeout as (run: () => void, ms: number) => NodeJS.Timeout, undefined, run, ms),
  clearTimeout: (timer: ClockTimer | undefined) => clearTimeout(timer as NodeJS.Timeout | undefined),
  random: () => Math.random(),
  date: () => Date.now(),
})

/** The time of day by `clock`, in milliseconds since 1970. */
export function wallTime({ date, now }: Clock): number {
  return date === undefined ? EPOCH + now() : date()
}

const EPOCH = Date.UTC(2000, 0, 1)
/** Calls `run` at the end of this turn of the loop, or of the next one when this turn is ending, outside of any `AsyncLocalStorage`. */
export function immediate(run: () => void): void {
  if (untouched) setImmediate(run)
  else runInRoot(setImmediate as (run: () => void) => unknown, undefined, run)
}

/** The loop looks at everything that is ready before this resolves. */
export function turn(): Promise<void> {
  return new Promise(immediate)
}

/** Calls `run` when what runs now is done, before the loop goes on. What it throws is an uncaught exception. */
export const microtask: (run: () => void) => void = queueMicrotask

/** How long something may take, and by which clock. */
export interface TimeLimit {
  readonly ms: number
  readonly clock: Clock
}

/** A name that only those know who are told it. */
export function newSecret({ secret }: Clock): string {
  return secret === undefined ? nodeCrypto().randomBytes(16).toString('base64url') : secret()
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason when that fires first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = (): void => {
      clock.clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

const LONG = 2 ** 31 - 1

function everlasting(): NodeJS.Timeout {
  return setInterval(() => {}, LONG)
}

/** The process does not end while this is held. For waits by the system's clock: who runs another clock keeps the process himself. */
export class KeepAlive {
  #holds = 0
  #timer: NodeJS.Timeout | undefined

  hold(): void {
    if (this.#holds++ === 0) this.#timer = this.#timer?.ref() ?? runInRoot(everlasting, undefined)
  }

  release(): void {
    if (--this.#holds === 0) this.#timer?.unref()
  }
}
