import { ReconnectSchedule as Schedule } from '../../session/reconnect-schedule.ts'
import { lastWake } from '../wake.ts'

/** Stands in for the schedule it extends: makes an attempt at once when the page returns or the network does. */
export class ReconnectSchedule extends Schedule {
  #seen = lastWake()

  override delay(now: number): number {
    const woken = lastWake()
    const usual = super.delay(now)
    if (woken === this.#seen) return usual
    this.#seen = woken
    return 0
  }
}
