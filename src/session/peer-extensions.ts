import { Code } from '../base/errors/status.ts'
import { MAX_DRAIN } from '../base/limits.ts'
import type { Clock } from '../base/time/clock.ts'
import { bodyText } from '../codecs/codec.ts'
import { type Announcement, decodeAnnouncement, encodeAnnouncement } from '../message/announcement.ts'
import { type Incoming, MessageType, TextHint } from '../message/message.ts'
import { Reserved } from '../message/names.ts'

/** Maximum number of cancellations that wait until the peer announces that it supports them. */
const MAX_QUEUED_CANCELS = 64
/** Maximum body length of an extension message in bytes. An announcement is the longest. */
const MAX_BODY_BYTES = 2048

/** The session whose peer these extensions concern. */
export interface PeerExtensionsOwner {
  /** Sends a PUSH to a reserved route. A failure is not reported. */
  pushReserved(route: number, body: unknown, filters: readonly string[]): void
  /**
   * Handles the peer's cancellation of its request `seq`.
   *
   * @param code 408 or 499
   */
  onCancel(seq: number, code: number): void
  /** Handles the first announcement on this connection: the peer is a dmicro peer. */
  onPeerKnown(): void
  /** Handles the body of a PUSH to `/dmicro/ack`. */
  onAck(received: unknown, settled: unknown, skip: boolean): void
  /**
   * Handles the peer's notice that it sends nothing new any more.
   *
   * @param asked true for the answer to our own notice; false when the peer is closing, and `drain` must answer it
   *   once everything is sent
   * @param limit milliseconds within which the peer will close
   */
  onPeerDrain(asked: boolean, limit: number): void
}

/**
 * dmicro's extensions of Go's protocol on one connection (docs/extensions.md): announcements, cancellation, and the
 * notice before closing.
 */
export class PeerExtensions {
  #owner: PeerExtensionsOwner
  readonly #clock: Clock
  readonly #timeout: number
  readonly #filters: readonly string[]
  #peer: Announcement | undefined
  /** Sequence number of the message that announced this side; 0 before. */
  #announcementSeq = 0
  /** Bodies of cancellations for a peer that has not announced itself yet. */
  #queuedCancels: unknown[] = []
  #draining = false

  /**
   * @param timeout milliseconds; announced as the deadline of calls that name none
   * @param filters announced as the filters that messages to this side must go through
   */
  constructor(owner: PeerExtensionsOwner, clock: Clock, timeout: number, filters: readonly string[]) {
    this.#owner = owner
    this.#clock = clock
    this.#timeout = timeout
    this.#filters = filters
  }

  /** Milliseconds until the deadline of the peer's calls that name none; 0 when it has none or did not say. */
  get peerTimeout(): number {
    return this.#peer === undefined ? 0 : this.#peer.timeout
  }

  /** Whether the peer has announced that it supports the reserved routes. */
  get supported(): boolean {
    return this.#peer !== undefined
  }

  /** Names of the filters that messages to the peer must go through. */
  get filters(): readonly string[] {
    return this.#peer === undefined ? [] : this.#peer.filters
  }

  /** Moves the connection to another session. */
  moveTo(owner: PeerExtensionsOwner): void {
    this.#owner = owner
  }

  /** Whether nothing need be announced: this side has done so, or has answered the peer's announcement. */
  get announced(): boolean {
    return this.#announcementSeq !== 0 || this.#peer !== undefined
  }

  /** Chooses the number of the announcing message: a random one that no counter reaches soon. */
  nextAnnouncementSeq(): number {
    this.#announcementSeq = 0x4000_0000 + Math.floor(this.#clock.random() * 0x3fff_ffff)
    return this.#announcementSeq
  }

  /** Announcement for the meta of that message. */
  get announcement(): string {
    return this.#encodeAnnouncement(this.#announcementSeq)
  }

