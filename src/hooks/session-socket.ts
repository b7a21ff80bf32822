import { getSystemErrorName } from 'node:util'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { checkBuffer, checkFlag, checkIdle, defaultSocket, keepAliveSeconds, unsupportedBuffers } from '../transports/socket-options.ts'
import { type Connection, NOT_OPEN, NOT_SUPPORTED, SocketOption } from '../transports/transport.ts'

/**
 * The socket of a session's connection (Go's `ControlFD` and socket settings, docs/spec/behaviour.md#socket). What is
 * set here also holds for the connections that redial (reconnect) makes.
 *
 * Methods throw a TypeError or RangeError for bad values, a StatusError 102 when there is no connection, and a
 * StatusError 1 when the transport or the system does not support the option.
 */
export interface SessionSocket {
  /**
   * The system's descriptor of the socket; -1 when the connection is lost or the transport has no sockets. Borrowed:
   * closing, reading or writing it breaks the session, and after the session the number may belong to another file.
   */
  readonly fd: number
  /**
   * Sets whether small messages leave at once (TCP_NODELAY). Does nothing on Unix sockets.
   *
   * @param on default true
   */
  setNoDelay(on?: boolean): void
  /**
   * Sets whether the system probes a silent peer (TCP keep-alive).
   *
   * @param on whether it does
   * @param idle milliseconds of silence, rounded up to whole seconds; default 15,000
   */
  setKeepAlive(on: boolean, idle?: number): void
  /**
   * Sets how many bytes the system buffers in each direction. A size that is not given stays as it is. Native transport
   * only.
   *
   * @param sizes bytes to receive and to send
   */
  setBufferSizes(sizes: { receive?: number | undefined; send?: number | undefined }): void
}

/** `SessionSocket` of the session's connection. */
export class ConnectionSocket implements SessionSocket {
  #connection: Connection
  /** Options that were set, for the next connection. */
  readonly #chosen = new Map<SocketOption, number>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get fd(): number {
    return this.#connection.descriptor ?? -1
  }

  setNoDelay(on = true): void {
    this.#set(SocketOption.NoDelay, checkFlag('noDelay', on) ? 1 : 0)
  }

  setKeepAlive(on: boolean, idle: number = defaultSocket.keepAliveIdle): void {
    this.#set(SocketOption.KeepAlive, keepAliveSeconds(checkFlag('keepAlive', on), checkIdle('idle', idle)))
  }

  setBufferSizes({ receive, send }: { receive?: number | undefined; send?: number | undefined }): void {
    if (receive !== undefined) checkBuffer('receive', receive)
    if (send !== undefined) checkBuffer('send', send)
    if (receive !== undefined) this.#set(SocketOption.ReceiveBuffer, receive)
    if (send !== undefined) this.#set(SocketOption.SendBuffer, send)
  }

  /** Applies the options to the session's next connection. */
  move(connection: Connection): void {
    this.#connection = connection
    for (const [option, value] of this.#chosen) connection.setSocketOption?.(option, value)
  }

  #set(option: SocketOption, value: number): void {
    const error = this.#connection.setSocketOption?.(option, value) ?? NOT_SUPPORTED
    if (error === 0) {
      this.#chosen.set(option, value)
      return
    }
    if (error === NOT_OPEN) throw new StatusError(Code.ConnectionClosed)
    if (error === NOT_SUPPORTED && option >= SocketOption.ReceiveBuffer) throw unsupportedBuffers()
    const cause = error === NOT_SUPPORTED ? 'the session has no socket' : getSystemErrorName(error)
    throw new StatusError(Code.InvalidOperation, statusText(Code.InvalidOperation), cause)
  }
}
