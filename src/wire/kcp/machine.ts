import { CongestionWindow } from './congestion.ts'
import { ReceiveBuffer } from './receive-buffer.ts'
import { RoundTrip } from './round-trip.ts'
import { Command, distance, type Header, OVERHEAD, readHeader, writeHeader } from './segment.ts'
import { SendBuffer } from './sender.ts'
import type { KcpSettings } from './settings.ts'

/** Window of a peer that has said nothing yet. */
const FIRST_WINDOW = 32
const NEVER = 0xffff_ffff
/** Milliseconds: the longest round trip that is believed. */
const MAX_SAMPLE = 60_000
/** Milliseconds between questions about a window of 0, first and at most. */
const FIRST_ASK = 7000
const LONGEST_ASK = 120_000

/** The flush that received segments ask for. */
export const Wanted = { Nothing: 0, Acks: 1, Full: 2 } as const
export type Wanted = (typeof Wanted)[keyof typeof Wanted]

/** Segments of the datagram that is being made; shared, because a flush ends what it begins. */
const scratch = Buffer.allocUnsafeSlow(2048)

/**
 * The segment protocol of one conversation, the twin of native/kcp: windows, acknowledgements, retransmission. All
 * numbers of sequences and clocks are u32. Equal calls give equal datagrams.
 *
 * The format, windows and the questions about one of 0, the congestion window, and timeouts and their growth are those
 * of kcp-go in stream mode. These are dmicro's own:
 * - it is flushed by its caller alone, when something is wanted or due, not at intervals
 * - only the first acknowledgement of a segment is a round trip
 * - a segment that was passed over is sent again at once each time that happens, not the first time only, and with
 *   nothing new to send after a quarter of a round trip at the latest
 * - what is sent last is probed for once before its timeout, where the peer acknowledges at once
 * - a peer that has lost its state is noticed
 */
export class KcpMachine {
  readonly conv: number
  readonly sending: SendBuffer
  readonly receiving: ReceiveBuffer
  readonly roundTrip: RoundTrip
  readonly congestion: CongestionWindow
  /** `frg` of WASK and WINS that are sent. */
  mark = 0
  /** Whether the peer acknowledges at once, as dmicro's do and Go's do not: what is sent last is probed for then. */
  prompt = false
  remoteWindow = FIRST_WINDOW
  /** The flush that is wanted since the last one. */
  wanted: Wanted = Wanted.Nothing
  readonly #settings: KcpSettings
  readonly #resend: number
  readonly #output: (segments: Buffer) => void
  /** Pairs of `sn` and `ts`. */
  #acks: number[] = []
  #ask = false
  #tell = false
  #askAt = 0
  #askWait = 0
  #at = 0
  /** Compared with the `una` of a WINS: our `una` when the last WASK was sent; undefined when it was answered. */
  #askedUna: number | undefined
  #behind = 0

  /** @param output gets the segments of one datagram, borrowed until it returns */
  constructor(conv: number, settings: KcpSettings, output: (segments: Buffer) => void) {
    this.conv = conv
    this.#settings = settings
    this.#output = output
    this.#resend = settings.resend === 0 ? NEVER : settings.resend
    const mss = settings.mtu - OVERHEAD
    this.sending = new SendBuffer(mss)
    this.receiving = new ReceiveBuffer(settings.window)
    this.roundTrip = new RoundTrip(settings.noDelay, settings.interval)
    this.congestion = new CongestionWindow(mss)
  }

  /** Whether the peer answers as one does that knows nothing of what it has acknowledged before. */
  get lost(): boolean {
    return this.sending.lost || this.#behind >= 2
  }

  /** Whether a flush, now or later, has anything to do. */
  get busy(): boolean {
    return this.#acks.length > 0 || this.#ask || this.#tell || this.sending.size > 0
  }

  /** Whether a flush of acknowledgements has anything to send. */
  get mustTell(): boolean {
    return this.#acks.length > 0 || this.#ask || this.#tell
  }

  /** Whether one segment was sent as often as `deadLink` says, and none was removed since. */
  get dead(): boolean {
    return this.sending.mostSent >= this.#settings.deadLink
  }