  /**
   * Handles an announcement in the meta of a request, or in the body of a PUSH to `/dmicro/hello`, and answers it. An
   * announcement that a proxy forwarded has another `seq` and is ignored, as is one that answers ours.
   */
  onAnnouncement(text: unknown, seq: number): void {
    const announcement = decodeAnnouncement(text)
    if (announcement === undefined || announcement.announcementSeq !== seq || this.#peer !== undefined) return
    this.#peer = announcement
    this.#push(Reserved.Hello, this.#encodeAnnouncement(seq))
    this.#owner.onPeerKnown()
  }

  /**
   * Handles a message to a reserved route.
   *
   * @returns false when the peer has not announced that it supports them
   */
  receive(message: Incoming): boolean {
    if (message.type !== MessageType.Push) return false
    const { route } = message
    if (this.#peer === undefined && route !== Reserved.Hello) return false
    const body = readBody(message)
    if (route === Reserved.Hello) {
      this.onAnnouncement(body, message.seq)
      this.#onHello(body)
    } else if (route === Reserved.Cancel) this.#onCancel(body)
    else if (route === Reserved.Drain) this.#onDrain(body)
    else this.#onAck(body)
    return true
  }

  /**
   * Notifies the peer that call `seq` was cancelled.
   *
   * @param code 408 or 499
   */
  cancel(seq: number, code: number): void {
    const body = { seq, code }
    if (this.#peer !== undefined) this.#push(Reserved.Cancel, body)
    else if (this.#announcementSeq !== 0 && this.#queuedCancels.length < MAX_QUEUED_CANCELS) this.#queuedCancels.push(body)
  }

  /**
   * Notifies the peer that this side accepts no new requests and sends none.
   *
   * @param limit milliseconds within which the connection will be closed
   * @returns true when the peer will answer, after which it sends nothing new
   */
  drain(limit: number): boolean {
    if (this.#peer === undefined || this.#draining) return false
    this.#draining = true
    this.#push(Reserved.Drain, limit)
    return true
  }

  #onHello(body: unknown): void {
    const announcement = decodeAnnouncement(body)
    if (announcement === undefined || this.#announcementSeq === 0 || announcement.announcementSeq !== this.#announcementSeq) return
    this.#peer = announcement
    for (const queued of this.#queuedCancels.splice(0)) this.#push(Reserved.Cancel, queued)
    this.#owner.onPeerKnown()
  }

  #onCancel(body: unknown): void {
    const { seq, code } = fieldsOf(body)
    if (typeof seq !== 'number' || (seq | 0) !== seq) return
    this.#owner.onCancel(seq, code === Code.HandleTimeout ? Code.HandleTimeout : Code.Canceled)
  }

  /**
   * Acknowledges pushes and settled idempotent calls.
   *
   * @param received number of the last PUSH received in order
   * @param settled all keys below are settled
   */
  acknowledge(received: number, settled: number): void {
    if (this.#peer !== undefined) this.#push(Reserved.Ack, { received, settled })
  }

  /** Makes the peer count a PUSH that was never sent. */
  skip(): void {
    if (this.#peer !== undefined) this.#push(Reserved.Ack, { skip: 1 })
  }

  #onAck(body: unknown): void {
    const { received, settled, skip } = fieldsOf(body)
    this.#owner.onAck(received, settled, skip === 1)
  }

  #onDrain(body: unknown): void {
    const limit = typeof body === 'number' && body >= 0 ? Math.min(body, MAX_DRAIN) : MAX_DRAIN
    this.#owner.onPeerDrain(this.#draining, limit)
  }

  #push(route: number, body: unknown): void {
    this.#owner.pushReserved(route, body, (this.#peer as Announcement).filters)
  }

  #encodeAnnouncement(announcementSeq: number): string {
    return encodeAnnouncement({ announcementSeq, timeout: this.#timeout, filters: this.#filters })
  }
}

/** The fields of an object; no fields for any other value. */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}

/**
 * Parses the body of an extension message.
 *
 * @returns undefined when it is not JSON or too long
 */
export function readBody(message: Incoming): unknown {
  const { buffer, bodyStart, bodyEnd } = message
  if (bodyEnd - bodyStart > MAX_BODY_BYTES) return undefined
  try {
    return JSON.parse(bodyText(buffer, bodyStart, bodyEnd, TextHint.Nothing))
  } catch {
    return undefined
  }
}
