import type { HandshakeGate } from '../transports/transport.ts'

/** Counts the handshakes of all gates, and checks the limits of connections. */
export interface GateKeeper {
  /**
   * Counts a connection that wants to begin a handshake.
   * @param full whether its listener takes no more
   * @returns whether the connection may begin
   */
  admit(remoteAddress: string, full: boolean): boolean
  /** Handles the failure of a handshake that was admitted. */
  failed(remoteAddress: string, reason: string): void
}

/** Bounds the handshakes of one listener that run at the same time. */
export class ListenerGate implements HandshakeGate {
  readonly #max: number
  readonly #keeper: GateKeeper
  #running = 0

  constructor(max: number, keeper: GateKeeper) {
    this.#max = max
    this.#keeper = keeper
  }

  begin(remoteAddress: string): boolean {
    if (!this.#keeper.admit(remoteAddress, this.#running >= this.#max)) return false
    this.#running++
    return true
  }

  fail(remoteAddress: string, reason: string): void {
    this.#running--
    this.#keeper.failed(remoteAddress, reason)
  }

  /** Ends a handshake that succeeded. */
  finish(): void {
    this.#running--
  }
}
