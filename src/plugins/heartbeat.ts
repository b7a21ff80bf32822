import { duration, flag, optionNames, requireOptions } from '../base/check-options.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import { type ClockTimer, immediate } from '../base/time/clock.ts'
import type { EndpointSession, Plugin, PluginEndpoint } from '../hooks/plugin.ts'

/**
 * Service method of heartbeats. It does not depend on the mapper, because otherwise another mapper would break
 * heartbeats, as in Go (docs/spec/go-defects.md W23).
 */
const METHOD = '/heartbeat'
/** Meta key of the rate: decimal seconds between two heartbeats. */
const RATE = 'hb_'
const MIN_SECONDS = 3
/**
 * Default interval in milliseconds: well below the minute after which many load balancers and NATs drop a silent
 * connection, and below the 30 seconds of Go over QUIC.
 */
const INTERVAL = 25_000
/**
 * Number of checks per interval. Time is counted in checks, so that a stall of the event loop counts as one check,
 * however long it was.
 */
const CHECKS_PER_INTERVAL = 4
/** Milliseconds between two checks of a pong. */
const PONG_CHECK_MS = 500

/** Options of `heartbeatPing`. */
export interface HeartbeatPingOptions {
  /**
   * Milliseconds without a message after which a heartbeat is sent. The heartbeat says whole seconds, at least 3, as Go
   * requires. Default: 25,000.
   */
  interval?: number | undefined
  /**
   * Whether heartbeats are CALLs, whose missing replies reveal a dead peer. Otherwise they are PUSHes, which reveal
   * nothing. Default: true.
   */
  call?: boolean | undefined
}

/** The plugin that `heartbeatPing` makes. */
export interface HeartbeatPing extends Plugin {
  /**
   * Replaces the options, from the next heartbeat on. Options that are not given get their defaults.
   *
   * @throws TypeError or RangeError for bad options; the old ones then stay
   */
  setOptions(options: HeartbeatPingOptions): void
}

/** Options of `heartbeatPong`. */
export interface HeartbeatPongOptions {
  /**
   * Milliseconds of silence after which a session that has sent a rate is closed, even if its own rate allows more.
   * Default: unlimited.
   */
  maxSilence?: number | undefined
}

/** Activity of one session. Times are numbers of checks. */
interface PeerActivity {
  /** `activity` of the session at the last check. When it has changed, bytes were received. */
  activity: number
  /** Check at which bytes were received last. */
  read: number
  /** `lastSeq` at the last check. When it has changed, a CALL or PUSH was sent. */
  seq: number
  wrote: number
  /** Check at which the last heartbeat was sent. */
  beat: number
  /** Check at which the first heartbeat was sent since anything was received; -1 for none. */
  asked: number
  /** Number of checks without activity after which the session is closed (pong). */
  limit: number
}

/** Checks the sessions of one endpoint with one timer. */
class Watch {
  readonly #activities = new WeakMap<object, PeerActivity>()
  readonly #endpoint: PluginEndpoint
  readonly #check: (session: EndpointSession, now: number) => void
  #timer: ClockTimer | undefined
  #now = 0

  constructor(endpoint: PluginEndpoint, look: (session: EndpointSession, now: number) => void) {
    this.#endpoint = endpoint
    this.#check = look
  }

  start(period: number): void {
    this.stop()
    this.#wait(Math.max(1, period))
  }

  #wait(period: number): void {
    const timer = this.#endpoint.clock.setTimeout(() => {
      this.#wait(period)
      // A late timer runs before the reads that waited with it, so those are handled first
      // (docs/spec/behaviour.md#stalls).
      const next = this.#timer
      immediate(() => this.#timer === next && this.#checkAll())
    }, period)
    timer.unref()
    this.#timer = timer
  }

  get active(): boolean {
    return this.#timer !== undefined
  }

  stop(): void {
    this.#endpoint.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  find(session: object): PeerActivity | undefined {
    return this.#activities.get(session)
  }

  begin(session: EndpointSession): PeerActivity {
    const now = this.#now
    const times = { activity: session.activity, read: now, seq: session.lastSeq, wrote: now, beat: now, asked: -1, limit: Infinity }
    this.#activities.set(session, times)
    return times
  }

  #checkAll(): void {
    this.#now++
    for (const session of this.#endpoint.sessions()) {
      if (session.isOpen) this.#check(session, this.#now)
      else this.#reset(session)
    }
  }

  /** Restarts the times of a session without a connection, which is silent anyway. */
  #reset(session: EndpointSession): void {
    const times = this.#activities.get(session)
    if (times === undefined) return
    times.read = times.wrote = times.beat = this.#now
    times.asked = -1
  }
}

/** Updates the times of a session from its counters. */
function update(times: PeerActivity, session: EndpointSession, now: number): void {
  const { activity } = session
  if (times.activity !== activity) {
    times.activity = activity
    times.read = now
    times.asked = -1
  }
  if (times.seq !== session.lastSeq) {
    times.seq = session.lastSeq
    times.wrote = now
  }
}

/** The watches of all endpoints that have the plugin. */
function watches(): { all: Map<PluginEndpoint, Watch>; end(endpoint: PluginEndpoint): void } {
  const all = new Map<PluginEndpoint, Watch>()
  return {
    all,
    end(endpoint) {
      all.get(endpoint)?.stop()
      all.delete(endpoint)
    },
  }
}

