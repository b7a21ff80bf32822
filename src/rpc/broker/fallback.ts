import { optionNames, requireFunction, requireOptions } from '../../base/check-options.ts'
import { verdictOf } from './breaker-options.ts'
import { Notifier } from './notify.ts'

/** A call that has failed for good. */
export interface FailedCall {
  /** Service method, such as `/math/add`. */
  readonly method: string
  /** Argument of the call. */
  readonly arg: unknown
  /** The error that the caller would get. */
  readonly error: unknown
}

/** Options of a fallback. */
export interface FallbackOptions {
  /** Returns what the caller gets in place of the error, or a promise of it. A throw is what the call fails with. */
  handle: (call: FailedCall) => unknown
  /**
   * Whether the fallback is for this error. Default: 429, and those that say that the node failed: 102, 104, 105, 408
   * and 500 to 599.
   */
  when?: ((error: unknown) => boolean) | undefined
}

/** Counts since the fallback was made. */
export interface FallbackStats {
  /** Errors that `handle` was called for. */
  handled: number
  /** Errors that were left as they are. */
  passed: number
}

/** Events of a fallback. */
export interface FallbackEvents {
  /** A call gets the fallback's value. */
  fallback: [call: FailedCall]
}

const known = optionNames<FallbackOptions>({ handle: true, when: true })

/** Gives callers another value, such as an older one, where a call has failed for good. */
export class Fallback extends Notifier<FallbackEvents & Record<never, never>> {
  /** Counts since the fallback was made. */
  readonly stats: FallbackStats = { handled: 0, passed: 0 }
  #given: FallbackOptions

  /** @throws TypeError that names the option */
  constructor(options: FallbackOptions) {
    super()
    this.#given = checked(options)
  }

  /**
   * Changes the given options; others stay as they are.
   *
   * @throws TypeError that names the option; then nothing changes
   */
  update(options: Partial<FallbackOptions>): void {
    this.#given = checked({ ...this.#given, ...options })
  }

  /**
   * Returns the value for the caller, or a promise of it.
   *
   * @throws the error of the call where the fallback is not for it
   */
  handle(error: unknown, method: string, arg: unknown): unknown {
    const { handle, when = isFailure } = this.#given
    if (!when(error)) {
      this.stats.passed++
      throw error
    }
    this.stats.handled++
    const call = { method, arg, error }
    this.notify('fallback', call)
    return handle(call)
  }
}

function isFailure(error: unknown): boolean {
  return verdictOf(error) === 'failure' || (error as { code?: unknown } | undefined)?.code === 429
}

function checked(options: FallbackOptions): FallbackOptions {
  requireOptions('option fallback', options, known, 'fallback.')
  if (typeof options.handle !== 'function') throw new TypeError('option fallback.handle must be a function')
  requireFunction('fallback.when', options.when)
  return { ...options }
}
