import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { runInRoot } from '../../base/async/root-context.ts'
import { ipVersion } from '../ip.ts'

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

/**
 * Binds the socket of a listener. What cannot be sent is a loss: the socket goes on.
 *
 * @param onDatagram called outside of any call's context
 * @returns the address that it is bound to
 * @throws Error (rejects) the system's error
 */
export function bindUdp(
  socket: Socket,
  host: string,
  port: number,
  onDatagram: (datagram: Buffer, from: RemoteInfo) => void,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    // A socket that workers of a cluster share would spread the datagrams of one conversation among them.
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      socket.on('message', (datagram, from) => runInRoot(onDatagram, undefined, datagram, from))
      enlargeBuffer(socket)
      resolve(socket.address())
    })
  })
}
