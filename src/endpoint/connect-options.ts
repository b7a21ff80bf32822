import { nodeTls } from '../base/builtin.ts'
import {
  duration,
  flag,
  optionNames,
  requireNames,
  requireObject,
  requireOptions,
  requireSignal,
  requireText,
} from '../base/check-options.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import type { Protocol } from '../protos/proto-table.ts'
import { webSockets } from '../protos/websocket/load.ts'
import type { WebSocketDial, WebSocketDialOptions, WebSocketListen, WebSocketListenOptions } from '../protos/websocket/options.ts'
import type { Settings } from '../session/options.ts'
import { type Redial, type RedialOptions, readRedial } from '../session/redial.ts'
import { type Address, isQuic, isSecure, requirePort, webSocketPath } from '../transports/address.ts'
import { quicModule } from '../transports/js/quic/deferred.ts'
import { type KcpChoice, readKcpOptions } from '../transports/kcp-options.ts'
import { type QuicOptions, type QuicSettings, readQuicOptions } from '../transports/quic-options.ts'
import { readSocketOptions, requireSupported, type SocketOptions, type SocketSettings } from '../transports/socket-options.ts'
import type { TlsTarget } from '../transports/tls/client-tls.ts'
import { tlsModule } from '../transports/tls/deferred.ts'
import {
  checkTlsDial,
  contextOptionsOf,
  type TlsContextOptions,
  type TlsDialOptions,
  type TlsListenOptions,
} from '../transports/tls/options.ts'
import type { ServerTls } from '../transports/tls/server-tls.ts'
import type { ListenOptions as PortOptions, TransportKind } from '../transports/transport.ts'
import type { KcpSettings } from '../wire/kcp/settings.ts'

/** A listening address of an endpoint. */
export interface Listener {
  /**
   * The address with the real port, such as `tcp://127.0.0.1:40123`. It can be dialled unless the host is 0.0.0.0 or
   * [::].
   */
  readonly url: string
  /** Stops accepting connections; sessions stay open. */
  close(): Promise<void>
  /**
   * Replaces what `options` name, keys and certificates above all, for `tls://` and `wss://`; the other options stay.
   * Sessions stay open; handshakes that begin from now on use the new ones.
   *
   * @throws TypeError for a bad option, or when the listener has no TLS; RangeError for versions that exclude all
   * @throws Error for keys and certificates that cannot be read
   */
  setSecureContext(options: TlsContextOptions): void
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
  /**
   * TLS of a `tls://` or `wss://` URL, which needs at least a key and a certificate; a `kcp://` URL may have it.
   * Default: none.
   */
  tls?: TlsListenOptions | undefined
  /** Options of KCP, on `kcp://`. Default: those of Go DMicro. */
  kcp?: KcpChoice | undefined
  /** Options of QUIC, on `quic://`. Default: those of Go DMicro, with a keep-alive. */
  quic?: QuicOptions | undefined
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
  /**
   * TLS of a `tls://` or `wss://` URL; with this option a `kcp://` URL has it too. Dials with the same object share
   * root certificates, and resume each other's TLS sessions. Default: the root certificates of Node.js, and the host of
   * the URL as name of the server.
   */
  tls?: TlsDialOptions | undefined
  /** Options of a WebSocket, on `ws://` and `wss://`. Default: none. */
  websocket?: WebSocketDialOptions | undefined
  /** Options of KCP, on `kcp://`. Default: those of Go DMicro. */
  kcp?: KcpChoice | undefined
  /** Options of QUIC, on `quic://`. Default: those of Go DMicro, with a keep-alive. */
  quic?: QuicOptions | undefined
  /** Milliseconds until dialling times out. Default: the endpoint's `dialTimeout`. */
  timeout?: number | undefined
  /** Cancels dialling: `dial` rejects with 499 when it fires. Default: none. */
  signal?: AbortSignal | undefined
}

