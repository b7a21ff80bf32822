import { closeTimeout, requireOptions, timeLimit, whole } from '../base/check-options.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import type { Clock, ClockTimer } from '../base/time/clock.ts'
import { ResettableTimer, wheelOf } from '../base/time/timer-wheel.ts'
import { clientFor } from '../contract/client-for.ts'
import type { ClientOptions, MakeClient, ServiceOf } from '../contract/types.ts'
import { type CallOptions, checkPushOptions, type PushOptions, type TypedCallOptions } from '../message/call-options.ts'
import type { Reply } from '../message/reply.ts'
import { ReconnectSchedule } from '../session/reconnect-schedule.ts'
import { type Redial, RequestQueue, readRedial } from '../session/redial.ts'
import { engineOf, type Session } from '../session/session.ts'
import { parseAddress } from '../transports/address.ts'
import type { DialOptions } from './connect-options.ts'
import type { Endpoint } from './endpoint.ts'
import { LeastBusy } from './least-busy.ts'
import { Member } from './multi-client-member.ts'
import { checkDial, type MultiClientOptions, multiClientNames } from './multi-client-options.ts'
import { closed, waitForSession } from './multi-client-wait.ts'
import { settingsOf } from './settings-of.ts'

/**
 * Delays between dials that fail, as those of redial, so that more calls do not mean more dials to a server that is
 * down.
 */
const pauses = readRedial(true) as Redial
const MAX_SESSIONS = 10_000
const ignore = (): void => {}

/**
 * Many sessions with one address behind one `call` (docs/spec/plugins.md#many-sessions).
 *
 * Each call goes to the session with the fewest open calls. When all have `callsPerSession`, another one is dialled, up
 * to `max`; then calls wait, in order and within their deadline. A dead session gets no calls, and another one is
 * dialled when needed. Calls on it fail with 102, as on any session; they are not retried. Messages on different
 * sessions have no order.
 *
 * @example
 * const client = new MultiClient(endpoint, 'tcp://127.0.0.1:9090', { min: 2, max: 16, dial: { redial: true } })
 * const sums = await Promise.all(lists.map((list) => client.call<number>('/math/add', list)))
 * await client.close()
 */
export class MultiClient {
  /** The endpoint that dials. */
  readonly endpoint: Endpoint
  /** The address that is dialled. */
  readonly url: string
  /** The methods of a service or a controller as functions, as `Session.client` makes them. */
  readonly client = ((of: ServiceOf<unknown> | string, options?: ClientOptions) =>
    clientFor(this, settingsOf(this.endpoint).mapper, of, options)) as MakeClient
  readonly #min: number
  readonly #max: number
  readonly #callsPerSession: number
  readonly #idle: number
  readonly #dialOptions: DialOptions
  readonly #clock: Clock
  readonly #queue: RequestQueue
  /** Sessions, the oldest first. */
  readonly #members = new Set<Member>()
  /** Sessions that accept calls, as far as is known. One that does not is found when it is chosen. */
  readonly #free = new LeastBusy<Member>()
  /** Sessions that are closing, as far as is known. */
  readonly #closing = new Set<Member>()
  /** Iterates over the sessions again and again, one step whenever calls wait. */
  #cursor = this.#members.values()
  readonly #dials = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  readonly #idleTimer: ResettableTimer
  /** Runs after a failed dial. Not on the timer wheel, which lets the process end, while calls wait for this timer. */
  #pause: ClockTimer | undefined
  /** Times the dials since one failed, or its connection did not hold. */
  #schedule: ReconnectSchedule | undefined
  /** The session that was dialled last. */
  #newest: Session | undefined
  #closed: Promise<void> | undefined

  /**
   * Makes a client, which dials `min` sessions at once.
   *
   * @throws TypeError or RangeError for a bad URL or options
   */
  constructor(endpoint: Endpoint, url: string, options: MultiClientOptions = {}) {
    const address = parseAddress(url)
    requireOptions('options', options, multiClientNames)
    const settings = settingsOf(endpoint)
    checkDial(options.dial, settings, endpoint.transport.kind, address)
    this.endpoint = endpoint
    this.#clock = settings.clock
    this.#idleTimer = new ResettableTimer(wheelOf(settings.clock), () => this.#closeIdle())
    this.url = url
    this.#max = whole('max', options.max ?? 8, 1, MAX_SESSIONS)
    this.#min = whole('min', options.min ?? 0, 0, this.#max)
    this.#callsPerSession = whole('callsPerSession', options.callsPerSession ?? 64, 1, Number.MAX_SAFE_INTEGER)
    this.#idle = timeLimit('idle', options.idle, 60_000)
    this.#dialOptions = { ...options.dial, signal: this.#abort.signal }
    const maxWaiting = whole('maxWaiting', options.maxWaiting ?? settings.limits.maxRunning, 0, Number.MAX_SAFE_INTEGER)
    this.#queue = new RequestQueue(wheelOf(settings.clock), maxWaiting)
    this.#dialMissing()
  }

