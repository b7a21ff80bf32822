import { randomBytes } from 'node:crypto'
import { runInRoot } from '../../../base/async/root-context.ts'
import { immediate } from '../../../base/time/clock.ts'
import { ResettableTimer, type TimerWheel } from '../../../base/time/timer-wheel.ts'
import { hasFecHeader, KcpConversation } from '../../../wire/kcp/conversation.ts'
import { Wanted } from '../../../wire/kcp/machine.ts'
import { Command, distance, type Header, MARK, OVERHEAD, readHeader, singleSegment } from '../../../wire/kcp/segment.ts'
import type { KcpSettings } from '../../../wire/kcp/settings.ts'
import { Carrier } from '../shared.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { isChallenge } from './cookie.ts'
import { Silence, Verdict } from './silence.ts'

/** Milliseconds in which the peer should answer our END, and in which data of a closed connection is still sent. */
const LINGER_MS = 2000
/** Fewest segments that are taken before the connection above must wait. */
const MIN_QUEUED = 64

/** The parts that a carrier works with. */
export interface KcpCarrierParts {
  readonly conv: number
  readonly settings: KcpSettings
  readonly turns: TurnScheduler
  readonly wheel: TimerWheel
  /** Whether this side dialled. */
  readonly dialled: boolean
  /** Whether the peer is a dmicro peer, which knows END. */
  readonly marked: boolean
  /** Sends a datagram to the peer, and owns it. */
  send(datagram: Buffer): void
  /** Called once, when nothing more will be sent or received. */
  onFree(): void
  /**
   * Called once, when the connection is closed, and the rest need not keep the process alive.
   * @returns whether the peer may be waited for
   */
  onIdle(): boolean
}

const State = { Open: 0, Ending: 1, Lingering: 2, Free: 3 } as const
type State = (typeof State)[keyof typeof State]

/** One conversation of KCP as the bytes of a connection. */
export class KcpCarrier extends Carrier {
  readonly descriptor = -1
  readonly #parts: KcpCarrierParts
  readonly #conversation: KcpConversation
  readonly #timer: ResettableTimer
  readonly #maxQueued: number
  readonly #mss: number
  readonly #flusher = { resume: () => this.#flushTurn() }
  readonly #epoch: number
  #state: State = State.Open
  #marked: boolean
  #started = false
  #paused = false
  #delivering = false
  /** Whether `#flusher` is on the list of the turn. */
  #flushing = false
  /** Bytes of the last write that are no segments yet. */
  #pending: Buffer[] = []
  #unwritten = 0
  /** The number before which the peer's data ends; undefined while that is open. */
  #peerEnd: number | undefined
  #endReported = false
  readonly #silence: Silence // it and the times below are by `#now`
  /** Time of the first flush since which there was always something to acknowledge; undefined when there is nothing. */
  #unsentSince: number | undefined
  /** When our END was sent first, and must be again. */
  #endSince: number | undefined
  #endAgain = 0
  #endWait = 0
  #failed = false

  constructor(parts: KcpCarrierParts) {
    super()
    const { conv, settings } = parts
    this.#parts = parts
    this.#marked = false
    this.#mss = settings.mtu - OVERHEAD
    this.#maxQueued = Math.max(settings.window * 2, MIN_QUEUED)
    this.#conversation = new KcpConversation(conv, settings, (datagram) => parts.send(datagram))
    this.#conversation.machine.mark = MARK
    if (parts.marked) this.#knowPeer()
    this.#timer = new ResettableTimer(parts.wheel, () => this.#onTime())
    // Timestamps are sent, and the time since this process began is nobody's business.
    this.#epoch = randomBytes(4).readUInt32LE()
    const now = this.#now
    this.#silence = new Silence(parts.dialled, now)
    // The congestion window begins with the first flush.
    this.#conversation.flush(true, now)
    this.#schedule()
  }

  /** Acknowledgements say that the peer's process runs, not that it serves: for heartbeats they are no sign of life. */
  get bytesRead(): number {
    return this.#conversation.machine.receiving.bytes
  }

  get unwritten(): number {
    return this.#unwritten
  }

  get ended(): boolean {
    return this.#state !== State.Open && this.#conversation.machine.sending.size === 0
  }

