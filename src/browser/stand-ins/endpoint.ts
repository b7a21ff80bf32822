// Stands in for what an endpoint has to listen, to choose a transport, and to protect itself from overload:
// `endpoint/acceptor.ts`, `endpoint/connect-options.ts`, `endpoint/listeners.ts`, `overload/admission.ts`,
// `overload/settings.ts`, `transports/choose.ts` and `websocket/load.ts`.
import { duration, optionNames, requireOptions, requireSignal, requireText } from '../../base/check-options.ts'
import { Code, StatusError } from '../../base/errors/status.ts'
import type { Protocol } from '../../protos/proto-table.ts'
import type { Settings } from '../../session/options.ts'
import { type Redial, type RedialOptions, readRedial } from '../../session/redial.ts'
import { type Address, webSocketPath } from '../../transports/address.ts'
import type { Transport } from '../../transports/transport.ts'
import { Framing } from '../../wire/framing.ts'
import { openWebSocket, PageTransport, type PageWebSocket } from '../transport.ts'

function notInPages(what: string): StatusError {
  return new StatusError(Code.InvalidOperation, undefined, `${what} is not there in pages`)
}

export class Acceptor {
  quiet = false
  linger = () => 0
  forget(): void {}
  async finish(): Promise<void> {}
}

export class Listeners {
  async listen(): Promise<never> {
    throw notInPages('listening')
  }
  upgrade = this.listen
  async close(): Promise<void> {}
}

interface DialOptions {
  protocol?: string | undefined
  redial?: boolean | RedialOptions | undefined
  websocket?: { subprotocol?: string | undefined } | undefined
  timeout?: number | undefined
  signal?: AbortSignal | undefined
}

const names = optionNames<DialOptions>({ protocol: true, redial: true, websocket: true, timeout: true, signal: true })

interface Dialled {
  readonly protocol: Protocol
  readonly redial: Redial | undefined
  readonly socket: Settings['socket']
  readonly tls: undefined
  readonly webSocket: PageWebSocket
  readonly kcp: undefined
  readonly quic: undefined
  readonly timeout: number
}

export function readDialOptions(options: DialOptions | undefined, settings: Settings, _kind: unknown, address: Address): Dialled {
  if (options !== undefined) requireOptions('options', options, names)
  requireText('protocol', options?.protocol)
  requireSignal('signal', options?.signal)
  const path = webSocketPath(address)
  if (path === undefined) throw new TypeError('a page dials ws:// and wss:// only')
  const protocol = options?.protocol === undefined ? settings.protocol : settings.protocols.byName(options.protocol)
  const subprotocol = options?.websocket?.subprotocol ?? `dmicro.${protocol.name}`
  requireText('websocket.subprotocol', subprotocol)
  return {
    protocol,
    redial: options?.redial === undefined ? settings.redial : readRedial(options.redial),
    socket: settings.socket,
    tls: undefined,
    webSocket: { path, subprotocol },
    kcp: undefined,
    quic: undefined,
    timeout: duration('timeout', options?.timeout, settings.dialTimeout, 1),
  }
}

export class Admission {
  constructor() {
    throw notInPages('overload protection')
  }
}

export function readOverload(option: unknown): null {
  if (option !== undefined && option !== false) throw notInPages('overload protection')
  return null
}

const transport = new PageTransport()
const info = Object.freeze({ kind: 'browser', ioThreads: 0, reason: '', tls: '', toString: () => 'browser' })

export function chooseTransport(choice: 'auto' | Transport): { transport: Transport; info: object } {
  if (choice !== 'auto' && typeof choice !== 'object') throw new TypeError("option transport must be 'auto' in a page")
  return { transport: typeof choice === 'object' ? choice : transport, info }
}

export function javaScriptTransport(): never {
  throw notInPages('the JavaScript transport')
}

/** As `websocket/module.ts`. */
const webSocketModule = {
  prepareLlhttp: async (): Promise<void> => {},
  overWebSocket: (protocol: Protocol): Protocol => protocol,
  framingOfMessages: ({ name }: Protocol): Framing => (name === 'raw' ? Framing.Raw : Framing.Message),
  beginWebSocket: openWebSocket,
}

export const webSockets = { load: async (): Promise<typeof webSocketModule> => webSocketModule }
