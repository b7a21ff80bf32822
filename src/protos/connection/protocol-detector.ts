import type { Limits } from '../../base/limits.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Incoming } from '../../message/message.ts'
import { type ConnectionHandler, MAX_PEEK, type TransportConnection } from '../../transports/transport.ts'
import { Framing } from '../../wire/framing.ts'
import { matchUpgrade } from '../http/match-upgrade.ts'
import type { Protocol } from '../proto-table.ts'

/**
 * Finds the one of `protocols` that begins with `bytes`.
 *
 * @returns undefined when more bytes are needed; null when none or several match
 */
function detect(protocols: readonly Protocol[], bytes: Uint8Array, limits: Readonly<Limits>): Protocol | undefined | null {
  let found: Protocol | undefined
  let open = 0
  for (const protocol of protocols) {
    const matches = protocol.match?.(bytes, limits)
    if (matches === undefined) {
      open++
    } else if (matches) {
      if (found !== undefined) return null
      found = protocol
    }
  }
  if (open === 0) return found ?? null
  return bytes.length < MAX_PEEK ? undefined : null
}

/** Learns what a connection speaks. Must give it another handler before `onProtocol` and `onUpgrade` return. */
interface DetectorOwner {
  onProtocol(protocol: Protocol): void
  /** Path of WebSockets; undefined where none are offered. */
  readonly webSocketPath: string | undefined
  /** The first bytes ask for a WebSocket. The handler gets them next. */
  onUpgrade(): void
  onClosed(reason: number): void
}

/**
 * An accepted connection whose protocol is not known yet. Its first bytes must arrive within `limits.frameTimeout`.
 */
export class ProtocolDetector implements ConnectionHandler {
  readonly #connection: TransportConnection
  readonly #protocols: readonly Protocol[]
  readonly #limits: Readonly<Limits>
  readonly #owner: DetectorOwner

  constructor(connection: TransportConnection, protocols: readonly Protocol[], limits: Readonly<Limits>, owner: DetectorOwner) {
    this.#connection = connection
    this.#protocols = protocols
    this.#limits = limits
    this.#owner = owner
    connection.handler = this
  }

  onMessage(message: Incoming): void {
    const { buffer, bodyStart, bodyEnd } = message
    // A transport may read more at once, which must make no difference.
    const bytes = buffer.subarray(bodyStart, Math.min(bodyEnd, bodyStart + MAX_PEEK))
    const { webSocketPath } = this.#owner
    if (webSocketPath !== undefined) {
      const upgrade = matchUpgrade(bytes, webSocketPath, MAX_PEEK)
      if (upgrade === undefined) {
        this.#connection.setFraming(Framing.Peek)
        return
      }
      if (upgrade) {
        this.#owner.onUpgrade()
        this.#connection.handler.onMessage(message)
        return
      }
    }
    const protocol = detect(this.#protocols, bytes, this.#limits)
    if (protocol === null) {
      this.#connection.destroy(CloseReason.Protocol)
    } else if (protocol === undefined) {
      this.#connection.setFraming(Framing.Peek)
    } else {
      this.#connection.setFraming(framingOf(protocol))
      this.#owner.onProtocol(protocol)
    }
  }

  onClose(reason: number): void {
    this.#owner.onClosed(reason)
  }
}

/** The framing that a transport uses for the protocol. */
export function framingOf(protocol: Protocol): Framing {
  if (protocol.framing === 'raw') return Framing.Raw
  return protocol.framing === 'envelope' ? Framing.Envelope : Framing.Stream
}
