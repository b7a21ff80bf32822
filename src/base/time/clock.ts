import { performance } from 'node:perf_hooks'
import timers from 'node:timers'
import { runInRoot, untouched } from '../async/root-context.ts'
import { nodeCrypto } from '../builtin.ts'

// Read once, so that a program that replaces them, as fake timers in tests do, does not stop what is under way. Read
// from the module, since most fake timers replace the globals only.
const { setTimeout, clearTimeout, setInterval, setImmediate } = timers
const { now } = performance
const { queueMicrotask } = globalThis

/** A timer, as returned by `Clock.setTimeout`. */
export interface ClockTimer {
  /** The timer no longer keeps the process alive. */
  unref(): unknown
}

/**
 * Time and chance, as far as the outcome of a run depends on them. An endpoint asks its clock and nothing else, so a
 * transport with a clock of its own (`dmicro/testing`) can repeat a run. The members are functions without `this`,
 * because they are taken out of the object.
 */
export interface Clock {
  /** Monotonic milliseconds, fractions allowed. */
  readonly now: () => number
  /**
   * Calls `run` once, after at least `ms` milliseconds, unless `clearTimeout` comes first. An endpoint needs `run`
   * called outside of any `AsyncLocalStorage`, since most of its timers serve several callers.
   */
  readonly setTimeout: (run: () => void, ms: number) => ClockTimer
  /** Stops a timer. Does nothing for a timer that has fired, and for undefined. */
  readonly clearTimeout: (timer: ClockTimer | undefined) => void
  /** A number from 0 up to 1, 1 excluded, as `Math.random` returns. */
  readonly random: () => number
  /** The time of day in milliseconds since 1970. Default: `now`, counted from the beginning of 2000. */
  readonly date?: () => number
  /** 128 bits in 22 letters. Default: cryptographically random, which a clock that repeats runs cannot use. */
  readonly secret?: (() => string) | undefined
}

/** The clock of the system. */
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
/**
 * Calls `run` at the end of this turn of the loop, or of the next one when this turn is ending, outside of any
 * `AsyncLocalStorage`.
 */
export function immediate(run: () => void): void {
  if (untouched) setImmediate(run)
  else runInRoot(setImmediate as (run: () => void) => unknown, undefined, run)
}

/** Resolves after the loop has handled everything that is ready now. */
export function turn(): Promise<void> {
  return new Promise(immediate)
}

/**
 * Calls `run` when the code that runs now is done, before the loop continues. An exception of `run` is an uncaught
 * exception.
 */
export const microtask: (run: () => void) => void = queueMicrotask

/** A number of milliseconds and the clock that measures them. */
export interface TimeLimit {
  readonly ms: number
  readonly clock: Clock
}

/** A secret of 128 random bits in 22 letters, such as the token of a session. */
export function newSecret({ secret }: Clock): string {
  return secret === undefined ? nodeCrypto().randomBytes(16).toString('base64url') : secret()
}

const LONG = 2 ** 31 - 1

function everlasting(): NodeJS.Timeout {
  return setInterval(() => {}, LONG)
}

/**
 * Keeps the process alive while held at least once. For waits by the system's clock: a program that runs another clock
 * keeps the process alive itself.
 */
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
