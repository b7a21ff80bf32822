import { duration, flag, requireNames, requireOptions, requireSignal, requireText } from '../base/check-options.ts'
import type { Protocol } from '../protos/proto-table.ts'
import type { Settings } from '../session/options.ts'
import { type Redial, type RedialOptions, readRedial } from '../session/redial.ts'
import { readSocketOptions, requireSupported, type SocketOptions, type SocketSettings } from '../transports/socket-options.ts'
import type { ListenOptions as PortOptions, TransportKind } from '../transports/transport.ts'

export interface ListenOptions extends PortOptions {
  /**
   * Names of the protocols served here. Default: the endpoint's `protocol`. Of several the first bytes of a connection decide, once; bytes of none,
   * or of more than one, close it, and so does silence for `limits.frameTimeout`.
   */
  protocols?: readonly string[] | undefined
  /** How the sockets of connections to it are set up, over the endpoint's `socket`. */
  socket?: SocketOptions | undefined
}

export interface DialOptions {
  /** Name of the protocol the peer speaks. Default: the endpoint's `protocol`. */
  protocol?: string | undefined
  /** Makes the connection anew when it is lost, and tries the first one until `timeout`. Default: the endpoint's `redial`. */
  redial?: boolean | RedialOptions | undefined
  /** How the socket is set up, over the endpoint's `socket`. */
  socket?: SocketOptions | undefined
  /** Milliseconds to connect in. Default: the endpoint's `dialTimeout`. */
  timeout?: number | undefined
  signal?: AbortSignal | undefined
}

const listenNames: ReadonlySet<string> = new Set(['protocols', 'socket', 'reusePort', 'exclusive'])
const dialNames: ReadonlySet<string> = new Set(['protocol', 'redial', 'socket', 'timeout', 'signal'])

/** `ListenOptions`, checked. @throws TypeError, RangeError; StatusError 1 when the transport cannot do what `socket` asks for */
export function readListenOptions(
  options: ListenOptions | undefined,
  settings: Settings,
  kind: TransportKind,
): { readonly protocols: readonly Protocol[]; readonly socket: SocketSettings } {
  if (options !== undefined) requireOptions('options', options, listenNames)
  const socket = readSocket(options?.socket, settings, kind)
  const protocols = readProtocols(options?.protocols, settings)
  flag('reusePort', options?.reusePort, false)
  flag('exclusive', options?.exclusive, false)
  return { protocols, socket }
}

/** `DialOptions`, checked. @throws as `readListenOptions` */
export function readDialOptions(
  options: DialOptions | undefined,
  settings: Settings,
  kind: TransportKind,
): { readonly protocol: Protocol; readonly redial: Redial | undefined; readonly socket: SocketSettings; readonly timeout: number } {
  if (options !== undefined) requireOptions('options', options, dialNames)
  requireText('protocol', options?.protocol)
  requireSignal('signal', options?.signal)
  const timeout = duration('timeout', options?.timeout, settings.dialTimeout, 1)
  const protocol = options?.protocol === undefined ? settings.protocol : settings.protocols.byName(options.protocol)
  const redial = options?.redial === undefined ? settings.redial : readRedial(options.redial)
  return { protocol, redial, socket: readSocket(options?.socket, settings, kind), timeout }
}

function readProtocols(names: readonly string[] | undefined, { protocol, protocols }: Settings): readonly Protocol[] {
  if (names === undefined) return [protocol]
  requireNames('protocols', names)
  const chosen = names.map((name) => protocols.byName(name))
  if (chosen.length === 0 || new Set(chosen).size !== chosen.length)
    throw new TypeError('option protocols must name at least one protocol, and each once')
  const mute = chosen.length === 1 ? undefined : chosen.find(({ match }) => match === undefined)
  if (mute !== undefined) throw new TypeError(`protocol ${mute.name} has no match: it needs a listener to itself`)
  return chosen
}

function readSocket(options: SocketOptions | undefined, settings: Settings, kind: TransportKind): SocketSettings {
  const socket = readSocketOptions('socket', options, settings.socket)
  requireSupported(socket, kind)
  return socket
}
