import type { TLSSocket } from 'node:tls'
import { immediate } from '../../../base/time/clock.ts'
import { textOfTlsError } from '../../tls/tls-facts.ts'
import type { CarrierStream } from '../carrier-stream.ts'
import { StreamCarrier } from '../shared.ts'

/** A carrier over `node:tls` in a conversation. */
export class KcpTlsCarrier extends StreamCarrier {
  readonly #below: CarrierStream

  constructor(socket: TLSSocket, below: CarrierStream) {
    super(socket)
    this.#below = below
  }

  override get bytesRead(): number {
    return this.#below.bytesRead
  }

  /** Ends TLS first, so that the peer sees an end: nothing else tells a Go peer of one. */
  override destroy(): void {
    const { socket } = this
    if (!socket.destroyed && !socket.writableEnded && socket.writableLength === 0) socket.end()
    immediate(() => {
      socket.destroy()
      this.#below.destroy()
    })
  }

  protected override onError(error: NodeJS.ErrnoException): void {
    super.onError('library' in error ? Object.assign(error, { code: textOfTlsError(error) }) : error)
  }
}
