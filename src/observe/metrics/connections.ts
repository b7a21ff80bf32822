import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps at most `max` connections of a server: one more takes the place of the one that has waited longest without a
 * request, and is refused only where all have one. So nobody keeps others out by connections that say nothing.
 */
export function limitConnections(server: Server, max: number): void {
  /** Connections without a request, the one that has waited longest first. */
  const idle = new Set<Socket>()
  let open = 0
  server.on('connection', (socket: Socket) => {
    open++
    idle.add(socket)
    socket.once('close', () => {
      open--
      idle.delete(socket)
    })
    if (open <= max) return
    const [oldest] = idle
    idle.delete(oldest)
    oldest.destroy()
  })
  server.on('request', ({ socket }, response) => {
    idle.delete(socket)
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket)
    })
  })
}
