import { AsyncLocalStorage } from 'node:async_hooks'

/** Properties that calls made by a handler inherit from the call that is handled. */
export interface CallScope {
  /** Time at which the caller stops waiting, by its endpoint's clock; undefined once the call is answered. */
  readonly expires?: number | undefined
  readonly signal: AbortSignal
}

const storage = new AsyncLocalStorage<CallScope>()
/**
 * Whether a call has brought a deadline yet. Until then nothing pays for the look-up, nor, on Node.js before 24, for a
 * hook on every promise.
 */
let used = false

/** Calls `handler` so that calls made by it, and by what it starts, inherit from `call`, if that brought a deadline. */
export function runHandler<Arg, Context extends CallScope, Result>(
  call: Context,
  handler: (arg: Arg, context: Context) => Result,
  arg: Arg,
): Result {
  if (call.expires === undefined) return handler(arg, call)
  used = true
  return storage.run(call, handler, arg, call)
}

/** The call whose handler runs, if it brought a deadline and is not answered yet. */
export function currentCall(): CallScope | undefined {
  if (!used) return undefined
  const call = storage.getStore()
  return call?.expires === undefined ? undefined : call
}