  /** Number of sessions that accept calls now. */
  get size(): number {
    return [...this.#members].filter(({ session }) => session.isOpen).length
  }

  /** Number of calls and pushes that wait for a session. */
  get waiting(): number {
    return this.#queue.size
  }

  /** Number of calls without a reply yet, without those that wait. */
  get pendingCalls(): number {
    return [...this.#members].reduce((sum, { load }) => sum + load, 0)
  }

  /**
   * Calls `method` on the least busy session, as `Session.call`.
   *
   * @throws StatusError (rejects) what `Session.call` fails with; 100 when no session could be dialled, 408 when none
   *   was free within the deadline, 102 when too many wait or the client is closed
   * @throws TypeError or RangeError (rejects) that names a bad option
   */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  call<T>(method: string, arg?: unknown, options?: CallOptions): Promise<T> {
    return this.#use(method, true, options, (session, rest) => session.call<T>(method, arg, rest))
  }

  /**
   * Calls `method` as `call` does, and resolves to the reply's body, meta and codec.
   *
   * @throws StatusError, TypeError or RangeError (rejects) as `call`
   */
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  callReply<T>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>> {
    return this.#use(method, true, options, (session, rest) => session.callReply<T>(method, arg, rest))
  }

  /**
   * Sends a push on the least busy session, as `Session.push`. It waits only while there is no session, within the
   * deadline of a call.
   *
   * @throws StatusError (rejects) as `call`
   */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    const member = this.#leastBusy(Number.POSITIVE_INFINITY)
    if (member !== undefined) return member.session.push(method, arg, options)
    const sent = new Promise<void>((resolve) => {
      if (options !== undefined) checkPushOptions(options)
      resolve(this.#use(method, false, options, (session) => session.push(method, arg, options)))
    })
    sent.catch(ignore) // as for a session's push, a rejection need not be handled
    return sent
  }

  /**
   * Closes the client: accepts no more calls, fails those that wait with 102, and closes all sessions as
   * `Session.close` does.
   *
   * @param options.timeout milliseconds to wait for open calls; default: the endpoint's `closeTimeout`
   * @throws RangeError for a bad timeout; TypeError for other options
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    closeTimeout(options, 0)
    this.#closed ??= this.#close(options)
    return this.#closed
  }

  async #close(options?: { timeout?: number | undefined }): Promise<void> {
    this.#abort.abort(new Error('the client was closed'))
    this.#idleTimer.stop()
    if (this.#pause !== undefined) this.#schedule?.end()
    this.#clock.clearTimeout(this.#pause)
    this.#queue.fail(closed())
    await Promise.all([...[...this.#members].map(({ session }) => session.close(options)), ...this.#dials])
  }

  /**
   * Runs `start` on a session with capacity, at once or as soon as there is one.
   *
   * @param start called with the options, whose timeout is what is left then
   */
  #use<T>(
    method: string,
    isCall: boolean,
    options: CallOptions | undefined,
    start: (session: Session, options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    if (this.#queue.size === 0) {
      const member = this.#leastBusy(this.#callsPerSession)
      if (member !== undefined) return this.#start(member, options, start)
    }
    const run = (rest: CallOptions): Promise<T> => this.#start(this.#leastBusy(this.#callsPerSession) as Member, rest, start)
    const made = waitForSession(this.#queue, settingsOf(this.endpoint), this.#abort.signal.aborted, method, isCall, options, run)
    this.#dialMissing()
    return made
  }

  #start<T>(
    member: Member,
    options: CallOptions | undefined,
    start: (session: Session, options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    this.#free.change(member, 1)
    const result = start(member.session, options)
    const ended = (): void => this.#ended(member)
    result.then(ended, ended)
    return result
  }

  #ended(member: Member): void {
    this.#free.change(member, -1)
    if (member.load === 0) {
      member.idleSince = this.#clock.now()
      this.#watchIdle()
    }
    if (this.#queue.size > 0) this.#serve()
  }

  /**
   * Finds the session with the fewest open calls that accepts calls and has fewer than `limit`; undefined when there is
   * none.
   */
  #leastBusy(limit: number): Member | undefined {
    for (let member = this.#free.first; member !== undefined && member.load < limit; member = this.#free.first) {
      if (member.session.isOpen) return member
      this.#setAside(member)
    }
    return undefined
  }

  /** Removes a session from those that accept calls. A session that reconnects is added again. */
  #setAside(member: Member): void {
    this.#free.remove(member)
    if (member.session.state === 'closing') this.#closing.add(member)
  }

  /** Checks one more session, which may be closing without having been chosen. */
  #checkNext(): void {
    const { value } = this.#cursor.next()
    if (value === undefined) this.#cursor = this.#members.values()
    else if (value.session.state === 'closing') this.#setAside(value)
  }

