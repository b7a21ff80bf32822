import { type Address, isSecure, webSocketPath } from '../../transports/address.ts'
import { javaScriptTransport } from '../../transports/choose.ts'
import { netModule } from '../../transports/js/deferred.ts'
import type { Transport } from '../../transports/transport.ts'
import type { WebSocketListen } from './options.ts'

/**
 * Chooses what listens for WebSockets; undefined for the endpoint's transport.
 *
 * @throws TypeError (rejects) for an engine that is none, or that cannot do what is asked for
 */
export async function listenEngine(
  { engine, perMessageDeflate }: WebSocketListen,
  address: Address,
): Promise<Pick<Transport, 'listen'> | undefined> {
  if (engine === undefined) return perMessageDeflate ? javaScriptTransport() : undefined
  if (engine !== 'uws') throw new TypeError(`option websocket.engine must be 'uws', got ${JSON.stringify(engine)}`)
  if (isSecure(address) || webSocketPath(address) === undefined) throw new TypeError("option websocket.engine 'uws' needs a ws:// address")
  if (perMessageDeflate) throw new TypeError("option websocket.perMessageDeflate: engine 'uws' has none here")
  const { listenOnUws } = await netModule.load()
  return { listen: listenOnUws }
}