const listenNames = optionNames<ListenOptions>({
  protocols: true,
  socket: true,
  tls: true,
  websocket: true,
  kcp: true,
  quic: true,
  reusePort: true,
  exclusive: true,
})
const dialNames = optionNames<DialOptions>({
  protocol: true,
  redial: true,
  socket: true,
  tls: true,
  websocket: true,
  kcp: true,
  quic: true,
  timeout: true,
  signal: true,
})

/**
 * Checks `ListenOptions` and adds the defaults.
 *
 * @param shared whether the first bytes of a connection decide about its protocol, not a sub-protocol alone
 * @throws (rejects) TypeError or RangeError that names the option
 * @throws (rejects) StatusError 1 when the transport does not support what `socket` asks for
 */
export async function readListenOptions(
  options: ListenOptions | undefined,
  settings: Settings,
  kind: TransportKind,
  address: Address,
  shared = webSocketPath(address) === undefined,
): Promise<Listening> {
  if (options !== undefined) requireOptions('options', options, listenNames)
  const socket = readSocket(options?.socket, settings, kind)
  const protocols = readProtocols(options?.protocols, settings, shared)
  const path = webSocketPath(address)
  const websocket = options?.websocket
  const webSocket =
    path === undefined && websocket === undefined ? undefined : (await webSockets.load()).readWebSocketListen(path, websocket, protocols)
  flag('reusePort', options?.reusePort, false)
  flag('exclusive', options?.exclusive, false)
  const kcp = readKcp(options?.kcp, kind, address)
  const quic = await prepareQuic(options?.quic, kind, address)
  const secure = needsTls(address, options?.tls, kind)
  const serverTls = secure ? new (await tlsModule.load()).ServerTls(options?.tls) : undefined
  return { protocols, socket, webSocket, serverTls, kcp, quic }
}

const upgradeNames = optionNames<UpgradeOptions>({ protocols: true, socket: true, websocket: true })
/** Stands for the address of a server of the application's own. */
export const upgradeAddress: Address = { kind: 'tcp', host: '', port: 0 }

/**
 * Checks `UpgradeOptions` and adds the defaults.
 *
 * @param path that a peer asks for: that of the WebSocket where the options name none. One that no option could name
 *   is nowhere
 * @throws as `readListenOptions`
 */
export async function readUpgradeOptions(options: UpgradeOptions = {}, settings: Settings, path: string): Promise<Listening> {
  requireOptions('options', options, upgradeNames)
  const { websocket } = options
  if (websocket !== undefined) requireObject('option websocket', websocket)
  const named = websocket?.path === undefined ? { ...websocket, path: /^\/[!-~]*$/.test(path) ? path : '/' } : websocket
  return readListenOptions({ ...options, websocket: named }, settings, 'js', upgradeAddress, false)
}

/**
 * Checks `DialOptions` and adds the defaults.
 *
 * @throws as `readListenOptions`
 */
export async function readDialOptions(
  options: DialOptions | undefined,
  settings: Settings,
  kind: TransportKind,
  address: Address,
): Promise<Dialled> {
  requirePort(address)
  if (options !== undefined) requireOptions('options', options, dialNames)
  requireText('protocol', options?.protocol)
  requireSignal('signal', options?.signal)
  const timeout = duration('timeout', options?.timeout, settings.dialTimeout, 1)
  const protocol = options?.protocol === undefined ? settings.protocol : settings.protocols.byName(options.protocol)
  const redial = options?.redial === undefined ? settings.redial : readRedial(options.redial)
  const path = webSocketPath(address)
  const websocket = options?.websocket
  const webSocket =
    path === undefined && websocket === undefined ? undefined : (await webSockets.load()).readWebSocketDial(path, websocket, protocol)
  const tls = await readDialTls(options?.tls, kind, address)
  return {
    protocol,
    redial,
    socket: readSocket(options?.socket, settings, kind),
    tls,
    webSocket,
    kcp: readKcp(options?.kcp, kind, address),
    quic: await prepareQuic(options?.quic, kind, address, tls),
    timeout,
  }
}

/**
 * Checks the option `tls` for dialling `address`.
 *
 * @throws TypeError or RangeError that names the option; Error for keys and certificates that cannot be read
 */
