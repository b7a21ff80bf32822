import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Parsed, parse } from '../support/frames.ts'

/** Passes bytes of the raw protocol between two ends, and keeps the frames without filters. */
export class Tap {
  /** Of whoever connected. */
  readonly fromClient: Parsed[] = []
  readonly fromServer: Parsed[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => this.#join(socket))
  readonly #port: number

  /** @param address `host:port` to pass everything to */
  static async to(address: string): Promise<Tap> {
    const tap = new Tap(address)
    tap.#server.listen(0, '127.0.0.1')
    await once(tap.#server, 'listening')
    return tap
  }

  private constructor(address: string) {
    this.#port = Number(address.slice(address.lastIndexOf(':') + 1))
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `tcp://${this.address}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    this.#pass(client, server, this.fromClient)
    this.#pass(server, client, this.fromServer)
  }

  #pass(from: Socket, to: Socket, into: Parsed[]): void {
    this.#sockets.add(from)
    let rest: Buffer = Buffer.alloc(0)
    from.on('data', (chunk) => {
      to.write(chunk)
      rest = Buffer.concat([rest, chunk])
      for (let size = sizeOf(rest); size <= rest.length; size = sizeOf(rest)) {
        const filters = rest[5]
        if (filters === 0) into.push(...parse(rest.subarray(0, size)).frames)
        rest = rest.subarray(size)
      }
    })
    from.on('error', () => {})
    from.on('end', () => to.end())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroySoon()
    })
  }
}

/** Of the frame that `bytes` begin with; Infinity while they do not say. */
function sizeOf(bytes: Buffer): number {
  return bytes.length < 6 ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(0)
}
