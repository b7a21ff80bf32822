import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { datagramCutter } from './datagram-cutter.ts'

/** A TCP proxy that loses connections. */
export interface Cutter {
  /** That of the server with another port. */
  readonly url: string
  /** Of the server behind it, from the next connection on. */
  target: string
  /** Gets what clients send on connections made from then on; not together with `stall`. */
  tap?: (bytes: Buffer) => void
  /** Resets all connections, on both sides. */
  cut(): void
  /** What the server sends is lost from now on, until the next connection. */
  mute(): void
  /** What the client sends is lost from now on, until the next connection. */
  deafen(): void
  /** Nothing passes until `flow`, and nothing is lost: both sides see silence. Also on connections made meanwhile. */
  stall(): void
  flow(): void
}

export async function cutter(t: TestContext, url: string): Promise<Cutter> {
  if (/^(kcp|quic):/.test(url)) return datagramCutter(t, url)
  const pairs = new Set<[Socket, Socket]>()
  let stalled = false
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connect({ host: '127.0.0.1', port: Number(new URL(made.target).port), noDelay: true })
    const pair: [Socket, Socket] = [inner, outer]
    pairs.add(pair)
    if (stalled) setImmediate(stall)
    if (made.tap !== undefined) inner.on('data', made.tap)
    for (const [from, to] of [pair, [outer, inner]] as const) {
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const lose = (side: 0 | 1): void => {
    for (const pair of pairs) {
      pair[side].unpipe()
      pair[side].resume()
    }
  }
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy()
  }
  const stall = (): void => {
    if (stalled) for (const [inner, outer] of pairs) inner.unpipe(outer) && outer.unpipe(inner)
  }
  t.after(() => {
    cut()
    server.close()
  })
  const address = server.address() as { port: number }
  const made: Cutter = {
    target: url,
    url: url.replace(/\/\/127\.0\.0\.1:\d+/, `//127.0.0.1:${address.port}`),
    cut,
    mute: () => lose(1),
    deafen: () => lose(0),
    stall() {
      stalled = true
      stall()
    },
    flow() {
      stalled = false
      for (const [inner, outer] of pairs) inner.pipe(outer).pipe(inner)
    },
  }
  return made
}
