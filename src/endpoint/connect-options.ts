import { duration, flag, optionNames, requireNames, requireOptions, requireSignal, requireText } from '../base/check-options.ts'
import type { Protocol } from '../protos/proto-table.ts'
import type { Settings } from '../session/options.ts'
import { type Redial, type RedialOptions, readRedial } from '../session/redial.ts'
import { type Address, webSocketPath } from '../transports/address.ts'
import { readSocketOptions, requireSupported, type SocketOptions, type SocketSettings } from '../transports/socket-options.ts'
import type { ListenOptions as PortOptions, TransportKind } from '../transports/transport.ts'
import {
  readWebSocketDial,
  readWebSocketListen,
  type WebSocketDial,
  type WebSocketDialOptions,
  type WebSocketListen,
  type WebSocketListenOptions,
} from '../websocket/options.ts'

/** A listening address of an endpoint. */
export interface Listener {
  /**
   * The address with the real port, such as `tcp://127.0.0.1:40123`. It can be dialled unless the host is 0.0.0.0 or
   * [::].
   */
  readonly url: string
  /** Stops accepting connections; sessions stay open. */
  close(): Promise<void>
}

/** Options of `Endpoint.listen`. */
export interface ListenOptions extends PortOptions {
  /**
   * Names of the protocols served on this address. With several, the first bytes of a connection decide, once; bytes of
   * none or of more than one close it, and so does silence for `limits.frameTimeout`. Default: the endpoint's
   * `protocol`.
   */
  protocols?: readonly string[] | undefined
  /** Options for the sockets of accepted connections, in addition to the endpoint's `socket`. Default: none. */
  socket?: SocketOptions | undefined
  /** Options of WebSockets, on `ws://` and `wss://`, or beside the protocols of another address. Default: none. */
  websocket?: WebSocketListenOptions | undefined
}

/** Options of `Endpoint.upgrade`: those of `listen` without what concerns a port. */
export type UpgradeOptions = Pick<ListenOptions, 'protocols' | 'socket' | 'websocket'>

/** Options of `Endpoint.dial`. */
export interface DialOptions {
  /** Name of the protocol that the peer speaks. Default: the endpoint's `protocol`. */
  protocol?: string | undefined
  /**
   * Whether the session redials (reconnects) when its connection is lost, and how. The first connection is then also
   * retried until `timeout`. Default: the endpoint's `redial`.
   */
  redial?: boolean | RedialOptions | undefined
  /** Options for the socket, in addition to the endpoint's `socket`. Default: none. */
  socket?: SocketOptions | undefined
  /** Options of a WebSocket, on `ws://` and `wss://`. Default: none. */
  websocket?: WebSocketDialOptions | undefined
  /** Milliseconds until dialling times out. Default: the endpoint's `dialTimeout`. */
  timeout?: number | undefined
  /** Cancels dialling: `dial` rejects with 499 when it fires. Default: none. */
  signal?: AbortSignal | undefined
}

const listenNames = optionNames<ListenOptions>({ protocols: true, socket: true, websocket: true, reusePort: true, exclusive: true })
const dialNames = optionNames<DialOptions>({ protocol: true, redial: true, socket: true, websocket: true, timeout: true, signal: true })

/**
 * Checks `ListenOptions` and adds the defaults.
 *
 * @param shared whether the first bytes of a connection decide about its protocol, not a sub-protocol alone
 * @throws TypeError or RangeError that names the option
 * @throws StatusError 1 when the transport does not support what `socket` asks for
 */
export function readListenOptions(
  options: ListenOptions | undefined,
  settings: Settings,
  kind: TransportKind,
  address: Address,
  shared = webSocketPath(address) === undefined,
): { readonly protocols: readonly Protocol[]; readonly socket: SocketSettings; readonly webSocket: WebSocketListen | undefined } {
  if (options !== undefined) requireOptions('options', options, listenNames)
  const socket = readSocket(options?.socket, settings, kind)
  const webSocket = readWebSocketListen(webSocketPath(address), options?.websocket)
  const protocols = readProtocols(options?.protocols, settings, shared)
  flag('reusePort', options?.reusePort, false)
  flag('exclusive', options?.exclusive, false)
  return { protocols, socket, webSocket }
}

/**
 * Checks `DialOptions` and adds the defaults.
 *
 * @throws as `readListenOptions`
 */
export function readDialOptions(options: DialOptions | undefined, settings: Settings, kind: TransportKind, address: Address): Dialled {
  if (options !== undefined) requireOptions('options', options, dialNames)
  requireText('protocol', options?.protocol)
  requireSignal('signal', options?.signal)
  const timeout = duration('timeout', options?.timeout, settings.dialTimeout, 1)
  const protocol = options?.protocol === undefined ? settings.protocol : settings.protocols.byName(options.protocol)
  const redial = options?.redial === undefined ? settings.redial : readRedial(options.redial)
  const webSocket = readWebSocketDial(webSocketPath(address), options?.websocket, protocol.name)
  return { protocol, redial, socket: readSocket(options?.socket, settings, kind), webSocket, timeout }
}

/** Checked options of a dial. */
interface Dialled {
  readonly protocol: Protocol
  readonly redial: Redial | undefined
  readonly socket: SocketSettings
  readonly webSocket: WebSocketDial | undefined
  readonly timeout: number
}

/** @param detected whether the first bytes decide about several protocols, not a sub-protocol */
function readProtocols(names: readonly string[] | undefined, { protocol, protocols }: Settings, detected: boolean): readonly Protocol[] {
  if (names === undefined) return [protocol]
  requireNames('protocols', names)
  const chosen = names.map((name) => protocols.byName(name))
  if (chosen.length === 0 || new Set(chosen).size !== chosen.length)
    throw new TypeError('option protocols must name at least one protocol, and each once')
  const mute = chosen.length === 1 || !detected ? undefined : chosen.find(({ match }) => match === undefined)
  if (mute !== undefined) throw new TypeError(`protocol ${mute.name} has no match: it needs a listener to itself`)
  return chosen
}

function readSocket(options: SocketOptions | undefined, settings: Settings, kind: TransportKind): SocketSettings {
  const socket = readSocketOptions('socket', options, settings.socket)
  requireSupported(socket, kind)
  return socket
}
