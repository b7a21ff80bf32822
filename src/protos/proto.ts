import type { Limits } from '../base/limits.ts'
import { marked } from '../base/mark.ts'
import type { Clock } from '../base/time/clock.ts'
import type { CloseReason } from '../message/close-reason.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'

/**
 * An application protocol: how messages become bytes and bytes become messages. Both ends of a connection must use the
 * same one. Pass your own in `new Endpoint({ protocols: [yours] })` and name it in `dial` or `listen`.
 */
export interface Proto {
  /**
   * Id of the protocol, 1 to 255, unique among the protocols of an endpoint. It is never sent
   * (docs/spec/wire.md#protocols).
   */
  readonly id: number
  /** Name of the protocol, as `dial` and `listen` use it; unique among the protocols of an endpoint. */
  readonly name: string
  /**
   * How messages lie in the bytes of a connection.
   *
   * - `stream`: the protocol finds its messages in the bytes as they arrive.
   * - `envelope`: each message is a u32 big-endian size that does not count itself, the number of transfer filters,
   *   their ids, and a payload that went through them (docs/spec/wire.md#envelope). The transport cuts envelopes, and
   *   the filters are removed before `unpack` gets a payload.
   */
  readonly framing: 'stream' | 'envelope'
  /**
   * Names of the filters that a `stream` protocol can announce to the peer. They apply to the body alone. Default:
   * none.
   */
  readonly bodyFilters?: readonly string[] | undefined
  /**
   * For listeners with several protocols: whether a connection that begins with `bytes` (with the envelope, if there is
   * one) uses this protocol; undefined while there are too few bytes. Default: none, and then the protocol
   * needs a listener to itself.
   */
  match?(bytes: Uint8Array, limits: Readonly<Limits>): boolean | undefined
  /**
   * Loads what the protocol needs, before an endpoint listens or dials with it, so that `open` may rely on it. Default:
   * none.
   *
   * @throws (rejects) an error that says why the protocol cannot run here: `listen` and `dial` reject with it
   */
  prepare?(): Promise<void>
  /** Starts the protocol on a connection. Called once for each connection. */
  open(link: ProtoLink): ProtoSession
}

/** A protocol on one connection. */
export interface ProtoSession {
  /**
   * Returns the bytes of one message, or of its payload in an envelope; '' or no bytes when nothing is to be written
   * yet. Text becomes UTF-8. The bytes are read before the next call, so the same memory may be used for each message.
   * A body over `limits.maxMessage` is refused before.
   *
   * @throws ProtoError when the session must close
   * @throws Error of another kind when the protocol has no form for the message: a call or push then fails with 104,
   *   a reply becomes a 500
   */
  pack(message: Outgoing): string | Uint8Array
  /**
   * Writes a message without status and meta, whose body is still to be encoded, into `target[at, end)`: the same bytes
   * as `pack` would return. Changes nothing else. Default: `pack` is asked.
   *
   * @returns where it ends; -1 when it must be encoded and packed. Then bytes may have been written.
   * @internal
   */
  write?(message: Outgoing, target: Buffer, at: number, end: number): number
  /**
   * Reads the next message from `bytes[start, end)` into `message`, which is clear. In an envelope the range is one
   * whole payload. In a stream it is what was received and is not used up yet.
   *
   * The bytes are borrowed until this returns and the message was handled, and bytes of other connections lie around
   * them. So write nothing to them or to `bytes.buffer`, transfer neither (`postMessage`, `structuredClone`,
   * `ArrayBuffer.prototype.transfer`), and copy what must be kept.
   *
   * Bytes of a stream that are not used up are passed again with those that follow, so long messages must not be
   * searched from their start each time.
   *
   * @returns the number of bytes used up. `message.type` stays 0 when they make no message; in a stream, 0 bytes then
   *   ask for more. 0 bytes with a message are allowed: the same bytes are passed again.
   * @throws ProtoError (or any error) when the bytes violate the protocol: the session closes
   */
  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number
  /** For `bodyFilters`: whether filters are worth their cost for `message`. Default: always. */
  shouldFilter?(message: Outgoing): boolean
  /**
   * Whether part of a message was used up, so that the rest must arrive within `limits.frameTimeout`. Default: false.
   */
  readonly unfinished?: boolean | undefined
  /**
   * In a stream: milliseconds after which an accepted connection is closed that was `idle` and silent all the time; 0
   * means never. Default: 0.
   */
  readonly idleTimeout?: number | undefined
  /** Whether neither side waits for anything on this connection. Default: false. */
  readonly idle?: boolean | undefined
  /**
   * In a stream: completes the message that ends with the connection, if there is one, in `message`. Called when the
   * peer sends no more. Default: none.
   *
   * @throws as `unpack`
   */
  finish?(message: Incoming): void
  /** Releases what the connection held: it is closed. Default: none. */
  close?(): void
}

/** The connection of a protocol, as the protocol sees it. */
export interface ProtoLink {
  /** Limits of the endpoint. */
  readonly limits: Readonly<Limits>
  /** Whether the connection was accepted; false when this side dialled. */
  readonly accepted: boolean
  /**
   * Host and port that were dialled, as in a URL (IPv6 in brackets), `localhost` for a Unix socket; undefined when the
   * connection was accepted.
   */
  readonly authority: string | undefined
  /** The endpoint's clock. */
  readonly clock: Clock
  /**
   * Whether a route handles CALLs with this name, which is an `Incoming.route`.
   *
   * @internal
   */
  readonly handles?: ((route: number) => boolean) | undefined
  /**
   * Whether the handler of CALLs with this name is registered as `safe`; undefined when there is none.
   *
   * @internal
   */
  readonly isSafe?: ((route: number) => boolean | undefined) | undefined
  /** Sends bytes that are no message, such as an interim response, in order with the messages. */
  write(bytes: string | Uint8Array): void
  /**
   * Closes the session once everything sent is written; inside `pack` that includes what `pack` returns. Messages
   * received from now on are not delivered.
   *
   * @param reason why; default: this side closed the session
   */
  end(reason?: CloseReason): void
}

/** The error that `pack` and `unpack` throw when the session must close. */
export class ProtoError extends Error {
  /** Always 'ProtoError'. */
  override readonly name = 'ProtoError'
  /** Reason that the session closes for; undefined means `CloseReason.Malformed`. */
  readonly reason: CloseReason | undefined
  /** Text that is sent before the connection closes; '' for none. */
  readonly finalResponse: string

  /**
   * Makes an error that closes the session.
   *
   * @param message describes what is wrong
   * @param reason why the session closes; default: `CloseReason.Malformed`, 'bytes that are not the protocol'
   * @param finalResponse sent to the peer before the connection closes, such as HTTP's 400; default: nothing
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
