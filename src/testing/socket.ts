import { Duplex } from 'node:stream'
import type { Pipe, Receiver } from './pipe.ts'

/**
 * One end of a connection in memory, with everything that the JavaScript transport's connection needs of a
 * `net.Socket`.
 */
export class MemorySocket extends Duplex implements Receiver {
  wants = false
  bytesRead = 0
  /** Describes the user of this end, for reports. */
  describe: (() => string) | undefined
  readonly #in: Pipe
  readonly #out: Pipe
  readonly #onClose: (unread: boolean) => void
  /** Where Node's sockets report how much of a write the system has not taken. */
  readonly _handle: { readonly writeQueueSize: number }

  /** @param onClose called when this end is closed; `unread` is true when arrived bytes were not read */
  constructor(incoming: Pipe, outgoing: Pipe, onClose: (unread: boolean) => void) {
    // One byte, because unread bytes stay in the pipe, whose bound is the only one.
    super({ allowHalfOpen: true, readableHighWaterMark: 1, decodeStrings: true })
    this.#in = incoming
    this.#out = outgoing
    this.#onClose = onClose
    this._handle = {
      get writeQueueSize() {
        return outgoing.waiting
      },
    }
    incoming.receiver = this
  }

  receive(bytes: Buffer | null): void {
    if (bytes !== null) this.bytesRead += bytes.length
    this.push(bytes)
  }

  /** Closes this end with a system error, because the connection is gone. */
  fail(code: string): void {
    this.destroy(Object.assign(new Error(`read ${code}`), { code, syscall: 'read' }))
  }

  override _read(): void {
    this.wants = true
    this.#in.pull()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#out.write([chunk], callback)
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#out.write(
      chunks.map(({ chunk }) => chunk),
      callback,
    )
  }

  override _final(callback: () => void): void {
    this.#out.finish()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const unread = this.#in.unread + this.readableLength > 0
    this.#in.receiver = undefined
    this.#onClose(unread)
    callback(error)
  }
}
