import { closeSync } from 'node:fs'
import type { Address } from '../address.ts'
import type { TransportListener } from '../transport.ts'
import { type InheritedSocket, remover } from './sockets.ts'

/**
 * Holds back listeners until the process that had the sockets agrees: it serves alone until then, so that nothing is
 * lost when this process never gets ready.
 */
export class AcceptGate {
  readonly #waiting = new Set<InheritedListener>()
  #closed = true

  /** Whether listeners wait. */
  get isClosed(): boolean {
    return this.#closed
  }

  add(listener: InheritedListener): void {
    this.#waiting.add(listener)
  }

  /**
   * Makes all listeners accept.
   * @throws (rejects) what the first one failed with
   */
  async open(): Promise<void> {
    this.#closed = false
    const all = [...this.#waiting]
    this.#waiting.clear()
    await Promise.all(all.map((listener) => listener.start()))
  }
}

/** A listener on an inherited socket. It accepts from `start` on. */
export class InheritedListener implements TransportListener {
  readonly address: Address
  readonly #socket: InheritedSocket
  readonly #listen: (descriptor: number) => Promise<TransportListener>
  readonly #removePath: () => void
  #starting: Promise<TransportListener> | undefined
  #listener: TransportListener | undefined
  #closed = false

  /** @param listen begins to accept on the descriptor */
  constructor(socket: InheritedSocket, listen: (descriptor: number) => Promise<TransportListener>) {
    const { bound, ownsPath } = socket
    this.address = bound
    this.#socket = socket
    this.#listen = listen
    this.#removePath = bound.kind === 'unix' && ownsPath ? remover(bound.path) : () => {}
  }

  async start(): Promise<void> {
    if (this.#closed) return
    this.#starting = this.#listen(this.#socket.descriptor)
    this.#listener = await this.#starting
  }

  descriptor(): number {
    if (this.#starting === undefined) return this.#closed ? -1 : this.#socket.descriptor
    return this.#listener?.descriptor?.() ?? -1
  }

  setSecureContext(): void {
    this.#listener?.setSecureContext?.()
  }

  async close(handedOver?: boolean): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (handedOver !== true) this.#removePath()
    if (this.#starting === undefined) closeSync(this.#socket.descriptor)
    else await this.#starting.then((listener) => listener.close(handedOver))
  }
}
