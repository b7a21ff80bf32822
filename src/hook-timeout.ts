import { Code, StatusError, statusText } from './status.ts'
import { Timed, TimerWheel } from './timer-wheel.ts'

/** Of all hooks of this environment. */
const wheel = new TimerWheel()
const LONG = 2 ** 31 - 1
let waits = 0
/** The wheel lets a process end; one that waits for a hook must not, since it may be the only thing it waits for. */
let alive: NodeJS.Timeout | undefined

/** One promise of a hook. */
class Wait extends Timed {
  private readonly resolve: (value: unknown) => void
  private readonly reject: (error: unknown) => void

  constructor(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    super()
    this.resolve = resolve
    this.reject = reject
  }

  succeed(value: unknown): void {
    this.#end()
    this.resolve(value)
  }

  fail(error: unknown): void {
    this.#end()
    this.reject(error)
  }

  override expire(): void {
    if (--waits === 0) alive?.unref()
    this.reject(new StatusError(Code.HandleTimeout, statusText(Code.HandleTimeout), 'a plugin did not settle in time'))
  }

  /** Once it expired it may still settle. */
  #end(): void {
    if (this.wheelNext === null) return
    wheel.remove(this)
    if (--waits === 0) alive?.unref()
  }
}

/**
 * What `result` settles with, or 408 after `limit` milliseconds. `result` may be a thenable of the user's own, which may settle twice or throw:
 * the promise returned may not.
 */
export function within(result: PromiseLike<unknown>, limit: number): Promise<unknown> {
  const promise = result instanceof Promise ? result : Promise.resolve(result)
  return new Promise((resolve, reject) => {
    const wait = new Wait(resolve, reject)
    wheel.add(wait, limit)
    if (waits++ === 0) alive = alive === undefined ? setInterval(() => {}, LONG) : alive.ref()
    promise.then(
      (value) => wait.succeed(value),
      (error) => wait.fail(error),
    )
  })
}
