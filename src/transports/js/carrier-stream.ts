import { Duplex } from 'node:stream'
import type { Carrier, CarrierOwner } from './carrier.ts'

/** A carrier as a stream, for what must lie between it and a connection: TLS over a conversation of KCP. */
export class CarrierStream extends Duplex implements CarrierOwner {
  readonly localAddress: string
  /** Host without brackets, and port, as a socket has them. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #carrier: Carrier
  #started = false
  #onTaken: (() => void) | undefined
  #onClosed: (() => void) | undefined
  #closed = false

  /** @param remote `host:port` */
  constructor(carrier: Carrier, local: string, remote: string) {
    super({ allowHalfOpen: true })
    const colon = remote.lastIndexOf(':')
    this.localAddress = local
    this.remoteAddress = remote.slice(0, colon).replace(/^\[|\]$/g, '')
    this.remotePort = Number(remote.slice(colon + 1))
    this.#carrier = carrier
    carrier.owner = this
  }

  get bytesRead(): number {
    return this.#carrier.bytesRead
  }

  override _read(): void {
    if (this.#started) this.#carrier.resume()
    else this.#carrier.start()
    this.#started = true
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#carrier.write([chunk])) done()
    else this.#onTaken = done
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#carrier.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#carrier.destroy()
    if (this.#closed) done(error)
    else this.#onClosed = () => done(error)
  }

  /** @internal */
  onData(_length: number, chunk: Uint8Array): void {
    if (!this.push(chunk)) this.#carrier.pause()
  }

  /** @internal */
  onEnd(): void {
    this.push(null)
    // As a socket whose both directions have ended: nobody may read it any more.
    if (this.writableFinished) this.destroy()
  }

  /** @internal */
  onError(error: NodeJS.ErrnoException): void {
    this.destroy(error)
  }

  /** @internal */
  onWritten(): void {
    const done = this.#onTaken
    this.#onTaken = undefined
    done?.()
  }

  /** @internal */
  onClosed(): void {
    this.#closed = true
    this.#onClosed?.()
  }
}
