import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

export const label = 'Socket.IO'
export const payloads = ['json']

const BACKLOG = 4096

export async function serve({ port }) {
  let pushes = 0
  const http = createServer()
  const server = new Server(http, { transports: ['websocket'], serveClient: false, perMessageDeflate: false })
  server.on('connection', (socket) => {
    socket.on('echo', (value, answer) => answer(value))
    socket.on('push', () => {
      pushes++
    })
    socket.on('pushed', (answer) => answer(pushes))
    socket.conn.request = null // what its documentation advises, for memory
  })
  await new Promise((resolve, reject) => http.once('error', reject).listen({ port, host: '127.0.0.1', backlog: BACKLOG }, resolve))
  return {
    address: `127.0.0.1:${http.address().port}`,
    publish: (value) => server.emit('published', value),
  }
}

export async function dial(address) {
  const socket = io(`ws://${address}`, { transports: ['websocket'], forceNew: true, reconnection: false, perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))
  socket.once('disconnect', (reason) => {
    if (reason !== 'io client disconnect') throw new Error(`the server closed the connection: ${reason}`)
  })
  return {
    call: (value) => socket.emitWithAck('echo', value),
    push: (value) => {
      socket.emit('push', value)
    },
    pushed: () => socket.emitWithAck('pushed'),
    close: () => socket.disconnect(),
  }
}
