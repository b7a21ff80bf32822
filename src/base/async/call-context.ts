import { AsyncLocalStorage } from 'node:async_hooks'

/** What calls made by a handler take over from the one that is handled. */
export interface CallScope {
  /** When its caller stops waiting, by its endpoint's clock; undefined once it is answered. */
  readonly expires?: number | undefined
  readonly signal: AbortSignal
}

const storage = new AsyncLocalStorage<CallScope>()
/** Nobody pays for the look-up, and on Node.js before 24 for a hook on every promise, until a first call brings its deadline. */
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

/** The call whose handler runs, if it brought a deadline and is not answered. */
export function currentCall(): CallScope | undefined {
  if (!used) return undefined
  const call = storage.getStore()
  return call?.expires === undefined ? undefined : call
}
