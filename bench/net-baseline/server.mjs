// Echo server on bare node:net: the yardstick that dmicro must beat. One write per 'data' event.
// node server.mjs [--port 0] [--host 127.0.0.1]; prints {"port","pid"}; ends when stdin is closed.

import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { frameReader, frameWriter } from './frames.mjs'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, host: { type: 'string', default: '127.0.0.1' } },
})

const server = createServer({ noDelay: true }, (socket) => {
  const writer = frameWriter(socket)
  const read = frameReader(writer.add)
  socket.on('data', (chunk) => {
    try {
      read(chunk)
      writer.flush()
    } catch {
      socket.destroy() // not JSON, or too long
    }
  })
  socket.on('error', () => socket.destroy())
})

server.listen({ port: Number(values.port), host: values.host, backlog: 4096 }, () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port, pid: process.pid })}\n`)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