  /** Runs waiting calls while there is capacity. */
  #serve(): void {
    while (this.#queue.size > 0 && this.#leastBusy(this.#callsPerSession) !== undefined) this.#queue.next()
    this.#dialMissing()
  }

  /** Dials the missing sessions: up to `min`, and those that waiting calls could use. */
  #dialMissing(): void {
    if (this.#abort.signal.aborted || this.#pause !== undefined) return
    // A closing session accepts no calls, and its connection will be closed.
    if (this.#queue.size > 0) this.#checkNext()
    const live = this.#members.size - this.#closing.size
    const wanted = Math.max(this.#min - live, Math.ceil(this.#queue.size / this.#callsPerSession))
    const room = this.#max - live
    for (let dialling = this.#dials.size; dialling < wanted && dialling < room; dialling++) {
      const dial = this.#dial().finally(() => {
        this.#dials.delete(dial)
        this.#serve()
      })
      this.#dials.add(dial)
    }
  }

  async #dial(): Promise<void> {
    let session: Session
    await undefined // calls of one turn wait for the same dial
    const { added } = this.#queue
    try {
      session = await this.endpoint.dial(this.url, this.#dialOptions)
    } catch (error) {
      this.#onDialFailed(error, added)
      return
    }
    if (this.#abort.signal.aborted) await session.close()
    else this.#add(session)
  }

  /**
   * Handles a failed dial. Waiting calls wait for other sessions, or fail when there are none.
   *
   * @param added calls and pushes queued before the dial began: only these fail with it, later ones wait for the next
   *   dial
   */
  #onDialFailed(error: unknown, added: number): void {
    if (this.#abort.signal.aborted) return
    const own = error instanceof StatusError && error.code !== Code.DialFailed
    const cause = error instanceof StatusError ? error.cause : reasonOf(error)
    if (this.#members.size === 0)
      this.#queue.fail(
        own ? error : new StatusError(Code.WrongConnection, statusText(Code.WrongConnection), cause, { stack: false }),
        added,
      )
    if (own && error.code === Code.ConnectionClosed) {
      void this.close() // the endpoint is closed
      return
    }
    this.#waitForNext()
  }

  /** Delays the next dial, the longer the more dials have failed since a connection held. */
  #waitForNext(): void {
    if (this.#pause !== undefined || this.#abort.signal.aborted) return // another one failed before
    if (this.#newest !== undefined && engineOf(this.#newest).stable) this.#schedule = undefined
    this.#newest = undefined
    if (this.#schedule === undefined) this.#schedule = new ReconnectSchedule(pauses, this.url, this.#clock.now(), this.#clock)
    else this.#schedule.again()
    this.#await(this.#schedule)
  }

  #await(schedule: ReconnectSchedule): void {
    const left = schedule.delay(this.#clock.now())
    if (left > 0) {
      this.#pause = this.#clock.setTimeout(() => this.#await(schedule), left)
      return
    }
    this.#pause = undefined
    schedule.end()
    this.#dialMissing()
  }

  #add(session: Session): void {
    this.#newest = session
    if (session.state === 'closed') {
      this.#waitForNext()
      return
    }
    const member = new Member(session, this.#clock.now())
    this.#members.add(member)
    this.#free.add(member)
    session.on('redialed', () => {
      if (this.#members.has(member) && !this.#free.has(member)) this.#free.add(member)
      this.#serve()
    })
    session.once('close', (reason) => {
      this.#drop(member)
      // A session lost as soon as it was made must not be replaced without a delay.
      if (reason !== undefined && !engineOf(session).stable) this.#waitForNext()
      this.#dialMissing()
    })
    this.#watchIdle()
  }

  #drop(member: Member): void {
    this.#members.delete(member)
    this.#closing.delete(member)
    this.#free.remove(member)
  }

  #watchIdle(): void {
    if (this.#idle === 0 || this.#idleTimer.active || this.#members.size <= this.#min || this.#abort.signal.aborted) return
    this.#idleTimer.start(this.#idle)
  }

  #closeIdle(): void {
    const now = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    // The youngest sessions first.
    for (const member of [...this.#members].reverse()) {
      if (this.#members.size <= this.#min) return
      const { session, load, idleSince } = member
      if (load > 0) continue
      const left = idleSince + this.#idle - now
      if (left > 0 || session.running > 0) {
        next = Math.min(next, left > 0 ? left : this.#idle)
      } else {
        this.#drop(member)
        void session.close()
      }
    }
    if (next !== Number.POSITIVE_INFINITY) this.#idleTimer.start(next)
  }
}
