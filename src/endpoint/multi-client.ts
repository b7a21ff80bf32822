import { forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { duration, requireOptions, requireText, timeLimit, whole } from '../base/check-options.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import type { Clock, ClockTimer } from '../base/time/clock.ts'
import { ResettableTimer, wheelOf } from '../base/time/timer-wheel.ts'
import { type CallOptions, checkCallOptions, checkPushOptions, type PushOptions, type TypedCallOptions } from '../message/call-options.ts'
import type { Reply } from '../message/reply.ts'
import type { Settings } from '../session/options.ts'
import { canceled } from '../session/pending-call.ts'
import { ReconnectSchedule } from '../session/reconnect-schedule.ts'
import { type Redial, RequestQueue, readRedial } from '../session/redial.ts'
import { engineOf, type Session } from '../session/session.ts'
import { parseAddress } from '../transports/address.ts'
import { readSocketOptions } from '../transports/socket-options.ts'
import type { DialOptions } from './connect-options.ts'
import { type Endpoint, settingsOf } from './endpoint.ts'
import { LeastBusy, Worker } from './least-busy.ts'

export interface MultiClientOptions {
  /** Sessions that are kept open whatever is called, 0 to `max`. Default 0: the first call dials. */
  min?: number | undefined
  /** Sessions at most, up to 10,000. Default 8. */
  max?: number | undefined
  /** Calls that one session has open at a time; beyond it another session is dialled, or waited for. Default 64. */
  callsPerSession?: number | undefined
  /** Calls and pushes that may wait for a session; further ones fail with 102. Default: the endpoint's `limits.maxRunning`. */
  maxWaiting?: number | undefined
  /** Milliseconds without a call after which a session beyond `min` is closed, gracefully. Default 60,000; 0 or Infinity means never. */
  idle?: number | undefined
  /**
   * How sessions are dialled. With `redial` they outlive their connections, and the first connection is tried until `dial.timeout`; without it
   * (default: as the endpoint says) a session that is lost is replaced by another one.
   */
  dial?: Omit<DialOptions, 'signal'> | undefined
}

/** Its load are calls of ours without a reply yet. */
class Member extends Worker {
  readonly session: Session
  /** By the endpoint's clock, when the last of them ended. */
  idleSince: number

  constructor(session: Session, now: number) {
    super()
    this.session = session
    this.idleSince = now
  }
}

/** Pauses between dials that fail, as those of redial: a server that is gone is not asked more often for being called more. */
const pauses = readRedial(true) as Redial
const MAX_SESSIONS = 10_000
const known = new Set(['min', 'max', 'callsPerSession', 'maxWaiting', 'idle', 'dial'])
const dialOptions = new Set(['protocol', 'redial', 'socket', 'timeout'])
const ignore = (): void => {}

/**
 * Many sessions with one address behind one `call` (docs/spec/plugins.md#many-sessions): each call goes to the session that has the fewest open. When all have
 * `callsPerSession`, another one is dialled, up to `max`; then calls wait, in order and within their deadline. A dead session is given no call,
 * and one is dialled in its place when it is needed. Calls on it fail with 102, as on any session: they are not made twice. What is sent on
 * different sessions has no order.
 *
 * @example
 * const client = new MultiClient(endpoint, 'tcp://127.0.0.1:9090', { min: 2, max: 16, dial: { redial: true } })
 * const sums = await Promise.all(lists.map((list) => client.call<number>('/math/add', list)))
 * await client.close()
 */
export class MultiClient {
  readonly endpoint: Endpoint
  readonly url: string
  readonly #min: number
  readonly #max: number
  readonly #callsPerSession: number
  readonly #idle: number
  readonly #dialOptions: DialOptions
  readonly #clock: Clock
  readonly #room: RequestQueue
  /** The oldest first. */
  readonly #members = new Set<Member>()
  /** Those that take calls, as far as is known: who does not is found out when it has its turn. */
  readonly #free = new LeastBusy<Member>()
  /** Those that are closing, as far as is known. */
  readonly #closing = new Set<Member>()
  /** Goes round the members, one step whenever calls wait for room. */
  #hand = this.#members.values()
  readonly #dials = new Set<Promise<void>>()
  readonly #abort = new AbortController()
  readonly #idleAlarm: ResettableTimer
  /** Runs after a dial that failed. Not on the wheel: what waits for its end keeps the process alive. */
  #pause: ClockTimer | undefined
  /** Of dials that failed, or whose connections did not hold, one after the other. */
  #comeback: ReconnectSchedule | undefined
  /** The session that was dialled last. */
  #newest: Session | undefined
  #closed: Promise<void> | undefined

  /** @throws TypeError, RangeError for a bad url or options */
  constructor(endpoint: Endpoint, url: string, options: MultiClientOptions = {}) {
    parseAddress(url)
    requireOptions('options', options, known)
    const settings = settingsOf(endpoint)
    checkDial(options.dial, settings)
    this.endpoint = endpoint
    this.#clock = settings.clock
    this.#idleAlarm = new ResettableTimer(wheelOf(settings.clock), () => this.#closeIdle())
    this.url = url
    this.#max = whole('max', options.max ?? 8, 1, MAX_SESSIONS)
    this.#min = whole('min', options.min ?? 0, 0, this.#max)
    this.#callsPerSession = whole('callsPerSession', options.callsPerSession ?? 64, 1, Number.MAX_SAFE_INTEGER)
    this.#idle = timeLimit('idle', options.idle, 60_000)
    this.#dialOptions = { ...options.dial, signal: this.#abort.signal }
    const maxWaiting = whole('maxWaiting', options.maxWaiting ?? settings.limits.maxRunning, 0, Number.MAX_SAFE_INTEGER)
    this.#room = new RequestQueue(wheelOf(settings.clock), maxWaiting)
    this.#grow()
  }

  /** Sessions that take calls now. */
  get size(): number {
    return [...this.#members].filter(({ session }) => session.isOpen).length
  }

  /** Calls and pushes that wait for a session. */
  get waiting(): number {
    return this.#room.size
  }

  /** Calls without a reply yet, those that wait aside. */
  get pendingCalls(): number {
    return [...this.#members].reduce((sum, { load }) => sum + load, 0)
  }

  /**
   * As `Session.call`, on the session that is least busy.
   * @throws StatusError (rejects): what `Session.call` fails with; 100 when no session could be dialled, 408 when none was free within the
   *   deadline, 102 when too many wait or the client is closed
   */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  call<T>(method: string, arg?: unknown, options?: CallOptions): Promise<T> {
    return this.#use(options, (session, rest) => session.call<T>(method, arg, rest))
  }

  /** The same, resolving to the reply's body, meta and codec. */
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  callReply<T>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>> {
    return this.#use(options, (session, rest) => session.callReply<T>(method, arg, rest))
  }

  /** As `Session.push`. It waits only while there is no session at all, as long as a call would. */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    const member = this.#leastBusy(Number.POSITIVE_INFINITY)
    if (member !== undefined) return member.session.push(method, arg, options)
    const sent = new Promise<void>((resolve) => {
      if (options !== undefined) checkPushOptions(options)
      resolve(this.#use(undefined, (session) => session.push(method, arg, options)))
    })
    sent.catch(ignore) // as on a session, nobody need look
    return sent
  }

  /**
   * Takes no more calls, fails those that wait with 102, and closes all sessions as `Session.close` does.
   * @param options.timeout milliseconds for open calls; default: the endpoint's `closeTimeout`
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    duration('timeout', options?.timeout, 0, 0)
    this.#closed ??= this.#close(options)
    return this.#closed
  }

  async #close(options?: { timeout?: number | undefined }): Promise<void> {
    this.#abort.abort(new Error('the client was closed'))
    this.#idleAlarm.stop()
    if (this.#pause !== undefined) this.#comeback?.end()
    this.#clock.clearTimeout(this.#pause)
    this.#room.fail(closed())
    await Promise.all([...[...this.#members].map(({ session }) => session.close(options)), ...this.#dials])
  }

  /** Runs `start` on a session with room for it, at once or as soon as there is one. `start` gets the options that are left then. */
  #use<T>(options: CallOptions | undefined, start: (session: Session, options: CallOptions | undefined) => Promise<T>): Promise<T> {
    if (this.#room.size === 0) {
      const member = this.#leastBusy(this.#callsPerSession)
      if (member !== undefined) return this.#start(member, options, start)
    }
    return new Promise((resolve, reject) => {
      if (options !== undefined) checkCallOptions(options)
      const timeout = timeLimit('timeout', options?.timeout, settingsOf(this.endpoint).timeout)
      const signal = options?.signal
      if (this.#abort.signal.aborted) throw closed()
      if (signal?.aborted) throw canceled(signal)
      const run = (waited: number): void => {
        if (signal !== undefined) forgetAbort(signal, abort)
        const left = timeout === 0 ? 0 : Math.max(timeout - waited, 1)
        resolve(this.#start(this.#leastBusy(this.#callsPerSession) as Member, { ...options, timeout: left }, start))
      }
      const fail = (error: StatusError): void => {
        if (signal !== undefined) forgetAbort(signal, abort)
        reject(error)
      }
      const leave = this.#room.add(timeout, run, fail)
      const abort = {
        onAbort(fired: AbortSignal): void {
          leave()
          reject(canceled(fired))
        },
      }
      if (signal !== undefined) whenAborted(signal, abort)
      this.#grow()
    })
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
    if (this.#room.size > 0) this.#serve()
  }

  /** The session with the fewest open calls, of those that take calls and have less than `limit`. */
  #leastBusy(limit: number): Member | undefined {
    for (let member = this.#free.first; member !== undefined && member.load < limit; member = this.#free.first) {
      if (member.session.isOpen) return member
      this.#rest(member)
    }
    return undefined
  }

  /** It takes no calls, unless it is dialled anew. */
  #rest(member: Member): void {
    this.#free.remove(member)
    if (member.session.state === 'closing') this.#closing.add(member)
  }

  /** Looks at one more of the members, which may be closing without having had its turn. */
  #glance(): void {
    const { value } = this.#hand.next()
    if (value === undefined) this.#hand = this.#members.values()
    else if (value.session.state === 'closing') this.#rest(value)
  }

  /** Runs what waits, as far as there is room. */
  #serve(): void {
    while (this.#room.size > 0 && this.#leastBusy(this.#callsPerSession) !== undefined) this.#room.next()
    this.#grow()
  }

  /** Dials as many sessions as are missing: `min` of them, and what those that wait could use. */
  #grow(): void {
    if (this.#abort.signal.aborted || this.#pause !== undefined) return
    // What is closing takes no calls any more, and its connection will be gone.
    if (this.#room.size > 0) this.#glance()
    const live = this.#members.size - this.#closing.size
    const wanted = Math.max(this.#min - live, Math.ceil(this.#room.size / this.#callsPerSession))
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
    const { added } = this.#room
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
   * What waits can hope for other sessions, or is told.
   * @param added calls and pushes that had waited when the dial began: it tells nothing of the time after, and the next dial serves the others
   */
  #onDialFailed(error: unknown, added: number): void {
    if (this.#abort.signal.aborted) return
    const own = error instanceof StatusError && error.code !== Code.DialFailed
    const cause = error instanceof StatusError ? error.cause : reasonOf(error)
    if (this.#members.size === 0)
      this.#room.fail(own ? error : new StatusError(Code.WrongConnection, statusText(Code.WrongConnection), cause, { stack: false }), added)
    if (own && error.code === Code.ConnectionClosed) {
      void this.close() // the endpoint is closed
      return
    }
    this.#waitForNext()
  }

  /** The next dial waits, the longer the more came to nothing since one held. */
  #waitForNext(): void {
    if (this.#pause !== undefined || this.#abort.signal.aborted) return // another one failed before
    if (this.#newest !== undefined && engineOf(this.#newest).stable) this.#comeback = undefined
    this.#newest = undefined
    if (this.#comeback === undefined) this.#comeback = new ReconnectSchedule(pauses, this.url, this.#clock.now(), this.#clock)
    else this.#comeback.again()
    this.#await(this.#comeback)
  }

  #await(comeback: ReconnectSchedule): void {
    const left = comeback.delay(this.#clock.now())
    if (left > 0) {
      this.#pause = this.#clock.setTimeout(() => this.#await(comeback), left)
      return
    }
    this.#pause = undefined
    comeback.end()
    this.#grow()
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
      // Lost as soon as it was made: what dialled it must not dial at once again.
      if (reason !== undefined && !engineOf(session).stable) this.#waitForNext()
      this.#grow()
    })
    this.#watchIdle()
  }

  #drop(member: Member): void {
    this.#members.delete(member)
    this.#closing.delete(member)
    this.#free.remove(member)
  }

  #watchIdle(): void {
    if (this.#idle === 0 || this.#idleAlarm.active || this.#members.size <= this.#min || this.#abort.signal.aborted) return
    this.#idleAlarm.start(this.#idle)
  }

  #closeIdle(): void {
    const now = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    // The youngest first.
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
    if (next !== Number.POSITIVE_INFINITY) this.#idleAlarm.start(next)
  }
}

/** Here, since nobody is told of a dial that fails while nothing waits. */
function checkDial(dial: MultiClientOptions['dial'] = {}, settings: Settings): void {
  requireOptions('option dial', dial, dialOptions, 'dial.')
  readRedial(dial.redial)
  duration('timeout', dial.timeout, settings.dialTimeout, 1)
  requireText('protocol', dial.protocol)
  readSocketOptions('socket', dial.socket, settings.socket)
  if (dial.protocol !== undefined) settings.protocols.byName(dial.protocol)
}

function closed(): StatusError {
  return new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), 'the client was closed', { stack: false })
}
