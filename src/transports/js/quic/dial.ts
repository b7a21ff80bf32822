import { randomBytes } from 'node:crypto'
import { runInRoot } from '../../../base/async/root-context.ts'
import { realClock } from '../../../base/time/clock.ts'
import { wheelOf } from '../../../base/time/timer-wheel.ts'
import type { QuicAddress } from '../../address.ts'
import { defaultQuic } from '../../quic-options.ts'
import type { TlsFacts } from '../../tls/tls-facts.ts'
import type { ConnectionOptions } from '../../transport.ts'
import { hostPort } from '../shared.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { enlargeBuffer, udpSocket } from '../udp.ts'
import { QuicCarrier } from './carrier.ts'
import { type QuicheConnection, quiche } from './quiche.ts'
import { checkServer, clientConfig, factsOf, hasPreamble } from './tls.ts'

/** A connection whose handshake is done. */
export interface Dialled {
  readonly carrier: QuicCarrier
  readonly local: string
  readonly remote: string
  readonly facts: TlsFacts
}

/**
 * Dials: resolves when the handshake is done. The owner of the carrier must be set in the same turn of the loop. Each
 * connection has a socket of its own.
 *
 * @throws Error (rejects) of the system or the handshake; the reason of `signal`; TypeError for an option of TLS
 */
export function dialQuic(address: QuicAddress, options: ConnectionOptions, signal: AbortSignal, turns: TurnScheduler): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const target = options.tls!
    const { idleTimeout, keepAlive } = options.quic ?? defaultQuic
    const config = clientConfig(target.tls, { idleTimeout, keepAlive })
    const socket = runInRoot(udpSocket, undefined, address.host)
    let carrier: QuicCarrier | undefined
    const onAbort = (): void => {
      carrier?.abandon()
      if (carrier === undefined) socket.close()
      reject(signal.reason)
    }
    const settle = (): void => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort, { once: true })
    const onError = (error: Error): void => {
      if (carrier !== undefined) {
        carrier.refused(error)
        return
      }
      settle()
      socket.close()
      reject(error)
    }
    socket.on('error', (error) => runInRoot(onError, undefined, error))
    const begin = (): void => {
      if (signal.aborted) return
      enlargeBuffer(socket)
      const bound = socket.address()
      const peer = socket.remoteAddress()
      const local = { host: bound.address, port: bound.port }
      const remote = { host: peer.address, port: peer.port }
      const { Connection, MAX_CONN_ID_LEN } = quiche()
      const servername = target.tls.servernameOf(target.host)
      let connection: QuicheConnection
      try {
        connection = Connection.connect(servername, randomBytes(MAX_CONN_ID_LEN), local, remote, config)
      } catch (error) {
        onError(error as Error)
        return
      }
      const made: QuicCarrier = new QuicCarrier({
        connection,
        local,
        turns,
        wheel: wheelOf(realClock),
        keepAlive,
        dialled: true,
        send: (datagram) => socket.send(datagram, ignore),
        hasPreamble: () => hasPreamble(connection),
        onHandshake: () => checkServer(connection, target),
        onOpen: () => {
          settle()
          resolve({
            carrier: made,
            local: hostPort(local.host, local.port),
            remote: hostPort(remote.host, remote.port),
            facts: factsOf(connection, target.tls.rejectUnauthorized),
          })
        },
        onFailed: (error) => {
          settle()
          reject(error)
        },
        onFree: () => socket.close(),
      })
      carrier = made
      socket.on('message', (datagram) => runInRoot(receive, undefined, datagram))
      const receive = (datagram: Buffer): void => made.receive(datagram, remote)
      made.begin()
    }
    // A connected socket takes datagrams of its peer alone, and learns of refusals.
    socket.connect(address.port, address.host, () => runInRoot(begin, undefined))
  })
}

/** Errors of sending are those of the socket, or losses like any other. */
function ignore(): void {}
