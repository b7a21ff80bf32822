import { distance } from './segment.ts'

const NEVER = 0xffff_ffff

/** A segment of data that is sent, or waits for that. */
class OutSegment {
  data: Buffer
  sn = 0
  ts = 0
  /** `una` of the sending half when this segment was sent last. */
  sentUna = 0
  rto = 0
  resendAt = 0
  /** Number of times that it was sent. */
  sent = 0
  /** Number of acknowledgements of later segments since then, and when the first one came. */
  passedOver = 0
  passedAt = 0
  acknowledged = false

  constructor(data: Buffer) {
    this.data = data
  }
}

const empty = Buffer.alloc(0)

/** How segments are sent again. */
interface ResendRules {
  readonly noDelay: boolean
  /** Acknowledgements of later segments after which one is sent again; 0xffffffff for never. */
  readonly resend: number
  /** Milliseconds after which the last segment is sent once more, without waiting for its timeout; 0 for never. */
  readonly patience: number
}

/** The segments of data that were not sent yet, or not acknowledged. */
export class SendBuffer {
  /** The first number that is not acknowledged, and the next one to be used. */
  una = 0
  next = 0
  /** Whether an acknowledgement shows that the peer has lost its state. */
  lost = false
  /** Number of times that one segment was sent, the highest since one was removed. */
  mostSent = 0
  readonly #mss: number
  /** Segments without a number. */
  #queue: OutSegment[] = []
  #queueHead = 0
  /** Segments from `una` on, in order. */
  #sent: OutSegment[] = []
  #sentHead = 0

  constructor(mss: number) {
    this.#mss = mss
  }

  /** Number of segments that wait to be sent or acknowledged. */
  get size(): number {
    return this.queued + this.unacknowledged
  }

  get queued(): number {
    return this.#queue.length - this.#queueHead
  }

  get unacknowledged(): number {
    return this.#sent.length - this.#sentHead
  }

  /** Appends bytes, which are copied: first to the last segment that was never sent. */
  write(bytes: Uint8Array): void {
    const mss = this.#mss
    let at = 0
    if (this.queued > 0) {
      const last = this.#queue[this.#queue.length - 1]
      at = Math.min(mss - last.data.length, bytes.length)
      if (at > 0) last.data = Buffer.concat([last.data, bytes.subarray(0, at)])
    }
    for (; at < bytes.length; at += mss) {
      const part = bytes.subarray(at, at + mss)
      const data = Buffer.allocUnsafe(part.length)
      data.set(part)
      this.#queue.push(new OutSegment(data))
    }
  }

  /** Removes what is acknowledged by everything before `una`; returns whether that was any. */
  acknowledgeBefore(una: number): boolean {
    const sent = this.#sent
    const from = this.#sentHead
    let head = from
    while (head < sent.length && distance(una, sent[head].sn) > 0) head++
    this.#sentHead = head
    this.una = head < sent.length ? sent[head].sn : this.next
    if (head === from) return false
    this.mostSent = 0
    if (head === sent.length) {
      sent.length = this.#sentHead = 0
    } else if (head >= 64 && head * 2 >= sent.length) {
      sent.splice(0, head)
      this.#sentHead = 0
    }
    return true
  }

  /** Whether segment `sn`, from `una` on, is acknowledged. */
  acknowledged(sn: number): boolean {
    return this.#sent[this.#sentHead + ((sn - this.una) >>> 0)]?.acknowledged === true
  }

  /**
   * Marks segment `sn` as acknowledged, and counts those before it that were passed over.
   * @param una of the acknowledgement
   * @returns whether one of them must be sent again at once
   */
  acknowledge(sn: number, ts: number, una: number, resend: number, now: number): boolean {
    if (distance(sn, this.una) < 0 || distance(sn, this.next) >= 0) return false
    let urgent = false
    for (let i = this.#sentHead; i < this.#sent.length; i++) {
      const segment = this.#sent[i]
      if (segment.sn === sn) {
        if (!segment.acknowledged && segment.ts === ts && distance(una, segment.sentUna) < 0) this.lost = true
        segment.acknowledged = true
        segment.data = empty
        break
      }
      if (distance(sn, segment.sn) < 0) break
      // A segment that was sent again is passed over only by those that were sent after that.
      if (distance(segment.ts, ts) > (segment.sent > 1 ? -1 : 0)) continue
      if (segment.passedOver++ === 0) segment.passedAt = now
      if (segment.passedOver >= resend) urgent = true
    }
    return urgent
  }

  /** Numbers queued segments as far as `window` allows; returns how many. */
  open(window: number): number {
    let opened = 0
    while (distance(this.next, this.una + window) < 0 && this.queued > 0) {
      const segment = this.#queue[this.#queueHead++]
      segment.sn = this.next
      this.next = (this.next + 1) >>> 0
      this.#sent.push(segment)
      opened++
    }
    if (this.queued === 0) {
      this.#queue.length = this.#queueHead = 0
    } else if (this.#queueHead >= 64 && this.#queueHead * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#queueHead)
      this.#queueHead = 0
    }
    return opened
  }

  /**
   * Calls `send` for each segment that is due.
   * @param opened number of segments that were numbered just now
   */
  sendDue(now: number, opened: number, rto: number, rules: ResendRules, send: (segment: OutSegment) => void): Resent {
    const resent: Resent = { early: false, late: false }
    for (let i = this.#sentHead; i < this.#sent.length; i++) {
      const segment = this.#sent[i]
      if (segment.acknowledged) continue
      if (segment.sent === 0) {
        segment.rto = rto
      } else if (segment.passedOver >= rules.resend || (segment.passedOver > 0 && opened === 0)) {
        segment.rto = rto
        resent.early = true
      } else if (distance(now, segment.resendAt) >= 0) {
        segment.rto += rules.noDelay ? rto >>> 1 : rto
        resent.late = true
      } else if (distance(now, this.#resendAt(i, rules.patience)) < 0) {
        continue
      }
      segment.passedOver = 0
      segment.resendAt = (now + segment.rto) >>> 0
      segment.sent++
      this.mostSent = Math.max(this.mostSent, segment.sent)
      segment.ts = now
      segment.sentUna = this.una
      send(segment)
    }
    return resent
  }

  /** When the segment at `i` of the sent ones is sent again if nothing is heard: the last one earlier, but once. */
  #resendAt(i: number, patience: number): number {
    const { resendAt, sent, ts } = this.#sent[i]
    if (patience === 0 || sent !== 1 || i !== this.#sent.length - 1) return resendAt
    const probe = (ts + patience) >>> 0
    return distance(probe, resendAt) < 0 ? probe : resendAt
  }

  /**
   * Milliseconds until a segment must be sent again, 0xffffffff for never.
   * @param reordering milliseconds after which one that was passed over is
   */
  due(now: number, patience: number, reordering: number): number {
    let due = NEVER
    const at = (time: number): void => {
      due = Math.min(due, Math.max(distance(time, now), 0))
    }
    for (let i = this.#sentHead; i < this.#sent.length; i++) {
      const segment = this.#sent[i]
      if (segment.acknowledged) continue
      at(this.#resendAt(i, patience))
      if (segment.passedOver > 0 && this.queued === 0) at(segment.passedAt + reordering)
    }
    return due
  }
}

/** Result of `SendBuffer.sendDue`. */
interface Resent {
  /** Whether segments were sent again because later ones were acknowledged. */
  early: boolean
  /** Whether segments were sent again because their timeout had passed. */
  late: boolean
}