export function checkDialTls(options: TlsDialOptions | undefined, kind: TransportKind, address: Address): void {
  if (!needsTls(address, options, kind) || options === undefined) return
  checkTlsDial(options)
  nodeTls().createSecureContext(contextOptionsOf(options))
}

async function readDialTls(options: TlsDialOptions | undefined, kind: TransportKind, address: Address): Promise<TlsTarget | undefined> {
  if (!needsTls(address, options, kind)) return undefined
  const tls = (await tlsModule.load()).clientTls(options)
  tls.context(kind === 'native' ? 'native' : 'js') // throws for what cannot be read
  return { tls, host: address.host, port: address.port }
}

/**
 * Checks the option `kcp` for listening on or dialling `address`.
 *
 * @throws TypeError or RangeError that names the option; StatusError 1 where there are no datagrams
 */
export function readKcp(options: KcpChoice | undefined, kind: TransportKind, address: Address): KcpSettings | undefined {
  if (address.kind !== 'udp' || address.scheme !== 'kcp') {
    if (options !== undefined) throw new TypeError('option kcp needs a URL kcp://host:port')
    return undefined
  }
  if (kind === 'memory') throw new StatusError(Code.InvalidOperation, undefined, 'a network in memory has no KCP')
  return readKcpOptions(options)
}

/**
 * Checks the option `quic` for listening on or dialling `address`.
 *
 * @throws TypeError or RangeError that names the option; StatusError 1 where there are no datagrams
 */
export function readQuic(options: QuicOptions | undefined, kind: TransportKind, address: Address): QuicSettings | undefined {
  if (!isQuic(address)) {
    if (options !== undefined) throw new TypeError('option quic needs a URL quic://host:port')
    return undefined
  }
  if (kind === 'memory') throw new StatusError(Code.InvalidOperation, undefined, 'a network in memory has no QUIC')
  return readQuicOptions(options)
}

/**
 * As `readQuic`, and loads the package: without it no attempt can succeed.
 *
 * @param target that of a dial, whose options of TLS are checked too
 * @throws (rejects) as `readQuic`; StatusError 1 when the package is missing or has no binary
 */
async function prepareQuic(
  options: QuicOptions | undefined,
  kind: TransportKind,
  address: Address,
  target?: TlsTarget,
): Promise<QuicSettings | undefined> {
  const settings = readQuic(options, kind, address)
  if (settings === undefined) return undefined
  const { loadQuiche, clientConfig } = await quicModule.load()
  await loadQuiche()
  if (target !== undefined) clientConfig(target.tls, settings)
  return settings
}

function needsTls(address: Address, options: object | undefined, kind: TransportKind): address is Exclude<Address, { kind: 'unix' }> {
  if (isSecure(address) || (address.kind === 'udp' && options !== undefined)) {
    if (kind === 'memory') throw new StatusError(Code.InvalidOperation, undefined, 'a network in memory has no TLS')
    return true
  }
  if (options !== undefined)
    throw new TypeError('option tls needs a URL tls://host:port, wss://host:port, kcp://host:port or quic://host:port')
  return false
}

/** Checked options of `listen`. */
interface Listening {
  readonly protocols: readonly Protocol[]
  readonly socket: SocketSettings
  readonly webSocket: WebSocketListen | undefined
  readonly serverTls: ServerTls | undefined
  readonly kcp: KcpSettings | undefined
  readonly quic: QuicSettings | undefined
}

/** Checked options of a dial. */
interface Dialled {
  readonly protocol: Protocol
  readonly redial: Redial | undefined
  readonly socket: SocketSettings
  readonly tls: TlsTarget | undefined
  readonly webSocket: WebSocketDial | undefined
  readonly kcp: KcpSettings | undefined
  readonly quic: QuicSettings | undefined
  readonly timeout: number
}

/** @param detected whether the first bytes decide about several protocols, not a sub-protocol */
function readProtocols(names: readonly string[] | undefined, { protocol, protocols }: Settings, detected: boolean): readonly Protocol[] {
  if (names === undefined) return [protocol]
  requireNames('protocols', names)
  const chosen = names.map((name) => protocols.byName(name, 'protocols'))
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