  get #patience(): number {
    return this.prompt ? this.roundTrip.patience : 0
  }

  /** Milliseconds until something must be sent if nothing else happens; 0xffffffff for never. */
  due(now: number): number {
    const due = this.sending.due(now, this.#patience, this.roundTrip.srtt >>> 2)
    if (this.sending.queued === 0) return due
    if (this.#askWait !== 0) return Math.min(due, Math.max(distance(this.#askAt, now), 0))
    // A window of 0 that no flush has seen yet is asked about from the next one on.
    return this.remoteWindow === 0 ? 0 : due
  }

  /** Sends a WASK with the next flush. */
  ask(): void {
    this.#ask = true
  }

  /** Compares the next WINS with what is acknowledged now. Called when a WASK of the session's own is sent. */
  expectTell(): void {
    this.#askedUna ??= this.sending.una
  }

  /** The next segment of received data; undefined when there is none. */
  read(): Buffer | undefined {
    const full = this.receiving.free === 0
    const data = this.receiving.read()
    if (full && this.receiving.free > 0) this.#tell = true
    return data
  }

  /**
   * Takes the segments of a datagram, whose bytes are kept.
   * @param regular whether they were received as they are, not repaired by FEC
   * @returns how many were good; the first bad one ends the datagram
   */
  input(bytes: Buffer, regular: boolean, now: number): number {
    const before = this.sending.una
    let latest = -1
    let count = 0
    let at = 0
    while (bytes.length - at >= OVERHEAD) {
      const header = readHeader(bytes, at)
      const length = bytes.readUInt32LE(at + 20)
      at += OVERHEAD
      if (header.conv !== this.conv || length > bytes.length - at) break
      if (header.cmd < Command.Push || header.cmd > Command.Wins) break
      if (regular) this.remoteWindow = header.wnd
      // A segment that was acknowledged before, by another copy, says nothing of the time that this one took.
      if (header.cmd === Command.Ack && distance(header.sn, before) >= 0 && !this.sending.acknowledged(header.sn)) latest = header.ts
      this.#takeSegment(header, bytes, at, length, now)
      at += length
      count++
    }
    // The answer to a challenge has a time that was never ours.
    if (latest >= 0 && regular && (now - latest) >>> 0 <= MAX_SAMPLE) this.roundTrip.sample(distance(now, latest))
    if (this.#settings.congestion && distance(this.sending.una, before) > 0) this.congestion.grow(this.remoteWindow)
    if (this.wanted === Wanted.Nothing && this.mustTell) this.wanted = Wanted.Acks
    return count
  }

  #takeSegment({ cmd, ts, sn, una }: Header, bytes: Buffer, at: number, length: number, now: number): void {
    if (this.sending.acknowledgeBefore(una)) this.wanted = Wanted.Full
    if (cmd === Command.Ack) {
      // Without `resend` each passing counts: then the segment is sent again when nothing new is to be sent.
      if (this.sending.acknowledge(sn, ts, una, this.#settings.resend, now)) this.wanted = Wanted.Full
    } else if (cmd === Command.Push) {
      if (!this.receiving.accepts(sn)) return
      this.#acks.push(sn, ts)
      this.receiving.add(sn, bytes.subarray(at, at + length))
    } else if (cmd === Command.Wask) {
      this.#tell = true
    } else if (this.#askedUna !== undefined) {
      this.#behind = distance(una, this.#askedUna) < 0 ? this.#behind + 1 : 0
      this.#askedUna = undefined
    }
  }

  /**
   * Sends what is due.
   * @param full also data, otherwise acknowledgements and windows only
   */
  flush(full: boolean, now: number): void {
    const { receiving, sending } = this
    const { noDelay, congestion, window: most } = this.#settings
    const header: Header = { conv: this.conv, cmd: Command.Ack, frg: 0, wnd: receiving.free, ts: 0, sn: 0, una: receiving.next }
    this.#at = 0
    this.wanted = Wanted.Nothing
    this.#flushAcks(header)
    this.#flushQuestions(header, now)

    let window = Math.min(most, this.remoteWindow)
    if (congestion) window = Math.min(this.congestion.size, window)
    const opened = sending.open(window)
    let early = false
    let late = false
    if (full) {
      header.cmd = Command.Push
      header.frg = 0
      const rules = { noDelay, resend: this.#resend, patience: this.#patience }
      const resent = sending.sendDue(now, opened, this.roundTrip.rto, rules, ({ data, sn }) => {
        header.ts = now
        header.sn = sn
        this.#append(header, data)
      })
      early = resent.early
      late = resent.late
    }
    if (congestion) this.congestion.flushed(early, late, (sending.next - sending.una) >>> 0, window, this.#resend)
    this.#send()
  }

  #flushAcks(header: Header): void {
    const acks = this.#acks
    for (let i = 0; i < acks.length; i += 2) {
      this.#makeSpace(OVERHEAD)
      // The last one of a run in order is enough, since `una` acknowledges all before it.
      if (distance(acks[i], header.una) < 0 && i + 2 < acks.length) continue
      header.sn = acks[i]
      header.ts = acks[i + 1]
      this.#append(header, undefined)
    }
    if (acks.length > 0) this.#acks = []
  }

  /** Asks for the peer's window when it is 0, and tells of ours when the peer has asked. */
  #flushQuestions(header: Header, now: number): void {
    if (this.remoteWindow !== 0) {
      this.#askAt = this.#askWait = 0
    } else if (this.#askWait === 0) {
      this.#askWait = FIRST_ASK
      this.#askAt = (now + FIRST_ASK) >>> 0
    } else if (distance(now, this.#askAt) >= 0) {
      this.#askWait = Math.min(this.#askWait + (this.#askWait >>> 1), LONGEST_ASK)
      this.#askAt = (now + this.#askWait) >>> 0
      this.#ask = true
    }
    header.frg = this.mark
    if (this.#ask) {
      header.cmd = Command.Wask
      this.#append(header, undefined)
    }
    if (this.#tell) {
      header.cmd = Command.Wins
      this.#append(header, undefined)
    }
    this.#ask = this.#tell = false
  }

  #append(header: Header, data: Buffer | undefined): void {
    const length = data === undefined ? 0 : data.length
    this.#makeSpace(OVERHEAD + length)
    this.#at = writeHeader(scratch, this.#at, header, length)
    if (data === undefined) return
    data.copy(scratch, this.#at)
    this.#at += length
  }

  #makeSpace(size: number): void {
    if (this.#at + size <= this.#settings.mtu) return
    this.#send()
    this.#at = 0
  }

  #send(): void {
    if (this.#at > 0) this.#output(scratch.subarray(0, this.#at))
  }
}
