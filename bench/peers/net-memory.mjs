// What a bare node:net server holds per idle socket: the yardstick of the JavaScript transport's memory.
// Answers any byte with {"rss"} and a line end.
import { createServer } from 'node:net'

const sockets = new Set()
const server = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket)
  socket.on('data', () => {
    globalThis.gc()
    globalThis.gc()
    socket.write(`${JSON.stringify({ rss: process.memoryUsage().rss })}\n`)
  })
  socket.on('error', () => {})
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(JSON.stringify({ port: server.address().port, pid: process.pid }))
})
process.stdin.resume().on('end', () => process.exit(0))
