import type { Address } from '../address.ts'
import { hostPort } from '../host-port.ts'
import type { ConnectionOptions, ListenOptions, TransportConnection, TransportListener } from '../transport.ts'
import { acceptConnection } from './accept.ts'
import { SocketConnection } from './connection.ts'
import { listenOnNet } from './net-listener.ts'
import { TurnScheduler } from './turn-scheduler.ts'
import { UwsCarrier, type UwsResponse, type UwsSocket } from './uws-carrier.ts'

interface Request {
  getMethod(): string
  getUrl(): string
  getQuery(): string
  getHeader(name: string): string
  forEach(each: (name: string, value: string) => void): void
}
interface Behavior {
  compression: number
  maxPayloadLength: number
  maxBackpressure: number
  idleTimeout: number
  sendPingsAutomatically: boolean
  upgrade(response: UwsResponse, request: Request, context: unknown): void
  open(socket: UwsSocket): void
  message(socket: UwsSocket, message: ArrayBuffer, binary: boolean): void
  ping(socket: UwsSocket): void
  drain(socket: UwsSocket): void
  close(socket: UwsSocket, code: number): void
}
interface App {
  ws(pattern: string, behavior: Behavior): void
  any(pattern: string, handler: (response: UwsResponse, request: Request) => void): void
  listen(host: string, port: number, options: number, done: (token: object | false) => void): void
}
interface Uws {
  App(): App
  us_socket_local_port(token: object): number
  us_listen_socket_close(token: object): void
}

const EXCLUSIVE = 1
/** uWebSockets.js ends a connection without a word beyond its limit, so that ours must be reached before. */
const HEADROOM = 2
let turns: TurnScheduler | undefined

/** @throws Error (rejects) when the package is missing or has no binary for this Node.js */
async function load(): Promise<Uws> {
  const name = 'uWebSockets.js'
  const module = (await import(name)) as { default: Uws }
  // Where its binary does not fit, a copy of the package substitutes an imitation that does not work.
  if (!/\[native code\]/.test(Function.prototype.toString.call(module.default.App)))
    throw new Error(`${name} has no binary for ${process.version}`)
  return module.default
}

/** Why the system does not let anybody listen, which uWebSockets.js keeps to itself. */
async function listenError(address: Address): Promise<unknown> {
  try {
    const listener = await listenOnNet(address, { exclusive: true }, (socket) => socket.destroy())
    await listener.close()
  } catch (error) {
    return error
  }
  return new Error('uWebSockets.js cannot listen')
}

/** Listens by uWebSockets.js. Connections begin with the bytes of their request, as those of a socket do. */
export async function listenOnUws(
  address: Address,
  options: ConnectionOptions,
  onConnection: (connection: TransportConnection) => void,
  how: ListenOptions = {},
): Promise<TransportListener> {
  if (address.kind !== 'tcp') throw new TypeError("option websocket.engine 'uws' needs a ws:// address")
  const { host } = address
  const uws = await load()
  const scheduler = (turns ??= new TurnScheduler())
  const app = uws.App()
  let local = ''
  const begin = (response: UwsResponse, request: Request, context: unknown): void => {
    const query = request.getQuery()
    let head = `${request.getMethod().toUpperCase()} ${request.getUrl()}${query ? `?${query}` : ''} HTTP/1.1\r\n`
    request.forEach((name, value) => {
      head += `${name}: ${value}\r\n`
    })
    const carrier = new UwsCarrier(response, `${head}\r\n`, request.getHeader('sec-websocket-key'), context, options.maxUnsent)
    const remote = hostPort(Buffer.from(response.getRemoteAddressAsText()).toString(), 0)
    const connection = new SocketConnection(carrier, local, remote, options, scheduler)
    acceptConnection(connection, onConnection)
  }
  app.ws('/*', {
    compression: 0,
    maxPayloadLength: Math.min(options.maxMessage * HEADROOM, 2 ** 31 - 1),
    maxBackpressure: 0, // beyond it messages would be lost; `maxUnsent` bounds ours, `onPing` the pongs
    // A heartbeat of ours alone says whether a peer lives.
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade: begin,
    open: (socket) => socket.getUserData().carrier.onOpen(socket),
    message: (socket, message, binary) => socket.getUserData().carrier.onMessage(message, binary),
    ping: (socket) => socket.getUserData().carrier.onPing(),
    drain: (socket) => socket.getUserData().carrier.onDrain(),
    close: (socket, code) => socket.getUserData().carrier.onClosed(code),
  })
  app.any('/*', (response, request) => begin(response, request, null))
  const token = await new Promise<object | false>((resolve) =>
    app.listen(host, address.port, how.reusePort === true ? 0 : EXCLUSIVE, resolve),
  )
  if (token === false) throw await listenError(address)
  const port = uws.us_socket_local_port(token)
  local = hostPort(host, port)
  let open = true
  return {
    address: { ...address, port },
    close: async () => {
      if (open) uws.us_listen_socket_close(token)
      open = false
    },
  }
}
