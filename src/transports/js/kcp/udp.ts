import { createSocket, type Socket } from 'node:dgram'
import { ipVersion } from '../../ip.ts'

/** Bytes that the system should keep for a socket: many peers' windows at once. The system may keep fewer. */
const RECEIVE_BUFFER = 4 * 1024 * 1024

/** A UDP socket for addresses of the family of `host`. */
export function udpSocket(host: string): Socket {
  const family = ipVersion(host) === 6 ? 6 : 4
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: undefined,
    // Addresses are never names here. Node.js would send in a later tick for its own lookup.
    lookup: (address, _options, done) => done(null, address, family),
  })
}

/** Makes the receive buffer large, as far as the system allows. Requires a bound socket. */
export function enlargeBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER)
  } catch {
    // Only a matter of speed.
  }
}
