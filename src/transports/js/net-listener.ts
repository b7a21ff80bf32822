import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { runInRoot } from '../../base/async/root-context.ts'
import { isClusterWorker } from '../../base/builtin.ts'
import { realClock, turn } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import type { Address } from '../address.ts'
import type { ListenOptions, TransportListener } from '../transport.ts'
import { removeStaleSocket } from './stale-socket.ts'

/** Most connections that the system may queue before they are accepted; the system clamps this to its own limit. */
const BACKLOG = 4096

/**
 * Most attempts to bind a Unix socket whose file was in the way, and the milliseconds between them. A worker's attempts
 * may be answered by the failures of other workers, one after the other.
 */
const MAX_TRIES = 10
const PAUSE = 20

/**
 * Listens by `node:net`, in a cluster's worker through its primary.
 * @param onSocket receives accepted sockets, which are paused
 * @throws Error (rejects) the system's error
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
      // Workers that start together all find the file that was left behind. Once one of them has removed it, they share
      // what it listens on.
      if (await removeStaleSocket(address.path)) continue
      if (!isClusterWorker()) throw error
      await sleep(realClock, PAUSE)
    }
  }
  // The failure of one connection concerns that connection alone: the system keeps listening, even when descriptors run
  // out.
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

/** Closes the listener. When this resolves the port is free and a Unix socket's file is gone. Idempotent. */
async function close(server: Server): Promise<void> {
  // The callback would wait for the open connections, which stay open.
  server.close(() => {})
  await turn()
}

function boundAddress(server: Server, address: Address): Address {
  if (address.kind === 'unix') return address
  const bound = server.address() as AddressInfo
  return { ...address, host: bound.address, port: bound.port }
}
