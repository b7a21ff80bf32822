import { lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type OnReadOpts, type Server, type Socket, type SocketConstructorOpts } from 'node:net'
import type { Address } from '../address.ts'
import { CloseReason } from '../close-reason.ts'
import type { Transport, Wire, WireListener, WireOptions } from '../transport.ts'
import { Turns } from './js/turns.ts'
import { JsWire } from './js/wire.ts'

/** Connections the system may hold for us before we accept them; it clamps this to its own limit. */
const BACKLOG = 4096

/** What one read can return. All sockets read into the same buffer, because messages are only borrowed. */
const READ_SIZE = 64 * 1024

/** The transport that needs no binary: the raw protocol over `node:net`. */
export class JsTransport implements Transport {
  readonly kind = 'js'
  readonly #turns = new Turns()
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_SIZE)

  async listen(address: Address, options: WireOptions, onWire: (wire: Wire) => void): Promise<WireListener> {
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
      this.#accept(accepted, address, options, onWire)
    })
    try {
      await bind(server, address)
    } catch (error) {
      if (address.kind !== 'unix' || codeOf(error) !== 'EADDRINUSE' || !(await isStale(address.path))) throw error
      await unlink(address.path)
      await bind(server, address)
    }
    // One connection's failure is its own: the system keeps listening, even when descriptors run out.
    server.on('error', () => {})
    return { address: boundAddress(server, address), close: () => close(server) }
  }

  dial(address: Address, options: WireOptions, signal: AbortSignal): Promise<Wire> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const target = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port, noDelay: true }
      const reader = this.#reader()
      const socket = connect({ ...target, onread: reader.onread })
      // The wire resumes it: nothing may be read before there is a sink.
      socket.pause()
      const settle = () => {
        signal.removeEventListener('abort', onAbort)
        socket.off('error', onError)
        socket.off('connect', onConnect)
      }
      const onAbort = () => {
        settle()
        socket.on('error', () => {})
        socket.destroy()
        reject(signal.reason)
      }
      const onError = (error: Error) => {
        settle()
        reject(firstError(error))
      }
      const onConnect = () => {
        settle()
        resolve(reader.attach(this.#wire(socket, address, options, false)))
      }
      signal.addEventListener('abort', onAbort)
      socket.on('error', onError)
      socket.on('connect', onConnect)
    })
  }

  #accept(accepted: Socket, address: Address, options: WireOptions, onWire: (wire: Wire) => void): void {
    const reader = this.#reader()
    const wire = reader.attach(this.#wire(readingInto(accepted, reader.onread), address, options, true))
    try {
      onWire(wire)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(`onWire threw ${String(error)}`))
      wire.destroy(CloseReason.Local)
    }
  }

  #wire(socket: Socket, address: Address, options: WireOptions, accepted: boolean): JsWire {
    let local: string
    let remote: string
    if (address.kind === 'unix') {
      local = accepted ? address.path : '@'
      remote = accepted ? '@' : address.path
    } else {
      local = hostPort(socket.localAddress, socket.localPort)
      remote = hostPort(socket.remoteAddress, socket.remotePort)
    }
    return new JsWire(socket, local, remote, options, this.#turns)
  }

  /** Options for a socket that reads into the shared buffer, and the way to name its wire, which is made after it. */
  #reader(): { onread: OnReadOpts; attach: (wire: JsWire) => JsWire } {
    let target: JsWire | undefined
    return {
      onread: { buffer: this.#readBuffer, callback: (length, buffer) => target?.received(length, buffer as Uint8Array) ?? true },
      attach: (wire) => (target = wire),
    }
  }
}
