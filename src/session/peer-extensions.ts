import { Code } from '../base/errors/status.ts'
import { MAX_DRAIN } from '../base/limits.ts'
import type { Clock } from '../base/time/clock.ts'
import { bodyText } from '../codecs/codec.ts'
import { type Announcement, decodeAnnouncement, encodeAnnouncement } from '../message/announcement.ts'
import { type Incoming, MessageType, TextHint } from '../message/message.ts'
import { Reserved } from '../message/names.ts'

/** Cancellations that may wait for the peer to say that it understands them. */
const MAX_OWED = 64
/** Longest body of a message of our own: an announcement is the longest. */
const MAX_BODY_BYTES = 2048

/** The session that two peers talk about. */
export interface PeerExtensionsOwner {
  /** Sends a PUSH to a reserved route. Nothing comes back, not even a failure. */
  pushReserved(route: number, body: unknown, filters: readonly string[]): void
  /** The peer waits no more for its request `seq`. @param code 408 or 499 */
  onCancel(seq: number, code: number): void
  /** The peer is one of ours: it says so for the first time on this connection. */
  onPeerKnown(): void
  /** The body of a PUSH to `/dmicro/ack`. */
  onAck(received: unknown, settled: unknown, skip: boolean): void
  /**
   * The peer sends nothing new any more, or is about to close and is to be told by `drain` once everything is sent.
   * @param asked we had said so first, and it answers @param limit milliseconds within which it will close
   */
  onPeerDrain(asked: boolean, limit: number): void
}

/** What goes beyond Go's protocol on one connection (docs/extensions.md): who understands what, cancellation, the notice before closing. */
export class PeerExtensions {
  #owner: PeerExtensionsOwner
  readonly #clock: Clock
  readonly #timeout: number
  readonly #filters: readonly string[]
  #peer: Announcement | undefined
  /** Number of the message that announced us; 0: none did. */
  #announcementSeq = 0
  /** Bodies of cancellations for a peer that has not answered yet. */
  #queuedCancels: unknown[] = []
  #draining = false

  /** @param timeout told to the peer: of calls that name none @param filters told to the peer: those that its messages must go through */
  constructor(owner: PeerExtensionsOwner, clock: Clock, timeout: number, filters: readonly string[]) {
    this.#owner = owner
    this.#clock = clock
    this.#timeout = timeout
    this.#filters = filters
  }

  /** Milliseconds that the peer waits for calls that name no deadline; 0: it did not say. */
  get peerTimeout(): number {
    return this.#peer === undefined ? 0 : this.#peer.timeout
  }

  /** The peer knows our routes. */
  get supported(): boolean {
    return this.#peer !== undefined
  }

  /** That messages to the peer must go through. */
  get filters(): readonly string[] {
    return this.#peer === undefined ? [] : this.#peer.filters
  }

  /** Another session goes on with the connection. */
  moveTo(owner: PeerExtensionsOwner): void {
    this.#owner = owner
  }

  /** Nothing is to be announced: that was done, or the peer announced itself and had its answer. */
  get announced(): boolean {
    return this.#announcementSeq !== 0 || this.#peer !== undefined
  }

  /** A number for the message that announces, which no counter reaches soon. */
  nextAnnouncementSeq(): number {
    this.#announcementSeq = 0x4000_0000 + Math.floor(this.#clock.random() * 0x3fff_ffff)
    return this.#announcementSeq
  }

  /** For the meta of that message. */
  get announcement(): string {
    return this.#encodeAnnouncement(this.#announcementSeq)
  }

  /** A request with number `seq` brought an announcement: it is answered, unless a proxy only passed it on. */
  onAnnouncement(text: string, seq: number): void {
    const announcement = decodeAnnouncement(text)
    if (announcement === undefined || announcement.announcementSeq !== seq || this.#peer !== undefined) return
    this.#peer = announcement
    this.#push(Reserved.Hello, this.#encodeAnnouncement(seq))
    this.#owner.onPeerKnown()
  }

  /** Takes a message to a reserved route; false when the peer has not announced that it knows them. */
  receive(message: Incoming): boolean {
    if (message.type !== MessageType.Push) return false
    const { route } = message
    if (this.#peer === undefined && route !== Reserved.Hello) return false
    const body = readBody(message)
    if (route === Reserved.Hello) this.#onHello(body)
    else if (route === Reserved.Cancel) this.#onCancel(body)
    else if (route === Reserved.Drain) this.#onDrain(body)
    else this.#onAck(body)
    return true
  }

  /** Tells the peer that nobody waits for call `seq` any more. @param code 408 or 499 */
  cancel(seq: number, code: number): void {
    const body = { seq, code }
    if (this.#peer !== undefined) this.#push(Reserved.Cancel, body)
    else if (this.#announcementSeq !== 0 && this.#queuedCancels.length < MAX_OWED) this.#queuedCancels.push(body)
  }

  /**
   * Tells the peer that nothing new is accepted, and nothing sent any more. True when it will answer, which ends what it sends.
   * @param limit milliseconds within which the connection will be closed
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
    for (const owed of this.#queuedCancels.splice(0)) this.#push(Reserved.Cancel, owed)
    this.#owner.onPeerKnown()
  }

  #onCancel(body: unknown): void {
    const { seq, code } = fieldsOf(body)
    if (typeof seq !== 'number' || (seq | 0) !== seq) return
    this.#owner.onCancel(seq, code === Code.HandleTimeout ? Code.HandleTimeout : Code.Canceled)
  }

  /** Tells the peer which of its PUSHes came, and which idempotent calls are settled. */
  acknowledge(received: number, settled: number): void {
    if (this.#peer !== undefined) this.#push(Reserved.Ack, { received, settled })
  }

  /** Tells the peer to count a PUSH that was never sent. */
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

  #encodeAnnouncement(hop: number): string {
    return encodeAnnouncement({ announcementSeq: hop, timeout: this.#timeout, filters: this.#filters })
  }
}

/** Fields of an object, none of anything else. */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}

/** Undefined for what is no JSON, or too long to be ours. */
export function readBody(message: Incoming): unknown {
  const { buffer, bodyStart, bodyEnd } = message
  if (bodyEnd - bodyStart > MAX_BODY_BYTES) return undefined
  try {
    return JSON.parse(bodyText(buffer, bodyStart, bodyEnd, TextHint.Nothing))
  } catch {
    return undefined
  }
}
