import { Chain, type Link } from '../../base/collections/chain.ts'
import { Code, StatusError, statusText } from '../../base/errors/status.ts'
import { TimerEntry, type TimerWheel } from '../../base/time/timer-wheel.ts'
import { RETRY_AFTER } from '../../message/refusal.ts'
import { CLASSES } from './criticality.ts'

/** Limits of a gate, which may change at run time. */
export interface GateSettings {
  readonly max: number
  readonly maxQueued: number
  /** Milliseconds. */
  readonly queueTimeout: number
  readonly newestFirst: boolean
}

/** Counts of all gates together. */
export interface GateStats {
  /** Passed at once. */
  passed: number
  /** Waited first. */
  queued: number
  /** Refused because the queue was full. */
  refused: number
  /** Waiting ones that gave up their place to a more important one. */
  displaced: number
  /** Waiting ones whose time was over. */
  late: number
}

/** Weight of the newest interval in the mean. */
const SMOOTHING = 0.1

/** A place in the queue of a gate. */
export class Ticket extends TimerEntry {
  readonly gate: Gate
  readonly rank: number
  state: 'waiting' | 'granted' | 'refused' | 'left' = 'waiting'
  link: Link<Ticket> | undefined
  #error: StatusError | undefined
  #resolve: (() => void) | undefined
  #reject: ((error: StatusError) => void) | undefined

  constructor(gate: Gate, rank: number) {
    super()
    this.gate = gate
    this.rank = rank
  }

  /**
   * Waits for the place.
   *
   * @returns undefined when it is granted already
   * @throws StatusError (or rejects) 503 when it was refused
   */
  wait(): Promise<void> | undefined {
    if (this.state === 'granted') return undefined
    if (this.state === 'refused') throw this.#error
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  grant(): void {
    this.state = 'granted'
    this.#resolve?.()
  }

  refuse(error: StatusError): void {
    this.state = 'refused'
    this.#error = error
    this.#reject?.(error)
  }

  override expire(): void {
    this.gate.expire(this)
  }
}

/** Lets a number of messages pass at once. Others wait in a bounded queue, the most important class first. */
export class Gate {
  running = 0
  queued = 0
  readonly #settings: () => GateSettings
  readonly #stats: GateStats
  readonly #wheel: TimerWheel
  readonly #classes: readonly Chain<Ticket>[] = Array.from({ length: CLASSES }, () => new Chain<Ticket>())
  /** Mean milliseconds between two messages that end, while as many run as may; 0 when not known. */
  #interval = 0
  /** Time when one ended while as many ran as may; 0 when fewer ran since. */
  #endedAt = 0

  constructor(settings: () => GateSettings, stats: GateStats, wheel: TimerWheel) {
    this.#settings = settings
    this.#stats = stats
    this.#wheel = wheel
  }

  /**
   * Lets a message pass, or gives it a place in the queue.
   *
   * @param rank number of its class
   * @returns undefined when it passes; `release` must follow
   * @throws StatusError 503 when there is no place
   */
  enter(rank: number): Ticket | undefined {
    const { max, maxQueued, queueTimeout } = this.#settings()
    if (this.running < max && this.queued === 0) {
      this.running++
      this.#stats.passed++
      return undefined
    }
    if (this.queued >= maxQueued) this.#displace(rank)
    const ticket = new Ticket(this, rank)
    ticket.link = this.#classes[rank].add(ticket)
    this.queued++
    this.#stats.queued++
    this.#wheel.add(ticket, queueTimeout)
    return ticket
  }

  /** A message that passed is over. */
  readonly release = (): void => {
    const { max } = this.#settings()
    this.#measure(this.running >= max)
    this.running--
    this.advance()
  }

  /** A message with a place is over, or does not want it any more. */
  leave(ticket: Ticket): void {
    const { state } = ticket
    ticket.state = 'left'
    if (state === 'granted') this.release()
    else if (state === 'waiting') this.#remove(ticket)
  }

  /** Lets waiting messages pass, as many as may now. */
  advance(): void {
    const { max, newestFirst } = this.#settings()
    for (const tickets of this.#classes) {
      while (this.running < max) {
        const ticket = newestFirst ? tickets.last : tickets.first
        if (ticket === undefined) break
        this.#remove(ticket)
        this.running++
        ticket.grant()
      }
    }
  }

  /** Refuses a message that has waited for its time. */
  expire(ticket: Ticket): void {
    if (ticket.state !== 'waiting') return
    this.#remove(ticket)
    this.#stats.late++
    ticket.refuse(this.#refusal('no turn in time'))
  }

  /**
   * Makes room for a message by refusing the newest one of the least important class.
   *
   * @throws StatusError 503 when none is less important
   */
  #displace(rank: number): void {
    for (let other = CLASSES - 1; other > rank; other--) {
      const ticket = this.#classes[other].last
      if (ticket === undefined) continue
      this.#remove(ticket)
      this.#stats.displaced++
      ticket.refuse(this.#refusal('a more important call took its place'))
      return
    }
    this.#stats.refused++
    throw this.#refusal('too many calls are waiting')
  }

  #remove(ticket: Ticket): void {
    this.#classes[ticket.rank].remove(ticket.link as Link<Ticket>)
    this.queued--
    this.#wheel.remove(ticket)
  }

  #refusal(cause: string): StatusError {
    const retryAfter = this.#interval === 0 ? RETRY_AFTER : Math.ceil(Math.max(1, (this.queued + 1) * this.#interval))
    return new StatusError(Code.ServiceUnavailable, statusText(Code.ServiceUnavailable), cause, { stack: false, retryAfter })
  }

  #measure(isFull: boolean): void {
    if (!isFull) {
      this.#endedAt = 0
      return
    }
    const now = this.#wheel.now()
    if (this.#endedAt > 0) {
      const interval = Math.max(0, now - this.#endedAt)
      this.#interval += (interval - this.#interval) * (this.#interval === 0 ? 1 : SMOOTHING)
    }
    this.#endedAt = now
  }
}
