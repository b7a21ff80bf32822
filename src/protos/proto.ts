import type { Limits } from '../base/limits.ts'
import { marked } from '../base/mark.ts'
import type { Clock } from '../base/time/clock.ts'
import type { CloseReason } from '../message/close-reason.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'

/**
 * An application protocol: how messages are bytes. Both ends of a connection must use the same one. Pass your own in
 * `new Endpoint({ protocols: [yours] })` and name it where you dial or listen.
 */
export interface Proto {
  /** 1 to 255, unique among the protocols of an endpoint. It never travels (docs/spec/wire.md#protocols). */
  readonly id: number
  readonly name: string
  /**
   * `stream`: the protocol finds its messages in the bytes as they come.
   * `envelope`: each message is a u32 big-endian size that does not count itself, the number of transfer filters, their ids, and a payload that
   * went through them (docs/spec/wire.md#envelope). The transport cuts these and the filters are removed before `unpack` gets a payload.
   */
  readonly framing: 'stream' | 'envelope'
  /** Names of the filters that a `stream` protocol can tell the peer of; they go around the body alone. Default: none. */
  readonly bodyFilters?: readonly string[] | undefined
  /**
   * For listeners with several protocols: whether `bytes`, the first ones of a connection (with the envelope, if it has one), begin this
   * protocol; undefined while there are too few to tell. Without it the protocol has a listener to itself.
   */
  match?(bytes: Uint8Array, limits: Readonly<Limits>): boolean | undefined
  /**
   * Optional: loads what the protocol needs, before an endpoint listens or dials with it. `open` may rely on it there.
   * @throws (rejects) what says that it cannot run here: `listen` and `dial` fail with it
   */
  prepare?(): Promise<void>
  /** Called once for each connection. */
  open(link: ProtoLink): ProtoSession
}

/** A protocol on one connection. */
export interface ProtoSession {
  /**
   * The bytes of one message, or of its payload in an envelope; '' or no bytes when there is nothing to write yet. Text becomes UTF-8. Bytes
   * are read before this is called again, so the same memory may be used for each message.
   * @throws ProtoError when the session must close; any other error when the protocol has no form for the message: a call or push then fails
   *   with 104, a reply becomes a 500. A body over `limits.maxMessage` does not come here.
   */
  pack(message: Outgoing): string | Uint8Array
  /**
   * Reads the next message from `bytes[start, end)` into `message`, which is clear; all of it is borrowed until this returns and the message
   * was handled. Other connections' bytes lie around it: write nothing to it or to its `bytes.buffer`, and transfer neither (`postMessage`,
   * `structuredClone`, `ArrayBuffer.prototype.transfer`); copy what is to be kept. In an envelope the range is one whole payload. In a stream it is what came and is not used up yet.
   * @returns how many bytes are used up. `message.type` stays 0 when they make no message: in a stream that asks for more bytes unless some
   *   were used up. None used up with a message is fine: the same bytes come again. What is not used up comes again with what follows, so long messages must not be searched from their start each time.
   * @throws ProtoError (or any error) when the bytes are not the protocol: the session closes
   */
  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number
  /** Optional, for `bodyFilters`: false when `message` gains nothing by filters and is to go without. */
  shouldFilter?(message: Outgoing): boolean
  /** Optional: the beginning of a message was used up, so that the rest must come within `limits.frameTimeout`. */
  readonly unfinished?: boolean | undefined
  /** Optional, in a stream: milliseconds after which an accepted connection is closed that was `idle` all the time and silent; 0: never. */
  readonly idleTimeout?: number | undefined
  /** Nobody waits for anything on this connection. */
  readonly idle?: boolean | undefined
  /**
   * Optional, in a stream: the peer sends no more. Puts the message into `message` that ends with the connection, if there is one.
   * @throws as `unpack`
   */
  finish?(message: Incoming): void
  /** Optional: the connection is gone. */
  close?(): void
}

/** What a protocol knows of its connection, and can do with it. */
export interface ProtoLink {
  readonly limits: Readonly<Limits>
  /** False: we dialled. */
  readonly accepted: boolean
  /** Where we dialled, `host:port` as a URL has it (IPv6 in brackets), `localhost` for a Unix socket; undefined: the connection was accepted. */
  readonly authority: string | undefined
  /** The endpoint's. */
  readonly clock: Clock
  /** Whether a route takes CALLs of this name, which is one of `Incoming.route`. @internal */
  readonly handles?: ((route: number) => boolean) | undefined
  /** Whether what takes CALLs of this name is registered as `safe`; undefined: nothing takes them. @internal */
  readonly isSafe?: ((route: number) => boolean | undefined) | undefined
  /** Sends bytes that are no message, such as an interim answer, in order with the messages. */
  write(bytes: string | Uint8Array): void
  /**
   * Closes the session when what was sent is written, inside `pack` also what that returns; messages that still come are not delivered.
   * @param reason default: this side wished it
   */
  end(reason?: CloseReason): void
}

/** What `unpack` throws when the stream can no longer be trusted. */
export class ProtoError extends Error {
  override readonly name = 'ProtoError'
  readonly reason: CloseReason | undefined
  readonly finalResponse: string

  /**
   * @param reason default: `CloseReason.Malformed`, 'bytes that are not the protocol'
   * @param finalResponse written to the peer before the connection closes, as HTTP's 400 is
   */
  constructor(message: string, reason?: CloseReason, finalResponse = '') {
    super(message)
    this.reason = reason
    this.finalResponse = finalResponse
  }

  static {
    marked(ProtoError, 'ProtoError')
  }
}
