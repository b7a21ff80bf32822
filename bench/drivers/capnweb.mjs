import { createServer } from 'node:http'
import { newWebSocketRpcSession, RpcTarget } from 'capnweb'
import { WebSocket, WebSocketServer } from 'ws'

export const label = "Cap'n Web"
export const payloads = ['json']

const BACKLOG = 4096
// It reads constants of the global one, which Node has from 22 on.
globalThis.WebSocket ??= WebSocket

class Bench extends RpcTarget {
  echo(value) {
    return value
  }
}

export async function serve({ port }) {
  const http = createServer()
  new WebSocketServer({ server: http }).on('connection', (socket) => newWebSocketRpcSession(socket, new Bench()))
  await new Promise((resolve, reject) => http.once('error', reject).listen({ port, host: '127.0.0.1', backlog: BACKLOG }, resolve))
  return { address: `127.0.0.1:${http.address().port}` }
}

export async function dial(address) {
  const socket = new WebSocket(`ws://${address}/`, { perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const bench = newWebSocketRpcSession(socket)
  return { call: (value) => bench.echo(value), close: () => socket.close() }
}
