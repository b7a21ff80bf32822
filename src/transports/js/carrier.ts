import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { immediate } from '../../base/time/clock.ts'

/** A `net.Socket`, or a duplex stream that replaces one: without options of the system's sockets. */
export type ByteSocket = Duplex & Pick<Socket, 'bytesRead'> & Partial<Pick<Socket, 'setNoDelay' | 'setKeepAlive'>>

/** Gets what a carrier reports: the connection above. */
export interface CarrierOwner {
  /** Receives bytes: `chunk[0, length)`, borrowed until this returns. */
  onData(length: number, chunk: Uint8Array): void
  /** Called when the peer has ended its direction. */
  onEnd(): void
  /** Called when the carrier failed; `onClosed` follows. */
  onError(error: NodeJS.ErrnoException): void
  /** Called when everything given to `write` is taken, after a `write` that returned false. */
  onWritten(): void
  /** Called once, as the last call, and never from inside `destroy`. */
  onClosed(): void
}

/**
 * Carries the bytes of a `SocketConnection`: a socket, TLS, WebSocket. The twin of a stack of layers in the core
 * (native/layer/layer.h). Nothing is read before `start`.
 */
export abstract class Carrier {
  /** Set by the connection, before anything is reported. */
  owner!: CarrierOwner
  /** Changes when bytes of the peer arrive, also those that are no bytes of the connection above. */
  abstract readonly bytesRead: number
  /** Whether `end` was called and everything before it was given to the system. */
  abstract readonly ended: boolean
  /** Bytes of the last write that the system has not taken; undefined when that is not known. */
  abstract readonly unwritten: number | undefined
  /** The system's descriptor; -1 when there is none. */
  abstract readonly descriptor: number
  /** Begins to read and to report bytes. */
  abstract start(): void
  abstract pause(): void
  abstract resume(): void
  /**
   * Writes `views` in order. They must not change until everything is taken.
   * @returns whether everything is taken already; otherwise `owner.onWritten` follows, and `write` must not be called
   *   before
   */
  abstract write(views: readonly Buffer[]): boolean
  /** Ends this direction. Requires that everything is written. */
  abstract end(): void
  /** Closes at once. */
  abstract destroy(): void
  setNoDelay(_on: boolean): void {}
  setKeepAlive(_on: boolean, _idle: number): void {}
}

const empty = Buffer.alloc(0)

/** A carrier over a stream: a socket, or TLS of `node:tls`. */
export class StreamCarrier extends Carrier {
  protected readonly socket: ByteSocket
  readonly #head: Uint8Array

  /**
   * @param socket connected, paused, and made with `allowHalfOpen`, so that answers can still be written after a FIN.
   *   It may have ended, but not closed
   * @param head bytes that others have read from it
   */
  constructor(socket: ByteSocket, head: Uint8Array = empty) {
    super()
    this.socket = socket
    this.#head = head
    if (head.length > 0 && !socket.readableEnded) socket.unshift(head)
    socket.on('end', () => this.onEnd())
    socket.on('error', (error: NodeJS.ErrnoException) => this.onError(error))
    socket.on('close', () => this.owner.onClosed())
  }

  get bytesRead(): number {
    return this.socket.bytesRead
  }

  get ended(): boolean {
    return this.socket.writableEnded
  }

  /**
   * Read from a field of the handle, as Node's own socket timeout does; undefined where a runtime lacks it.
   */
  get unwritten(): number | undefined {
    return this.#handle?.writeQueueSize
  }

  /** Read from a field of the handle, because Node has no public way. */
  get descriptor(): number {
    return this.#handle?.fd ?? -1
  }

  get #handle(): { fd?: number; writeQueueSize?: number } | null | undefined {
    return (this.socket as Duplex & { _handle?: { fd?: number; writeQueueSize?: number } | null })._handle
  }

  start(): void {
    this.socket.on('data', (chunk: Buffer) => this.owner.onData(chunk.length, chunk))
    this.socket.resume()
    // Otherwise this end, which came before anybody listened here, would be lost.
    if (this.socket.readableEnded) immediate(() => this.#endLate())
  }

  #endLate(): void {
    if (this.socket.destroyed) return
    if (this.#head.length > 0) this.owner.onData(this.#head.length, this.#head)
    this.onEnd()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  write(views: readonly Buffer[]): boolean {
    const { socket } = this
    if (views.length === 1) {
      socket.write(views[0])
    } else {
      socket.cork()
      for (const view of views) socket.write(view)
      socket.uncork()
    }
    // The usual case: the system took everything. A callback would cost 0.6 µs for nothing.
    if (socket.writableLength === 0) return true
    // The callback of an empty write runs after everything before it.
    socket.write(empty, this.#onWritten)
    return false
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  override setNoDelay(on: boolean): void {
    this.socket.setNoDelay?.(on)
  }

  override setKeepAlive(on: boolean, idle: number): void {
    this.socket.setKeepAlive?.(on, idle)
  }

  protected onError(error: NodeJS.ErrnoException): void {
    this.owner.onError(error)
  }

  protected onEnd(): void {
    this.owner.onEnd()
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (!error && this.socket.writableLength === 0) this.owner.onWritten()
  }
}
