/** Who is told when a signal fires. */
export interface Abortable {
  onAbort(signal: AbortSignal): void
}

/** By signal, those who wait for it. */
const waiting = new WeakMap<AbortSignal, Set<Abortable>>()

/**
 * Tells `who` when `signal` fires, which it must not have done yet. Of the whole process a signal has one listener, however many calls go by it: node takes more than ten
 * for a leak, and each would be looked for among the others when it is removed.
 */
export function whenAborted(signal: AbortSignal, who: Abortable): void {
  let all = waiting.get(signal)
  if (all === undefined) {
    all = new Set()
    waiting.set(signal, all)
    signal.addEventListener('abort', tellAll, { once: true })
  }
  all.add(who)
}

/** `who` is not interested any more, or was told. */
export function forgetAbort(signal: AbortSignal, who: Abortable): void {
  const all = waiting.get(signal)
  if (all === undefined || !all.delete(who) || all.size > 0) return
  waiting.delete(signal)
  signal.removeEventListener('abort', tellAll)
}

function tellAll(this: AbortSignal): void {
  const all = waiting.get(this)
  waiting.delete(this)
  if (all === undefined) return
  // One that is told may make others forget, or throw: that must not keep the rest from being told.
  for (const who of all) {
    try {
      who.onAbort(this)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(`what a signal ended threw ${String(error)}`))
    }
  }
}
