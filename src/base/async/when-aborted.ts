/** A subscriber of an AbortSignal. */
export interface Abortable {
  /** Called once when the signal fires. */
  onAbort(signal: AbortSignal): void
}

/** Subscribers by signal. */
const waiting = new WeakMap<AbortSignal, Set<Abortable>>()

/**
 * Calls `who.onAbort` when `signal` fires. Requires that `signal` has not fired yet.
 *
 * A signal has one listener in the whole process, however many calls use it: Node warns of a leak beyond ten, and
 * removing one of many listeners takes a search.
 */
export function whenAborted(signal: AbortSignal, who: Abortable): void {
  let all = waiting.get(signal)
  if (all === undefined) {
    all = new Set()
    waiting.set(signal, all)
    signal.addEventListener('abort', notifyAll, { once: true })
  }
  all.add(who)
}

/** Unsubscribes `who`. Does nothing if it was called already. */
export function forgetAbort(signal: AbortSignal, who: Abortable): void {
  const all = waiting.get(signal)
  if (all === undefined || !all.delete(who) || all.size > 0) return
  waiting.delete(signal)
  signal.removeEventListener('abort', notifyAll)
}

function notifyAll(this: AbortSignal): void {
  const all = waiting.get(this)
  waiting.delete(this)
  if (all === undefined) return
  // An `onAbort` may unsubscribe others, or throw: the rest are called all the same.
  for (const who of all) {
    try {
      who.onAbort(this)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(`what a signal ended threw ${String(error)}`))
    }
  }
}
