import { unlinkSync } from 'node:fs'
import net from 'node:net'
import { constants } from 'node:os'
import { osAddon } from '../os/native.ts'
import type { ListenerOptions } from './process-options.ts'

/** A bound socket of Node.js on which nobody accepts: what `node:cluster` shares among its workers. */
interface Bound {
  readonly fd: number
  getsockname?(out: { address?: string; port?: number }): number
  close(): void
}

type PathListener = { path: string; backlog?: number | undefined }

type CreateHandle = (address: string | null, port: number, addressType: number, fd: number, flags: number) => Bound | number

/** Where a listener listens. */
export interface ListenerAddress {
  /** Name by the option `name` of the listener, else its number, from 0 on. */
  readonly name: string
  /** Descriptor of the socket in this process. */
  readonly fd: number
  /** Address that a TCP socket is bound to; absent for others, and for given descriptors. */
  readonly host?: string
  /** Port that a TCP socket is bound to, also where the system chose it; absent as `host`. */
  readonly port?: number
  /** Path of a Unix socket; absent for others, and for given descriptors. */
  readonly path?: string
}

/**
 * The sockets that the instances of a process share. They are open for as long as the supervisor is, so connections
 * wait in the backlog while an instance is down.
 */
export class SharedListeners {
  readonly addresses: readonly ListenerAddress[]
  readonly #bound: readonly (Bound | undefined)[]

  /**
   * Binds all.
   * @throws Error when an address is taken or bad
   */
  static async open(listeners: readonly ListenerOptions[]): Promise<SharedListeners> {
    const addresses: ListenerAddress[] = []
    const bound: (Bound | undefined)[] = []
    try {
      for (const [i, each] of listeners.entries()) {
        const { name = `${i}` } = each
        if ('fd' in each) {
          addresses.push({ name, fd: each.fd })
          bound.push(undefined)
          continue
        }
        if ('path' in each) await removeStale(each.path)
        const handle = bind(each)
        bound.push(handle)
        const found: { address?: string; port?: number } = {}
        handle.getsockname?.(found)
        const where = 'path' in each ? { path: each.path } : { host: found.address ?? '', port: found.port ?? each.port }
        addresses.push({ name, fd: handle.fd, ...where })
      }
    } catch (error) {
      for (const handle of bound) handle?.close()
      throw error
    }
    return new SharedListeners(addresses, bound)
  }

  private constructor(addresses: readonly ListenerAddress[], bound: readonly (Bound | undefined)[]) {
    this.addresses = addresses
    this.#bound = bound
  }

  /** Closes those that were bound here. Unix paths are removed. */
  close(): void {
    for (const handle of this.#bound) handle?.close()
  }
}

function bind(listener: { host?: string | undefined; port: number; backlog?: number | undefined } | PathListener): Bound {
  // Node.js has no documented way to bind without accepting. This one is that of node:cluster.
  const create = (net as unknown as { _createServerHandle?: CreateHandle })._createServerHandle
  if (create === undefined) throw new Error(`Node.js ${process.version} cannot share listeners: give descriptors (listen: [{ fd }])`)
  const address = 'path' in listener ? listener.path : `${listener.host ?? '*'}:${listener.port}`
  const handle = 'path' in listener ? create(listener.path, -1, -1, -1, 0) : createTcp(create, listener.host, listener.port)
  if (typeof handle === 'number') throw listenError(handle, address)
  // libuv keeps a failure to bind for `listen`, which cannot be called: this process would then accept.
  const error = 'port' in listener && portOf(handle, listener.port) === undefined ? -constants.errno.EADDRINUSE : 0
  const failed = error || (osAddon()?.listenDescriptor(handle.fd, listener.backlog ?? 511) ?? 0)
  if (failed === 0) return handle
  handle.close()
  throw listenError(failed, address)
}

function listenError(error: number, address: string): Error {
  const [code] = systemError(error)
  return Object.assign(new Error(`listen ${code}: ${address}`), { code, syscall: 'listen', address })
}

/** The port that a socket is bound to; undefined when it is not bound, or not to `port`. */
function portOf(handle: Bound, port: number): number | undefined {
  const found: { port?: number } = {}
  handle.getsockname?.(found)
  return found.port === undefined || found.port === 0 || (port !== 0 && found.port !== port) ? undefined : found.port
}

function createTcp(create: CreateHandle, host: string | undefined, port: number): Bound | number {
  if (host !== undefined) {
    const type = net.isIP(host) || (host === 'localhost' ? 4 : 0)
    if (type === 0) throw new Error(`listen: ${JSON.stringify(host)} is no IP address`)
    return create(host === 'localhost' ? '127.0.0.1' : host, port, type, -1, 0)
  }
  const both = create('::', port, 6, -1, 0)
  return typeof both === 'number' ? create('0.0.0.0', port, 4, -1, 0) : both
}

function systemError(code: number): [name: string, text: string] {
  return process.getBuiltinModule('node:util').getSystemErrorMap().get(code) ?? [`error ${code}`, '']
}

/** Removes the socket of a process that died: one that refuses connections. */
async function removeStale(path: string): Promise<void> {
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = net.connect({ path })
    socket.once('connect', () => resolve(undefined))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.destroy())
  })
  if (code === undefined) throw Object.assign(new Error(`listen EADDRINUSE: ${path}`), { code: 'EADDRINUSE' })
  // ENOTSOCK and the like: a file that somebody wants, which bind then reports.
  if (code === 'ECONNREFUSED') unlinkSync(path)
}