  /** Milliseconds by the clock of this conversation, a u32. */
  get #now(): number {
    return (Math.floor(this.#parts.wheel.now()) + this.#epoch) >>> 0
  }

  start(): void {
    this.#started = true
    immediate(() => this.#deliver())
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#started && !this.#delivering) this.#deliver()
  }

  write(views: readonly Buffer[]): boolean {
    if (this.#state !== State.Open) return true
    for (const view of views) {
      this.#pending.push(view)
      this.#unwritten += view.length
    }
    this.#fill()
    this.#flush(true)
    return this.#unwritten === 0
  }

  end(): void {
    if (this.#state !== State.Open) return
    this.#state = State.Ending
    this.#finish()
    this.#schedule()
  }

  destroy(): void {
    if (this.#state >= State.Lingering) return
    this.#state = State.Lingering
    this.#pending = []
    this.#unwritten = 0
    immediate(() => this.owner.onClosed())
    const mayWait = this.#parts.onIdle()
    if (this.#failed) {
      this.#free()
      return
    }
    this.#endSince ??= this.#now
    this.#flush(true)
    this.#finish()
    if (mayWait) this.#schedule()
    else this.#leave()
  }

  /** Takes a datagram of the peer, whose bytes are kept. */
  receive(datagram: Buffer): void {
    if (this.#state === State.Free) return
    const now = this.#now
    const { machine } = this.#conversation
    if (!hasFecHeader(datagram) && datagram.length === OVERHEAD) {
      const header = readHeader(datagram, 0)
      if (header.conv !== this.#parts.conv) return
      if (header.cmd === Command.End) this.#onPeerEnd(header)
      else if (header.cmd === Command.Reset) this.#fail('ECONNRESET')
      else if (this.#parts.dialled && isChallenge(header)) this.#answer(header)
      if (header.cmd >= Command.End || (this.#parts.dialled && isChallenge(header))) return
    }
    const unsent = machine.sending.size
    if (this.#conversation.receive(datagram, now) === 0) return
    if (this.#endSince !== undefined && machine.sending.size < unsent) this.#endSince = now // it goes on
    this.#silence.end(now)
    if (machine.lost) {
      this.#fail('ECONNRESET')
      return
    }
    if (this.#unwritten > 0) this.#refill()
    if (this.#started || this.#state === State.Lingering) this.#deliver()
    this.#flushLater()
  }

  /** Answers a challenge, which comes again when the answer was lost. */
  #answer({ sn, ts }: Header): void {
    this.#knowPeer()
    this.#silence.end(this.#now)
    this.#sendSingle(Command.Ack, sn, ts)
  }

  /** Notes that the peer is a dmicro peer. */
  #knowPeer(): void {
    this.#marked = true
    this.#conversation.machine.prompt = true
  }

  /** Notes that the system says that nobody listens there; true when that ends the connection. */
  refused(): void {
    this.#fail('ECONNREFUSED')
  }

  /** Asks the peer whether it is there. */
  ask(): void {
    const now = this.#now
    this.#silence.asked(now)
    this.#conversation.machine.expectTell()
    // A number other than 0, so that no listener takes the question for that of a new peer.
    this.#sendSingle(Command.Wask, 1, now)
    this.#schedule()
  }

  /** Tells the dialling side that it has a session. */
  tell(): void {
    this.#sendSingle(Command.Wins, 0, 0)
  }

  #sendSingle(cmd: number, sn: number, ts: number): void {
    const { receiving } = this.#conversation.machine
    this.#parts.send(singleSegment({ conv: this.#parts.conv, cmd, frg: MARK, wnd: receiving.free, ts, sn, una: receiving.next }))
  }

  #onPeerEnd({ sn, una }: Header): void {
    const { receiving, sending } = this.#conversation.machine
    const ahead = distance(sn, receiving.next)
    if (ahead < 0 || ahead > this.#parts.settings.window) return
    this.#knowPeer()
    this.#silence.end(this.#now)
    sending.acknowledgeBefore(una)
    this.#peerEnd ??= sn
    if (this.#started) this.#deliver()
    this.#finish()
  }

  /** Passes on what was received, unless reading is paused. */
  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    const { machine } = this.#conversation
    if (this.#state === State.Lingering) while (machine.read() !== undefined);
    while (!this.#paused && this.#state < State.Lingering) {
      const data = machine.read()
      if (data === undefined) break
      if (data.length > 0) this.owner.onData(data.length, data)
    }
    this.#delivering = false
    if (machine.mustTell) this.#flushLater()
    if (this.#peerEnd === undefined || this.#endReported || this.#paused || this.#state >= State.Lingering) return
    if (machine.receiving.readable === 0 && machine.receiving.next === this.#peerEnd) this.#reportEnd()
  }

  #reportEnd(): void {
    if (this.#endReported) return
    this.#endReported = true
    this.owner.onEnd()
  }

  /** Makes segments of what was written, as far as there is room. */
  #fill(): void {
    const { sending } = this.#conversation.machine
    while (this.#pending.length > 0) {
      const room = (this.#maxQueued - sending.size) * this.#mss
      if (room <= 0) return
      const [view] = this.#pending
      sending.write(view.subarray(0, room))
      this.#unwritten -= Math.min(view.length, room)
      if (view.length <= room) this.#pending.shift()
      else this.#pending[0] = view.subarray(room)
    }
  }

  #refill(): void {
    const { sending } = this.#conversation.machine
    // Half of it at a time, so that segments are full.
    if (sending.size > this.#maxQueued / 2) return
    this.#fill()
    this.#flushLater()
    if (this.#unwritten === 0) this.owner.onWritten()
  }

  #flushLater(): void {
    if (this.#flushing || this.#state === State.Free) return
    const { wanted, mustTell, sending } = this.#conversation.machine
    if (wanted === Wanted.Nothing && !mustTell && sending.size === 0 && this.#state === State.Open) return
    this.#flushing = true
    this.#parts.turns.resumeLater(this.#flusher)
  }

  #flushTurn(): void {
    this.#flushing = false
    if (this.#state === State.Free) return
    const { machine } = this.#conversation
    const full = machine.wanted === Wanted.Full || machine.sending.queued > 0
    if (full || machine.mustTell) this.#flush(full)
    else this.#schedule()
    this.#finish()
  }

  #flush(full: boolean): void {
    const { machine } = this.#conversation
    const now = this.#now
    this.#conversation.flush(full, now)
    if (machine.sending.size === 0) this.#unsentSince = undefined
    else this.#unsentSince ??= now
    // A segment may be sent often because this process, or the peer's, has little time: then others arrive.
    if (machine.dead && !this.#bears(this.#silence.verdictOfDead(now, this.#unsentSince ?? now))) return
    this.#schedule()
  }

  /** Does what is to be done about the peer's silence; returns whether the connection goes on. */
  #bears(verdict: Verdict): boolean {
    if (verdict === Verdict.GiveUp) this.#fail('ETIMEDOUT')
    else if (verdict === Verdict.Ask) this.ask()
    return verdict !== Verdict.GiveUp
  }

  /** Says that nothing follows, once that is so, and ends the conversation when the peer knows. */
  #finish(): void {
    if (this.#state !== State.Ending && this.#state !== State.Lingering) return
    const { sending } = this.#conversation.machine
    const now = this.#now
    const acknowledged = sending.size === 0
    if (acknowledged || (this.#marked && sending.queued === 0)) {
      if (this.#endSince === undefined || this.#endWait === 0 || distance(now, this.#endAgain) >= 0) this.#sendEnd(now)
    }
    const known = acknowledged && (!this.#marked || this.#peerEnd !== undefined)
    const late = this.#endSince !== undefined && distance(now, this.#endSince) >= LINGER_MS
    if (!known && !late) return
    if (this.#state === State.Lingering) this.#leave()
    else this.#reportEnd()
  }

  /** Goes. A peer that did not take all gets to no end: it is told that nobody is here any more. */
  #leave(): void {
    if (this.#state === State.Free) return
    const { sending } = this.#conversation.machine
    if (sending.size > 0) this.#sendSingle(Command.Reset, sending.next, this.#now)
    this.#free()
  }

  #sendEnd(now: number): void {
    const { roundTrip, sending } = this.#conversation.machine
    this.#endSince ??= now
    this.#endWait += roundTrip.rto
    this.#endAgain = (now + this.#endWait) >>> 0
    this.#sendSingle(Command.End, sending.next, now)
  }

  /** Sets the timer for what is due next. */
  #schedule(): void {
    if (this.#state === State.Free) return
    const now = this.#now
    let wait = this.#conversation.machine.due(now)
    if (this.#state === State.Open) {
      wait = Math.min(wait, this.#silence.wait(now))
    } else {
      if (this.#endWait > 0) wait = Math.min(wait, distance(this.#endAgain, now))
      if (this.#endSince !== undefined) wait = Math.min(wait, LINGER_MS - distance(now, this.#endSince))
      wait = Math.min(wait, LINGER_MS)
    }
    this.#timer.start(Math.max(wait, 1))
  }

  #onTime(): void {
    if (this.#state === State.Free) return
    if (this.#conversation.machine.busy || this.#unwritten > 0) this.#flush(true)
    if (this.#state === State.Open && !this.#failed && !this.#bears(this.#silence.verdict(this.#now))) return
    this.#finish()
    this.#schedule()
  }

  #fail(code: string): void {
    if (this.#failed || this.#state === State.Free) return
    this.#failed = true
    if (this.#state === State.Lingering) {
      this.#free()
      return
    }
    runInRoot(() => this.owner.onError(Object.assign(new Error(`kcp ${code}`), { code })), undefined)
  }

  #free(): void {
    this.#state = State.Free
    this.#timer.stop()
    this.#parts.onFree()
  }
}
