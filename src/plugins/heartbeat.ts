import { duration, flag, requireOptions } from '../base/check-options.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import { type ClockTimer, immediate } from '../base/time/clock.ts'
import type { EndpointSession, Plugin, PluginEndpoint } from '../hooks/plugin.ts'

/** Literal in Go, whatever the mapper: a mapper that names routes otherwise must not break heartbeats (docs/spec/go-defects.md W23). */
const METHOD = '/heartbeat'
/** Decimal seconds between two heartbeats. */
const RATE = 'hb_'
const MIN_SECONDS = 3
/** Milliseconds: below the minute after which many balancers and address translators forget a silent connection. */
const INTERVAL = 30_000
/** Looks at the sessions in one interval. Time is counted in them: one in which the loop stood still is one, however long it took. */
const CHECKS_PER_INTERVAL = 4
/** Milliseconds between two looks of a pong. */
const PONG_LOOK = 500

export interface HeartbeatPingOptions {
  /** Milliseconds without a message after which one is sent. The peer is told whole seconds, at least 3, as Go wants it. Default 30,000. */
  interval?: number | undefined
  /** Heartbeats are CALLs, whose missing answers tell of a silent peer; false: PUSHes, which tell nothing. Default true. */
  call?: boolean | undefined
}

export interface HeartbeatPing extends Plugin {
  /** Replaces the options, from the next heartbeat on. */
  setOptions(options: HeartbeatPingOptions): void
}

export interface HeartbeatPongOptions {
  /** Milliseconds of silence after which a session that sent a rate is closed, though its own rate would allow more. Default: no limit. */
  maxSilence?: number | undefined
}

/** What is known of one session. Times are numbers of looks. */
interface PeerActivity {
  /** `heard` of the session at the last look: another one tells that bytes came. */
  activity: number
  /** They came. */
  read: number
  /** `lastSeq` at the last look: another one tells that a CALL or PUSH went out. */
  seq: number
  wrote: number
  /** The last heartbeat. */
  beat: number
  /** The first heartbeat since something came, or -1. */
  asked: number
  /** Looks without a byte that are too many (pong). */
  limit: number
}

/** Heartbeats of one endpoint: one timer, and what is known of its sessions. */
class Watch {
  readonly #lives = new WeakMap<object, PeerActivity>()
  readonly #endpoint: PluginEndpoint
  readonly #look: (session: EndpointSession, now: number) => void
  #timer: ClockTimer | undefined
  #now = 0

  constructor(endpoint: PluginEndpoint, look: (session: EndpointSession, now: number) => void) {
    this.#endpoint = endpoint
    this.#look = look
  }

  start(period: number): void {
    this.stop()
    this.#wait(Math.max(1, period))
  }

  #wait(period: number): void {
    const timer = this.#endpoint.clock.setTimeout(() => {
      this.#wait(period)
      // A late timer comes before the reads that waited with it: they are handled first (docs/spec/behaviour.md#stalls).
      const next = this.#timer
      immediate(() => this.#timer === next && this.#lookAtAll())
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
    return this.#lives.get(session)
  }

  begin(session: EndpointSession): PeerActivity {
    const now = this.#now
    const life = { activity: session.activity, read: now, seq: session.lastSeq, wrote: now, beat: now, asked: -1, limit: Infinity }
    this.#lives.set(session, life)
    return life
  }

  #lookAtAll(): void {
    this.#now++
    for (const session of this.#endpoint.sessions()) {
      if (session.isOpen) this.#look(session, this.#now)
      else this.#reset(session)
    }
  }

  /** A session without a connection is silent: when it goes on, its time begins anew. */
  #reset(session: EndpointSession): void {
    const life = this.#lives.get(session)
    if (life === undefined) return
    life.read = life.wrote = life.beat = this.#now
    life.asked = -1
  }
}

/** Notes what happened since the last look. */
function update(life: PeerActivity, session: EndpointSession, now: number): void {
  const { activity: heard } = session
  if (life.activity !== heard) {
    life.activity = heard
    life.read = now
    life.asked = -1
  }
  if (life.seq !== session.lastSeq) {
    life.seq = session.lastSeq
    life.wrote = now
  }
}

