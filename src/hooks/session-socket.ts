import { getSystemErrorName } from 'node:util'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { checkBuffer, checkFlag, checkIdle, defaultSocket, keepAliveSeconds, unsupportedBuffers } from '../transports/socket-options.ts'
import { type Connection, NOT_OPEN, NOT_SUPPORTED, SocketOption } from '../transports/transport.ts'

/**
 * The socket of a session's connection (Go's ControlFD and socket settings, docs/spec/behaviour.md#socket). What is set here holds for the
 * connections that redial makes too. Each method throws TypeError or RangeError for bad values, StatusError 102 when there is no
 * connection, 1 when the transport or the system cannot do it.
 */
export interface SessionSocket {
  /**
   * The system's number of the socket, -1 where there is none: the connection is gone, or its transport has no sockets. It is lent: whoever
   * closes it, reads or writes it, breaks the session, and after the session the number may be another file's.
   */
  readonly fd: number
  /** Whether small messages leave at once. Does nothing on Unix sockets. */
  setNoDelay(on?: boolean): void
  /**
   * Whether the system asks a silent peer for a sign of life.
   * @param idle milliseconds of silence, rounded up to whole seconds; default 15,000
   */
  setKeepAlive(on: boolean, idle?: number): void
  /** Bytes that the system may hold, either way; what is not named stays as it is. Native transport only. */
  setBufferSizes(sizes: { receive?: number | undefined; send?: number | undefined }): void
}

export class ConnectionSocket implements SessionSocket {
  #connection: Connection
  /** What was set, for the next connection. */
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

  /** The session has another connection. */
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
