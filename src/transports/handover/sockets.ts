import { lstatSync, unlinkSync } from 'node:fs'
import { type Address, formatAddress } from '../address.ts'

// Listening sockets that pass from one process to the next: those that this process has, and those that it was given.

/** A listening socket that was passed to this process. */
export interface InheritedSocket {
  readonly descriptor: number
  /** URL that it was asked for with, such as `tcp://127.0.0.1:0`; that of `bound` where nobody says. */
  readonly asked: string
  /** The address that it is bound to. */
  readonly bound: Address
  /** Whether the path of a Unix socket belongs to this process, and not to a service manager. */
  readonly ownsPath: boolean
}

/** A listening socket of this process that others can inherit. */
export interface OpenSocket {
  /** URL that it was asked for with. */
  readonly asked: string
  /** URL that it is bound to. */
  readonly url: string
  /** -1 when it cannot be passed on. */
  descriptor(): number
  /** Stops accepting. The socket lives on in another process. */
  release(): Promise<void>
  /** Owner of the connections. */
  readonly owner: SocketOwner
}

/** An object that serves the connections of listening sockets. */
export interface SocketOwner {
  /**
   * Waits until each connection that was accepted has brought its first message; absent where a drain does that.
   * @param ms milliseconds at most
   */
  hear?(ms: number): Promise<void>
  /**
   * Ends gracefully.
   * @param timeout milliseconds
   */
  drain(timeout: number): Promise<void>
  /** Load at the moment; absent where it is not known. */
  load?(): OwnerLoad
}

/** Load of the owner of listening sockets. */
interface OwnerLoad {
  /** Sessions, or connections. */
  readonly sessions: number
  /** Handlers that have not settled. */
  readonly calls: number
}

/** All listening sockets of this process that are open. */
export const openSockets = new Set<OpenSocket>()

/**
 * Open listeners whose sockets no other process can serve, and their URLs: datagrams of one UDP socket reach whichever
 * process reads first, and the sessions of the old one would miss theirs.
 */
export const unpassable = new Map<object, string>()

const inherited = new Set<InheritedSocket>()

/** Adds a socket that this process was given. */
export function offerInherited(socket: InheritedSocket): void {
  inherited.add(socket)
}

/** Whether there are sockets that were given to this process and that nobody took. */
export function hasInherited(): boolean {
  return inherited.size > 0
}

/** Takes all sockets that nobody took, to close them. */
export function takeUnclaimed(): InheritedSocket[] {
  const left = [...inherited]
  inherited.clear()
  return left
}

/**
 * Takes the socket for an address. Sockets that were asked for in the same words go in the order they were given, so
 * that port 0 finds the port of the process before.
 * @param asked the address as the application says it
 * @param resolved the same with an IP address
 */
export function takeInherited(asked: Address, resolved: Address): InheritedSocket | undefined {
  const words = formatAddress(asked)
  const all = [...inherited]
  const found =
    all.find((socket) => socket.asked === words) ??
    all.find(({ bound }) => isSamePlace(bound, resolved)) ??
    all.find(({ bound }) => isSamePort(bound, resolved))
  if (found !== undefined) inherited.delete(found)
  return found
}

function isSamePlace(bound: Address, resolved: Address): boolean {
  if (bound.kind === 'unix' || resolved.kind === 'unix')
    return bound.kind === 'unix' && resolved.kind === 'unix' && bound.path === resolved.path
  return resolved.port !== 0 && bound.port === resolved.port && bound.host === resolved.host
}

/** Whether both are the same port of all interfaces. Go, and sockets of systemd, have `[::]` for `0.0.0.0`. */
function isSamePort(bound: Address, resolved: Address): boolean {
  if (bound.kind === 'unix' || resolved.kind === 'unix' || resolved.port === 0) return false
  const all = ['0.0.0.0', '::']
  return bound.port === resolved.port && all.includes(bound.host) && all.includes(resolved.host)
}

/** A function that removes a path, if it is still the file that it is now. */
export function remover(path: string): () => void {
  const inode = inodeOf(path)
  return () => {
    if (inode !== undefined && inodeOf(path) === inode) unlinkSync(path)
  }
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}
