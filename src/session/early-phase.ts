import { textOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import type { Limits } from '../base/limits.ts'
import { type Clock, type ClockTimer, immediate } from '../base/time/clock.ts'
import type { Codec } from '../codecs/codec.ts'
import { decodeBody } from '../codecs/codec.ts'
import type { CodecTable } from '../codecs/codec-table.ts'
import type { FilterTable } from '../filters/filter-table.ts'
import type { EarlyMessage } from '../hooks/session-views.ts'
import { type Incoming, MessageType } from '../message/message.ts'
import { nameText } from '../message/names.ts'
import type { Channel } from './channel.ts'
import { readMeta, readStatus } from './read-message.ts'

/** Messages that may wait until the hooks are done. Further ones stay in the socket. */
const MAX_WAITING = 16
/** Bytes of waiting bodies above which a peer is not read, because it is not trusted yet. */
const MAX_WAITING_BYTES = 1 << 20

/** A hook or the resume handshake that waits for a message. */
interface Waiter {
  /** The expected type, undefined for any. A message of another type is delivered without its body. */
  type: MessageType | undefined
  resolve(message: EarlyMessage): void
  reject(error: StatusError): void
  timer: ClockTimer
}

/** The settings that an early phase needs. */
interface EarlySettings {
  readonly codec: Codec
  readonly codecs: CodecTable
  readonly filters: FilterTable
  readonly limits: Readonly<Limits>
  readonly clock: Clock
}

/**
 * Messages received before a session runs. `afterAccept` and `afterDial` take those they want; the others wait for the
 * session.
 */
export class EarlyPhase {
  readonly channel: Channel
  readonly settings: EarlySettings
  readonly #waiting: Incoming[] = []
  #bytes = 0
  #waiter: Waiter | undefined
  /** Waits for the reply to one message, while other messages wait for the session. */
  #asker: (Waiter & { seq: number }) | undefined
  /** Number of messages that were received before that reply. */
  before = 0
  #resume: (() => void) | undefined

  constructor(channel: Channel, settings: EarlySettings) {
    this.channel = channel
    this.settings = settings
  }

  /**
   * Handles a received message.
   *
   * @param message borrowed
   */
  take(message: Incoming): void {
    if (this.#asker !== undefined && message.type === MessageType.Reply && message.seq === this.#asker.seq) {
      const asker = this.#asker
      this.#asker = undefined
      this.before = this.#waiting.length
      this.#give(asker, message)
      this.#release()
      return
    }
    if (this.#waiter !== undefined) {
      this.#give(this.#waiter, message)
      return
    }
    this.#waiting.push(message.owned())
    this.#bytes += message.bodyEnd - message.bodyStart
    if (this.#resume === undefined && this.#full) this.#resume = this.channel.pauseReading()
  }

  /**
   * Waits for the reply to message `seq`. Other messages wait for the session.
   *
   * @param timeout milliseconds
   * @throws StatusError (rejects) 102
   */
  reply(seq: number, timeout: number): Promise<EarlyMessage> {
    return new Promise((resolve, reject) => {
      const timer = this.settings.clock.setTimeout(() => this.#late(asker, 'no reply in time'), timeout)
      const asker = { seq, type: undefined, resolve, reject, timer }
      this.#asker = asker
      this.#release()
    })
  }

  /**
   * Waits for the next message.
   *
   * @param timeout milliseconds
   * @param type as `Waiter.type`
   * @throws StatusError (rejects) 102
   */
  receive(timeout: number, type: MessageType | undefined): Promise<EarlyMessage> {
    return new Promise((resolve, reject) => {
      if (this.#waiter !== undefined) throw new Error('an early message is waited for already')
      const timer = this.settings.clock.setTimeout(() => this.#late(waiter, 'no early message in time'), timeout)
      const waiter: Waiter = { type, resolve, reject, timer }
      this.#waiter = waiter
      const message = this.#waiting.shift()
      if (message !== undefined) {
        this.#bytes -= message.bodyEnd - message.bodyStart
        this.#give(waiter, message)
      }
      this.#release()
    })
  }

  /**
   * Times out after pending reads: after a stall of the event loop a timer fires before the reads that waited with it,
   * and what arrived in time must be read first.
   */
  #late(waiter: Waiter, cause: string): void {
    immediate(() => {
      if (waiter === this.#waiter || waiter === this.#asker) this.fail(cause)
    })
  }

  /** Fails the hook that waits: the connection is lost, or no message was received. */
  fail(cause: string): void {
    const waiter = this.#waiter ?? this.#asker
    if (waiter === undefined) return
    this.#waiter = this.#asker = undefined
    this.settings.clock.clearTimeout(waiter.timer)
    waiter.reject(new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), cause, { stack: false }))
  }

  /**
   * Ends the phase when the session runs.
   *
   * @param deliver gets the waiting messages, before any that is received later
   */
  end(deliver: (message: Incoming, index: number) => void): void {
    this.fail('the hooks are done')
    this.#waiting.splice(0).forEach(deliver)
    this.#bytes = 0
    this.#release()
  }

  get #full(): boolean {
    if (this.#asker === undefined) return this.#waiting.length >= MAX_WAITING || this.#bytes >= MAX_WAITING_BYTES
    // The reply of a peer that we dialled may follow all that its session sends when it resumes.
    const { maxRunning, maxUnsent } = this.settings.limits
    return this.#waiting.length >= Math.max(maxRunning, MAX_WAITING) || this.#bytes >= maxUnsent
  }

  #release(): void {
    const resume = this.#resume
    if (resume === undefined || this.#full) return
    this.#resume = undefined
    resume()
  }

  #give(waiter: Waiter, message: Incoming): void {
    if (waiter === this.#waiter) this.#waiter = undefined
    this.settings.clock.clearTimeout(waiter.timer)
    try {
      waiter.resolve(this.#read(message, waiter.type))
    } catch (error) {
      const cause = error instanceof StatusError ? error.cause || error.message : textOf(error)
      waiter.reject(new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), cause, { stack: false }))
    }
  }

  #read(message: Incoming, type: MessageType | undefined): EarlyMessage {
    const { codecs, limits } = this.settings
    const codec: Codec | undefined = codecs.byId(message.codec)
    const meta = readMeta(message, this.channel, limits)
    const status = readStatus(message, limits)
    if (meta === undefined || status === undefined) throw new Error('unreadable meta or status')
    const name =
      message.route >= 0 ? nameText(message.route) : (message.method ?? message.buffer.toString('utf8', message.nameStart, message.nameEnd))
    return {
      type: message.type as MessageType,
      seq: message.seq,
      serviceMethod: name,
      status: status.code === 0 ? undefined : new StatusError(status.code, status.message, status.cause, { stack: false }),
      meta,
      codec: codec === undefined ? '' : codec.name,
      body: type === undefined || message.type === type ? decodeBody(message, codec, limits) : undefined,
    }
  }
}
