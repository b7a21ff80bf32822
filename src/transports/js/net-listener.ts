import { linkSync, unlinkSync } from 'node:fs'
import { type AddressInfo, createServer, Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { runInRoot } from '../../base/async/root-context.ts'
import { isClusterWorker } from '../../base/builtin.ts'
import { realClock, turn } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import { type Address, MAX_UNIX_PATH } from '../address.ts'
import { remover } from '../handover/sockets.ts'
import type { TransportListener, TransportListenOptions } from '../transport.ts'
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
export async function listenOnNet(
  address: Address,
  how: TransportListenOptions,
  onSocket: (socket: Socket) => void,
): Promise<TransportListener> {
  if (how.reusePort === true && how.descriptor === undefined && !canReusePort()) {
    throw new Error(`reusePort needs the native transport, or Node.js 22.12; this is ${process.version}`)
  }
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (accepted) => runInRoot(onSocket, undefined, accepted))
  const listener = await listenWith(server, address, how)
  // The failure of one connection concerns that connection alone: the system keeps listening, even when descriptors run
  // out.
  server.on('error', () => {})
  return listener
}

/**
 * Makes a server listen. Closing the listener does not wait for the server's connections.
 * @throws Error (rejects) the system's error
 */
export async function listenWith(server: Server, address: Address, how: TransportListenOptions): Promise<TransportListener> {
  const shared = how.descriptor === undefined && isClusterWorker()
  const bound = address.kind === 'unix' && how.descriptor === undefined && !shared ? await bindPath(server, address.path) : undefined
  if (bound === undefined) await bindAgain(server, address, how)
  return {
    address: boundAddress(server, address),
    descriptor: () => (shared ? -1 : (descriptorOf(server) ?? -1)),
    close: async (handedOver = false) => {
      if (server.listening && !handedOver) bound?.()
      await close(server)
    },
  }
}

/**
 * Binds a Unix socket under a name of its own and then gives it the path, because libuv removes the name that it bound
 * when the server closes, even when another process listens on the socket by then.
 * @returns removes the path, if it is still that of this socket; undefined when there is no room for another name
 */
async function bindPath(server: Server, path: string): Promise<(() => void) | undefined> {
  const name = join(dirname(path), `.${realClock.random().toString(36).slice(2, 6)}`)
  if (Buffer.byteLength(name) > MAX_UNIX_PATH) return undefined
  await runInRoot(bind, undefined, server, { kind: 'unix', path: name }, {})
  try {
    if (!give(name, path) && !((await removeStaleSocket(path)) && give(name, path)))
      throw Object.assign(new Error(`listen EADDRINUSE: address already in use ${path}`), {
        code: 'EADDRINUSE',
        errno: -98,
        syscall: 'listen',
        address: path,
      })
  } catch (error) {
    await close(server)
    throw error
  }
  return remover(path)
}

/** @returns false when something has the path */
function give(name: string, path: string): boolean {
  try {
    linkSync(name, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  unlinkSync(name)
  return true
}

async function bindAgain(server: Server, address: Address, how: TransportListenOptions): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await runInRoot(bind, undefined, server, address, how)
      return
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
}

function canReusePort(): boolean {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)
}

function bind(server: Server, address: Address, { reusePort, exclusive, descriptor }: TransportListenOptions): Promise<void> {
  const place = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  const what = descriptor === undefined ? { ...place, reusePort, exclusive } : { fd: descriptor }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...what, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** The descriptor of a server's socket, which only its handle knows; undefined when it is closed. */
function descriptorOf(server: Server): number | undefined {
  return (server as Server & { _handle?: { fd?: number } | null })._handle?.fd
}

/** Closes the listener. When this resolves the port is free and a Unix socket's file is gone. Idempotent. */
async function close(server: Server): Promise<void> {
  // The callback would wait for the open connections, which stay open.
  Server.prototype.close.call(server, () => {})
  await turn()
}

function boundAddress(server: Server, address: Address): Address {
  if (address.kind === 'unix') return address
  const bound = server.address() as AddressInfo
  return { ...address, host: bound.address, port: bound.port }
}