/**
 * Go's plugin `heart-ping` (docs/spec/plugins.md#heartbeat): keeps all sessions of the endpoint alive, in both
 * directions, and detects dead peers.
 *
 * A session that received nothing, or sent no CALL or PUSH, for `interval` sends a heartbeat. A session that received
 * nothing for two intervals after a heartbeat is closed, and its open calls fail with 102. Any reply counts, also 404.
 *
 * Any received byte counts as activity, so that a large message may take its time; `limits.frameTimeout` limits it. A
 * peer that takes our backlog counts as active too, and so does a session that this side does not read.
 *
 * @throws TypeError or RangeError for bad options
 */
export function heartbeatPing(options: HeartbeatPingOptions = {}): HeartbeatPing {
  let { interval, call, meta } = readOptions(options)
  const { all, end } = watches()
  const sendHeartbeat = (session: EndpointSession): void => {
    // The reply shows up as activity of the session.
    if (call) session.call(METHOD, undefined, { meta, timeout: interval }).catch(() => {})
    else void session.push(METHOD, undefined, { meta })
  }
  return {
    name: 'heart-ping',
    setOptions(next) {
      ;({ interval, call, meta } = readOptions(next))
      for (const watch of all.values()) watch.start(interval / CHECKS_PER_INTERVAL)
    },
    afterNewEndpoint(endpoint) {
      const watch = new Watch(endpoint, (session, now) => {
        const times = watch.find(session) ?? watch.begin(session)
        update(times, session, now)
        // Activity noted at a check happened up to one check before.
        if (times.asked >= 0 && now - times.asked >= CHECKS_PER_INTERVAL && now - times.read >= 2 * CHECKS_PER_INTERVAL - 1) {
          session.destroy(`the peer was silent for two heartbeats of ${interval} ms`)
        } else if (now - Math.min(times.read, times.wrote) >= CHECKS_PER_INTERVAL - 1 && now - times.beat >= CHECKS_PER_INTERVAL - 1) {
          sendHeartbeat(session)
          times.seq = session.lastSeq
          times.beat = times.wrote = now
          if (call && times.asked < 0) times.asked = now
        }
      })
      all.set(endpoint, watch)
      watch.start(interval / CHECKS_PER_INTERVAL)
    },
    beforeCloseEndpoint: end,
  }
}

const ofPing = optionNames<HeartbeatPingOptions>({ interval: true, call: true })

function readOptions(options: HeartbeatPingOptions): { interval: number; call: boolean; meta: Record<string, string> } {
  requireOptions('options', options, ofPing)
  const interval = duration('interval', options.interval, INTERVAL, 1)
  const seconds = Math.max(MIN_SECONDS, Math.ceil(interval / 1000))
  return { interval, call: flag('call', options.call, true), meta: { [RATE]: String(seconds) } }
}

const ofPong = optionNames<HeartbeatPongOptions>({ maxSilence: true })

/**
 * Go's plugin `heart-pong` (docs/spec/plugins.md#heartbeat): answers heartbeats, and closes a session that sent a
 * heartbeat and then was silent for twice the time that it named. CALLs and PUSHes sent to the peer count as activity
 * too, because a Go peer sends no heartbeat while it receives some. Sessions that never sent a heartbeat are never
 * closed.
 *
 * @throws TypeError or RangeError for bad options
 */
export function heartbeatPong(options: HeartbeatPongOptions = {}): Plugin {
  requireOptions('options', options, ofPong)
  const maxSilence = duration('maxSilence', options.maxSilence, Infinity, 1)
  const period = Math.min(PONG_CHECK_MS, maxSilence / CHECKS_PER_INTERVAL)
  const { all, end } = watches()
  return {
    name: 'heart-pong',
    afterNewEndpoint(endpoint) {
      const watch = new Watch(endpoint, (session, now) => {
        const times = watch.find(session)
        if (times === undefined) return
        update(times, session, now)
        if (now - Math.max(times.read, times.wrote) >= times.limit) session.destroy('the peer was silent for two heartbeats')
      })
      all.set(endpoint, watch)
      const answer = (_: unknown, ctx: unknown): void => {
        const { session, meta } = ctx as { session: EndpointSession; meta: Readonly<Record<string, string>> }
        const text = meta[RATE] ?? ''
        const seconds = parseRate(text)
        if (seconds > 0) {
          const times = watch.find(session) ?? watch.begin(session)
          times.limit = Math.ceil(Math.min(2000 * seconds, maxSilence) / period)
          times.activity = Number.NaN // so that the next check counts this heartbeat as activity
          if (!watch.active && all.get(endpoint) === watch) watch.start(period)
        } else if (seconds < 0 && watch.find(session) === undefined) {
          throw new StatusError(Code.BadMessage, 'invalid heartbeat rate', text, { stack: false })
        }
      }
      endpoint.routeCall(METHOD, answer)
      endpoint.routePush(METHOD, answer)
    },
    beforeCloseEndpoint: end,
  }
}

/** Parses the rate in seconds: 0 for none, -1 for a negative one and for text that Go's `Atoi` rejects. */
function parseRate(text: string): number {
  if (text === '') return 0
  // `Atoi` parses 64-bit integers.
  if (!/^[+-]?[0-9]+$/.test(text) || text.length > 32 || BigInt(text.replace('+', '')) >= 2n ** 63n) return -1
  return Math.max(-1, Number(text))
}
