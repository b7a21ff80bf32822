import { Code, StatusError } from '../base/errors/status.ts'
import type { Address } from '../transports/address.ts'
import type { ConnectionOptions, Transport, TransportConnection } from '../transports/transport.ts'
import type { Framing } from '../wire/framing.ts'
import { PageConnection } from './connection.ts'

/** The checked options of a WebSocket that a page dials. */
export interface PageWebSocket {
  /** Path with its query. */
  readonly path: string
  /** '' for none. */
  readonly subprotocol: string
}

/** The transport of pages and their workers: the browser's WebSocket. */
export class PageTransport implements Transport {
  readonly kind: 'browser' = 'browser'
  readonly resolves = true

  async listen(): Promise<never> {
    throw new StatusError(Code.InvalidOperation, undefined, 'a page cannot listen')
  }

  /** Makes a connection that `openWebSocket` opens. */
  async dial(address: Address, options: ConnectionOptions): Promise<TransportConnection> {
    return new PageConnection(address, options)
  }
}

/**
 * Opens a dialled connection. Reading is paused afterwards, so that nothing is lost before the session is there.
 *
 * @throws Error (rejects) when the browser cannot connect; the signal's reason when that fires first
 */
export function openWebSocket(
  connection: TransportConnection,
  { path, subprotocol }: PageWebSocket,
  authority: string,
  framing: Framing,
  signal: AbortSignal,
): Promise<void> {
  return (connection as PageConnection).open(authority, path, subprotocol, framing, signal)
}
