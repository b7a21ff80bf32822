import { InOrder } from '../peers/in-order.mjs'

export const label = 'ws'
export const payloads = ['json']
export const schemes = ['ws']

// uWebSockets.js brings these along; a user's ws is without them.
process.env.WS_NO_BUFFER_UTIL = '1'
process.env.WS_NO_UTF_8_VALIDATE = '1'
const { WebSocket, WebSocketServer } = await import('ws')

const BACKLOG = 4096

export async function serve({ port }) {
  const server = new WebSocketServer({ host: '127.0.0.1', port, backlog: BACKLOG, perMessageDeflate: false })
  server.on('connection', (socket) => {
    socket.on('message', (bytes) => socket.send(JSON.stringify(JSON.parse(bytes.utf8Slice()))))
    socket.on('error', () => socket.terminate())
  })
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  return { address: `127.0.0.1:${server.address().port}` }
}

export async function dial(address) {
  const waiting = new InOrder()
  const socket = new WebSocket(`ws://${address}/`, { perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.on('message', (bytes) => waiting.settle(JSON.parse(bytes.utf8Slice())))
  socket.on('error', () => {}).on('close', () => waiting.fail(new Error('the server closed the connection')))
  return {
    call(value) {
      socket.send(JSON.stringify(value))
      return waiting.next()
    },
    close: () => socket.close(),
  }
}
