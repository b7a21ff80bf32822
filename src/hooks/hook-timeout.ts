import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { KeepAlive, realClock, type TimeLimit } from '../base/time/clock.ts'
import { TimerEntry, type TimerWheel, wheelOf } from '../base/time/timer-wheel.ts'

const realWheel = wheelOf(realClock)
/**
 * Keeps the process running while a hook is waited for. Timers of the wheel do not, but the hook's promise may be the
 * only thing left to wait for.
 */
const alive = new KeepAlive()

/** One promise of a hook that is waited for, with its time limit. */
class Wait extends TimerEntry {
  private readonly wheel: TimerWheel
  private readonly resolve: (value: unknown) => void
  private readonly reject: (error: unknown) => void
  private readonly who: string

  constructor(wheel: TimerWheel, resolve: (value: unknown) => void, reject: (error: unknown) => void, who: string) {
    super()
    this.who = who
    this.wheel = wheel
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
    if (this.wheel === realWheel) alive.release()
    this.reject(new StatusError(Code.HandleTimeout, statusText(Code.HandleTimeout), `${this.who} did not settle in time`))
  }

  #end(): void {
    if (this.wheelNext === null) return
    this.wheel.remove(this)
    if (this.wheel === realWheel) alive.release()
  }
}

/**
 * Waits for a hook's result, for at most `ms` milliseconds.
 *
 * `result` may be a thenable of the user's own that settles twice or throws. The promise returned settles once.
 *
 * @param who whose result it is, for the text of the 408
 * @returns a promise of what `result` resolves to
 * @throws StatusError (rejects) 408 when the time is over; otherwise what `result` rejects with
 */
export function within(result: PromiseLike<unknown>, { ms, clock }: TimeLimit, who = 'a plugin'): Promise<unknown> {
  const promise = result instanceof Promise ? result : Promise.resolve(result)
  const wheel = clock === realClock ? realWheel : wheelOf(clock)
  return new Promise((resolve, reject) => {
    const wait = new Wait(wheel, resolve, reject, who)
    wheel.add(wait, ms)
    if (wheel === realWheel) alive.hold()
    promise.then(
      (value) => wait.succeed(value),
      (error) => wait.fail(error),
    )
  })
}
