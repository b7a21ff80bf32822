import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Up is from the client to the server. */
export type Direction = 'up' | 'down'

/** Both sockets of one connection that goes through. */
interface Through {
  readonly up: Socket
  readonly down: Socket
  /** Bytes of it were dropped. */
  torn: boolean
}

/**
 * A TCP proxy before a server, with the faults that sockets show. What is set holds for connections that are there and for later ones, until
 * `calm`. Faults below TCP, as loss, are `link.ts`.
 */
export class FaultyProxy {
  readonly #server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#connected(socket))
  readonly #all = new Set<Through>()
  readonly #stalled = new Set<Direction>()
  readonly #dropped = new Set<Direction>()
  #delay = 0
  #jitter = 0
  #refusing = false
  #target: { host: string; port: number }
  url = ''

  /** @param target url of the server; `retarget` changes it */
  static async start(t: TestContext, target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    t.after(() => proxy.close())
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    const address = proxy.#server.address()
    proxy.url = `tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    return proxy
  }

  private constructor(target: string) {
    this.#target = place(target)
  }

  get connections(): number {
    return this.#all.size
  }

  retarget(target: string): void {
    this.#target = place(target)
  }

  /** RST to both sides. */
  reset(): void {
    for (const { up, down } of this.#all) {
      up.resetAndDestroy()
      down.resetAndDestroy()
    }
  }

  /** FIN to both sides; both may still send. */
  fin(): void {
    for (const { up, down } of this.#all) {
      up.end()
      down.end()
    }
  }

  /** FIN in one direction; the other goes on. */
  halfClose(direction: Direction): void {
    for (const through of this.#all) through[direction].end()
  }

  /** Nothing passes; it waits in the kernel's buffers, which fill. */
  stall(...directions: Direction[]): void {
    for (const direction of directions) this.#stalled.add(direction)
    for (const through of this.#all) for (const direction of directions) source(through, direction).pause()
  }

  /** What comes is thrown away, unknown to either side: both have their bytes acknowledged. */
  drop(...directions: Direction[]): void {
    for (const direction of directions) this.#dropped.add(direction)
  }

  /** Each chunk comes so many milliseconds later, in order. */
  delay(ms: number, jitter = 0): void {
    this.#delay = ms
    this.#jitter = jitter
  }

  /** Passes `bytes` more in this direction and then resets: a message cut in the middle. */
  cut(direction: Direction, bytes: number): void {
    for (const through of this.#all) {
      const from = source(through, direction)
      let left = bytes
      from.removeAllListeners('data')
      from.on('data', (chunk: Buffer) => {
        through[direction].write(chunk.subarray(0, left))
        left -= chunk.length
        if (left > 0) return
        from.removeAllListeners('data')
        // Behind what is written: a reset would overtake it.
        through[direction].end(() => {
          through.up.resetAndDestroy()
          through.down.resetAndDestroy()
        })
      })
    }
  }

  /** New connections are reset. */
  refuse(on = true): void {
    this.#refusing = on
  }

  /** Ends every fault. Connections of which bytes were dropped are reset: what follows would make no sense. */
  calm(): void {
    this.#stalled.clear()
    this.#dropped.clear()
    this.#delay = this.#jitter = 0
    this.#refusing = false
    for (const { up, down, torn } of this.#all) {
      if (torn) {
        up.resetAndDestroy()
        down.resetAndDestroy()
      } else {
        up.resume()
        down.resume()
      }
    }
  }

  async close(): Promise<void> {
    for (const { up, down } of this.#all) {
      up.destroy()
      down.destroy()
    }
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #connected(down: Socket): void {
    if (this.#refusing) {
      down.resetAndDestroy()
      return
    }
    const up = connect({ ...this.#target, allowHalfOpen: true })
    const through = { up, down, torn: false }
    this.#all.add(through)
    up.setNoDelay()
    down.setNoDelay()
    this.#carry(through, 'up')
    this.#carry(through, 'down')
    for (const [socket, other] of [
      [up, down],
      [down, up],
    ]) {
      socket.on('error', () => other.resetAndDestroy())
      socket.on('close', () => {
        this.#all.delete(through)
        other.destroySoon()
      })
    }
  }

  #carry(through: Through, direction: Direction): void {
    const from = source(through, direction)
    const to = through[direction]
    let due = 0
    /** In order, though each step has its own delay. */
    const later = (step: () => void): void => {
      const now = performance.now()
      const at = Math.max(due, now + this.#delay + Math.random() * this.#jitter)
      if (this.#delay + this.#jitter === 0 && due <= now) {
        step()
      } else {
        due = at
        setTimeout(step, at - now)
      }
    }
    from.on('data', (chunk: Buffer) => {
      if (this.#dropped.has(direction)) {
        through.torn = true
        return
      }
      later(() => {
        if (to.writable && !to.write(chunk)) {
          from.pause()
          to.once('drain', () => this.#stalled.has(direction) || from.resume())
        }
      })
    })
    from.on('end', () => {
      if (this.#dropped.has(direction)) through.torn = true
      else later(() => to.end())
    })
    if (this.#stalled.has(direction)) from.pause()
    else from.resume()
  }
}

function source({ up, down }: Through, direction: Direction): Socket {
  return direction === 'up' ? down : up
}

function place(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url.replace(/^tcp:/, 'http:'))
  return { host: hostname, port: Number(port) || 80 }
}
