import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { KcpConversation } from '../../../../src/wire/kcp/conversation.ts'
import { FEC_HEADER, FecDecoder, FecEncoder } from '../../../../src/wire/kcp/fec.ts'
import { distance } from '../../../../src/wire/kcp/segment.ts'
import { defaultKcp } from '../../../../src/wire/kcp/settings.ts'

interface Segment {
  conv: number
  cmd: 'push' | 'ack' | 'wask' | 'wins'
  wnd: number
  ts: number
  sn: number
  una: number
  len: number
}
interface Line {
  ms: number
  from: 'client' | 'server'
  lost?: boolean
  fec?: { seqid: number; type: 'data' | 'parity'; size: number }
  segments?: Segment[]
  hex: string
}
interface Exchange {
  name: string
  lines: Line[]
}

const url = new URL('../../../vectors/kcp.json', import.meta.url)
const { exchanges } = JSON.parse(readFileSync(url, 'utf8')) as { exchanges: Exchange[] }
const sides = ['client', 'server'] as const

function bytesOf({ hex }: Line): Buffer {
  return Buffer.from(hex, 'hex')
}

/** Data of the segments of a datagram, by number. */
function pushes(line: Line): { sn: number; data: Buffer }[] {
  const bytes = bytesOf(line).subarray(line.fec === undefined ? 0 : FEC_HEADER)
  let at = 0
  return (line.segments ?? []).flatMap(({ cmd, sn, len }) => {
    at += 24 + len
    return cmd === 'push' ? [{ sn, data: bytes.subarray(at - len, at) }] : []
  })
}

/** What one side of a conversation wrote, in order. */
function streamOf(lines: readonly Line[], from: string): Buffer {
  const segments = new Map<number, Buffer>()
  for (const line of lines) if (line.from === from) for (const { sn, data } of pushes(line)) segments.set(sn, data)
  return Buffer.concat([...segments.keys()].sort((a, b) => a - b).map((sn) => segments.get(sn) as Buffer))
}

/** Exchanges in which a side that wrote with KCP of Go's was also listened to by one. */
const talks = exchanges.filter(({ name }) => !name.startsWith('probe') && name !== 'server-closes')

describe('datagrams captured from Go', () => {
  for (const { name, lines } of talks) {
    for (const side of sides) {
      test(`${name}: a conversation reads what the ${side} wrote`, () => {
        const given = lines.filter(({ from, lost }) => from === side && lost !== true)
        const conv = given.find(({ segments }) => segments !== undefined)?.segments?.[0].conv
        if (conv === undefined) return
        const sent: Buffer[] = []
        const conversation = new KcpConversation(conv, defaultKcp, (datagram) => sent.push(datagram))
        const read: Buffer[] = []
        for (const line of given) {
          conversation.receive(bytesOf(line), 10_000 + line.ms)
          for (let data: Buffer | undefined; (data = conversation.machine.read()) !== undefined; ) read.push(data)
          conversation.flush(false, 10_000 + line.ms)
        }
        assert.deepEqual(Buffer.concat(read), streamOf(lines, side))
        assert.equal(conversation.repairOff, false)
      })
    }
  }

  for (const { name, lines } of talks) {
    for (const side of sides) {
      const own = lines.filter(({ from, fec }) => from === side && fec !== undefined)
      if (own.length === 0) continue
      test(`${name}: ids and parity of the ${side} are made alike, and repair any three losses`, () => {
        const encoder = new FecEncoder(10, 3)
        const made: string[] = []
        for (const line of own) {
          if (line.fec?.type !== 'data') continue
          const datagram = Buffer.from(bytesOf(line))
          datagram.fill(0xee, 0, FEC_HEADER)
          const parity = encoder.seal(datagram, line.ms)
          for (const each of [datagram, ...parity]) made.push(each.toString('hex'))
        }
        assert.deepEqual(
          made,
          own.map(({ hex }) => hex),
        )
        if (own.filter(({ fec }) => (fec?.seqid ?? 13) < 13).length < 13) return
        for (const lost of [[0], [9], [1, 4, 8], [7, 8, 9], [0, 5, 11], [3, 10, 12]]) {
          const decoder = new FecDecoder(10, 3)
          const repaired = own.slice(0, 13).flatMap((line, i) => (lost.includes(i) ? [] : decoder.take(bytesOf(line))))
          const expected = lost.filter((place) => place < 10).map((place) => bytesOf(own[place]).subarray(6).toString('hex'))
          const sizes = repaired.map((shard) => shard.subarray(0, shard.readUInt16LE(0)).toString('hex'))
          assert.deepEqual(sizes, expected, `lost ${lost}`)
        }
      })
    }
  }

  for (const { name, lines } of talks) {
    // The server of the last has the plain datagrams of a program that is no KCP.
    if (name === 'plain-client') continue
    for (const side of sides) {
      test(`${name}: a conversation in the place of the ${side} sends the same bytes`, () => replay(lines, side))
    }
  }
})

/** Takes the place of `side`: gets what it got, writes what it wrote, and must send what it sent. */
function replay(lines: readonly Line[], side: 'client' | 'server'): void {
  const first = lines.find(({ segments }) => segments !== undefined)?.segments?.[0]
  const own = lines.filter(({ from }) => from === side)
  const clock = own.find(({ segments }) => segments?.some(({ cmd }) => cmd === 'push'))
  if (first === undefined || clock === undefined) return
  const base = (clock.segments?.find(({ cmd }) => cmd === 'push')?.ts ?? 0) - clock.ms
  const sent: Buffer[] = []
  const conversation = new KcpConversation(first.conv, defaultKcp, (datagram) => sent.push(datagram))
  const { machine } = conversation
  conversation.flush(true, base >>> 0)
  const onTheWay: Line[] = []
  let written = 0
  for (const line of lines) {
    const now = (line.segments?.find(({ cmd }) => cmd === 'push' && line.from === side)?.ts ?? base + line.ms) >>> 0
    if (line.from !== side) {
      if (line.lost !== true) onTheWay.push(line)
      continue
    }
    // What was captured in the same millisecond may have arrived after this was sent.
    const last = Math.max(...(line.segments ?? []).filter(({ cmd }) => cmd === 'ack').map(({ sn }) => sn))
    const isLater = ({ ms, segments = [] }: Line): boolean => ms === line.ms && segments.some(({ cmd, sn }) => cmd === 'push' && sn > last)
    while (onTheWay.length > 0 && !(last >= 0 && isLater(onTheWay[0]))) {
      const arrived = onTheWay.shift() as Line
      conversation.receive(bytesOf(arrived), (base + arrived.ms) >>> 0)
    }
    if (sent.length === 0) {
      for (const { sn, data } of pushes(line)) {
        if (distance(sn, written) < 0) continue
        machine.sending.write(data)
        written++
      }
      while (machine.receiving.free < (line.segments?.[0].wnd ?? 0)) if (machine.read() === undefined) break
      conversation.flush(true, now)
    }
    assert.equal(sent.shift()?.toString('hex'), line.hex, `at ${line.ms} ms`)
  }
}
