import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { immediate } from '../../base/time/clock.ts'
import { NO_CLOSE_NOTIFY, textOfTlsError } from '../tls/tls-facts.ts'
import { StreamCarrier } from './carrier.ts'

/** The parts of Node's handles that are used here: they are fields without a public way to them. */
interface Handle {
  reading?: boolean
  onread?: (...args: unknown[]) => unknown
  readStart?: () => number
  readStop?: () => number
  _parent?: Handle
}

/**
 * A carrier over `node:tls`. Node.js reports the end of a TLS connection in the same way whether its peer ended it in
 * order, by close_notify, or only by FIN, as an attacker can. The latter is reported as an error here, because it is a
 * loss.
 */
export class TlsCarrier extends StreamCarrier {
  readonly #socket: TLSSocket
  readonly #raw: Socket
  /** Whether the TCP connection has ended without close_notify. */
  #truncated = false
  #destroyed = false

  /**
   * @param raw the TCP socket below `socket`, whose bytes are counted
   * @param head as `StreamCarrier` has it
   */
  constructor(socket: TLSSocket, raw: Socket, head?: Uint8Array) {
    super(socket, head)
    this.#socket = socket
    this.#raw = raw
    const { _handle: handle } = socket as TLSSocket & { _handle?: Handle | null }
    if (handle) this.#watchEnd(handle)
  }

  override get bytesRead(): number {
    return this.#raw.bytesRead
  }

  /** Ends TLS first, so that the peer sees an end and not a loss; not when that would have to wait for the peer. */
  override destroy(): void {
    const socket = this.#socket
    if (this.#destroyed || socket.destroyed || socket.writableEnded || socket.writableLength > 0) {
      socket.destroy()
      return
    }
    this.#destroyed = true
    socket.end()
    // Node.js writes close_notify in the ticks before.
    immediate(() => socket.destroy())
  }

  /** Errors of TLS in OpenSSL's words, as the core has them. */
  protected override onError(error: NodeJS.ErrnoException): void {
    super.onError('library' in error ? Object.assign(error, { code: textOfTlsError(error) }) : error)
  }

  protected override onEnd(): void {
    if (this.#truncated) this.owner.onError(Object.assign(new Error(NO_CLOSE_NOTIFY), { code: NO_CLOSE_NOTIFY }))
    else super.onEnd()
  }

  /**
   * Finds out why a read ends. libuv has stopped to read the TCP socket when its FIN came, and is still reading it when
   * close_notify came: then starting again fails. Where a runtime lacks these fields every end counts as in order.
   */
  #watchEnd(handle: Handle): void {
    const { onread, _parent: parent } = handle
    if (typeof onread !== 'function' || typeof parent?.readStart !== 'function' || typeof parent.readStop !== 'function') return
    const carrier = this
    handle.onread = function (this: unknown, ...args: unknown[]) {
      // Without bytes: an end or an error.
      if (args[0] === undefined && handle.reading !== false && parent.readStart?.() === 0) {
        parent.readStop?.()
        carrier.#truncated = true
      }
      return onread.apply(this, args)
    }
  }
}