/** Of each endpoint that has the plugin. */
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
 * Go's plugin `heart-ping` (docs/spec/plugins.md#heartbeat): keeps every session of the endpoint alive, in both directions, and finds out which peers are
 * gone. A session that received nothing or sent no CALL or PUSH for `interval` sends a heartbeat; one that received nothing for two, though a
 * heartbeat asked for an answer, is closed, and its open calls fail with 102. Any answer will do, also 404.
 *
 * What counts is bytes, so that a large message may take its time: `limits.frameTimeout` is its limit. So is a backlog of ours that the peer takes, and a
 * session that this side does not read for reasons of its own.
 * @throws TypeError, RangeError for bad options
 */
export function heartbeatPing(options: HeartbeatPingOptions = {}): HeartbeatPing {
  let { interval, call, meta } = readOptions(options)
  const { all, end } = watches()
  const beat = (session: EndpointSession): void => {
    // Whether it was answered is seen in what is received.
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
        const life = watch.find(session) ?? watch.begin(session)
        update(life, session, now)
        // What was noted at a look happened up to one look before it.
        if (life.asked >= 0 && now - life.asked >= CHECKS_PER_INTERVAL && now - life.read >= 2 * CHECKS_PER_INTERVAL - 1) {
          session.destroy(`the peer was silent for two heartbeats of ${interval} ms`)
        } else if (now - Math.min(life.read, life.wrote) >= CHECKS_PER_INTERVAL - 1 && now - life.beat >= CHECKS_PER_INTERVAL - 1) {
          beat(session)
          life.seq = session.lastSeq
          life.beat = life.wrote = now
          if (call && life.asked < 0) life.asked = now
        }
      })
      all.set(endpoint, watch)
      watch.start(interval / CHECKS_PER_INTERVAL)
    },
    beforeCloseEndpoint: end,
  }
}

const ofPing: ReadonlySet<string> = new Set(['interval', 'call'])

function readOptions(options: HeartbeatPingOptions): { interval: number; call: boolean; meta: Record<string, string> } {
  requireOptions('options', options, ofPing)
  const interval = duration('interval', options.interval, INTERVAL, 1)
  const seconds = Math.max(MIN_SECONDS, Math.ceil(interval / 1000))
  return { interval, call: flag('call', options.call, true), meta: { [RATE]: String(seconds) } }
}

const ofPong: ReadonlySet<string> = new Set(['maxSilence'])

/**
 * Go's plugin `heart-pong` (docs/spec/plugins.md#heartbeat): answers heartbeats, and closes a session that sent one and then nothing for twice the
 * time it named. CALLs and PUSHes to it count too: a peer written in Go sends no heartbeat while it gets some. Sessions that never sent a
 * heartbeat are left alone.
 * @throws TypeError, RangeError for bad options
 */
export function heartbeatPong(options: HeartbeatPongOptions = {}): Plugin {
  requireOptions('options', options, ofPong)
  const maxSilence = duration('maxSilence', options.maxSilence, Infinity, 1)
  const period = Math.min(PONG_LOOK, maxSilence / CHECKS_PER_INTERVAL)
  const { all, end } = watches()
  return {
    name: 'heart-pong',
    afterNewEndpoint(endpoint) {
      const watch = new Watch(endpoint, (session, now) => {
        const life = watch.find(session)
        if (life === undefined) return
        update(life, session, now)
        if (now - Math.max(life.read, life.wrote) >= life.limit) session.destroy('the peer was silent for two heartbeats')
      })
      all.set(endpoint, watch)
      const answer = (_: unknown, ctx: unknown): void => {
        const { session, meta } = ctx as { session: EndpointSession; meta: Readonly<Record<string, string>> }
        const text = meta[RATE] ?? ''
        const seconds = parseRate(text)
        if (seconds > 0) {
          const life = watch.find(session) ?? watch.begin(session)
          life.limit = Math.ceil(Math.min(2000 * seconds, maxSilence) / period)
          life.activity = Number.NaN // this one came
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

/** 0 for none, -1 for what Go's Atoi refuses and for what is negative. */
function parseRate(text: string): number {
  if (text === '') return 0
  // Atoi's are of 64 bits.
  if (!/^[+-]?[0-9]+$/.test(text) || text.length > 32 || BigInt(text.replace('+', '')) >= 2n ** 63n) return -1
  return Math.max(-1, Number(text))
}
