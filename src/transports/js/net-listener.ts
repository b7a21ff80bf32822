import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { runInRoot } from '../../base/async/root-context.ts'
import { isClusterWorker } from '../../base/builtin.ts'
import { realClock, sleep, turn } from '../../base/time/clock.ts'
import type { Address } from '../address.ts'
import type { ListenOptions, TransportListener } from '../transport.ts'
import { removeStaleSocket } from './stale-socket.ts'

/** Connections the system may hold for us before we accept them; it clamps this to its own limit. */
const BACKLOG = 4096

/** To bind a Unix socket whose file was in the way. A worker's may be answered by the failure of another worker, one after the other. */
const MAX_TRIES = 10
const PAUSE = 20

/**
 * Listens by `node:net`, in a cluster's worker through its primary. Accepted sockets are paused, and left to `onSocket`.
 * @throws Error (rejects) the system's
 */
export async function listenOnNet(address: Address, how: ListenOptions, onSocket: (socket: Socket) => void): Promise<TransportListener> {
  if (how.reusePort === true && !canReusePort()) {
    throw new Error(`reusePort needs the native transport, or Node.js 22.12; this is ${process.version}`)
  }
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (accepted) => runInRoot(onSocket, undefined, accepted))
  for (let tries = 1; ; tries++) {
    try {
      await runInRoot(bind, undefined, server, address, how)
      break
    } catch (error) {
      const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!inUse || address.kind !== 'unix' || tries === MAX_TRIES) throw error
      // Workers that start together all find a file that was left behind; once one of them has removed it they share what it listens on.
      if (await removeStaleSocket(address.path)) continue
      if (!isClusterWorker()) throw error
      await sleep(realClock, PAUSE)
    }
  }
  // One connection's failure is its own: the system keeps listening, even when descriptors run out.
  server.on('error', () => {})
  return { address: boundAddress(server, address), close: () => close(server) }
}

function canReusePort(): boolean {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)
}

function bind(server: Server, address: Address, { reusePort, exclusive }: ListenOptions): Promise<void> {
  const place = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...place, reusePort, exclusive, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** The port is free and a Unix socket's file gone when this resolves. Idempotent. */
async function close(server: Server): Promise<void> {
  // Its callback would wait for the connections, which live on.
  server.close(() => {})
  await turn()
}

function boundAddress(server: Server, address: Address): Address {
  if (address.kind === 'unix') return address
  const bound = server.address() as AddressInfo
  return { kind: 'tcp', host: bound.address, port: bound.port }
}
