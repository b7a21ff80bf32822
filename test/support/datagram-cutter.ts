import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { segmentsOf } from '../../src/wire/kcp/conversation.ts'
import { Command, MARK, OVERHEAD, singleSegment } from '../../src/wire/kcp/segment.ts'
import type { Cutter } from './cutter.ts'

/** One client, and the socket that stands for it at the server. */
interface Pair {
  readonly outer: Socket
  readonly port: number
  /** Port of the server that it was connected to. */
  readonly server: number
  conv: number
  lost: { client: boolean; server: boolean }
  held: (() => void)[]
}

/** A relay of datagrams that loses conversations of KCP, and connections of QUIC, as `cutter` loses those of TCP. */
export async function datagramCutter(t: TestContext, url: string): Promise<Cutter> {
  const pairs = new Map<number, Pair>()
  /** Of clients whose connection is cut: they may not know it yet. */
  const gone = new Set<number>()
  let stalled = false
  const inner = createSocket('udp4')
  inner.bind(0, '127.0.0.1')
  await once(inner, 'listening')
  const pass = (pair: Pair, send: () => void): void => {
    if (stalled) pair.held.push(send)
    else send()
  }
  const connect = (port: number): Pair => {
    const server = Number(new URL(made.target).port)
    const pair: Pair = { outer: createSocket('udp4'), port, server, conv: 0, lost: { client: false, server: false }, held: [] }
    pairs.set(port, pair)
    pair.outer.on('error', () => {})
    pair.outer.on('message', (datagram) => pass(pair, () => pair.lost.server || inner.send(datagram, port, '127.0.0.1')))
    return pair
  }
  inner.on('message', (datagram, { port }) => {
    if (gone.has(port)) return
    const pair = pairs.get(port) ?? connect(port)
    if (datagram.length >= OVERHEAD) pair.conv = segmentsOf(datagram)?.readUInt32LE() ?? pair.conv
    made.tap?.(datagram)
    pass(pair, () => pair.lost.client || pair.outer.send(datagram, pair.server, '127.0.0.1'))
  })
  const end = (pair: Pair): void => {
    pairs.delete(pair.port)
    // Nobody on the way can end a connection of QUIC: its peers hear nothing any more.
    if (url.startsWith('quic:')) {
      gone.add(pair.port)
      pair.outer.close()
      return
    }
    const reset = singleSegment({ conv: pair.conv, cmd: Command.Reset, frg: MARK, wnd: 0, ts: 0, sn: 0, una: 0 })
    inner.send(reset, pair.port, '127.0.0.1')
    pair.outer.send(reset, pair.server, '127.0.0.1', () => pair.outer.close())
  }
  t.after(() => {
    for (const { outer } of pairs.values()) outer.close()
    inner.close()
  })
  const made: Cutter = {
    target: url,
    url: url.replace(/\/\/127\.0\.0\.1:\d+/, `//127.0.0.1:${inner.address().port}`),
    cut() {
      for (const pair of [...pairs.values()]) end(pair)
    },
    mute() {
      for (const { lost } of pairs.values()) lost.server = true
    },
    deafen() {
      for (const { lost } of pairs.values()) lost.client = true
    },
    stall() {
      stalled = true
    },
    flow() {
      stalled = false
      for (const { held } of pairs.values()) for (const send of held.splice(0)) send()
    },
  }
  return made
}
