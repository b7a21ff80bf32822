import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { aesGcm } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair } from '../support/helpers.ts'
import { compareTransports, feed, type Row, victim } from '../support/hostile.ts'
import { envelope, jsonDocument, pbMessage, speakers } from '../support/hostile-protocols.ts'

const GZIP = 0x7a
const MD5 = 0x35
const MIB = 1024 * 1024
const TOO_LARGE = 'frame larger than the limit'
const FAILED = 'bytes that a transfer filter refused'
const MALFORMED = 'bytes that are not the protocol'

const md5 = (bytes: Buffer): Buffer => Buffer.concat([bytes, createHash('md5').update(bytes).digest()])
const zeros = gzipSync(Buffer.alloc(64 * MIB))
/** 1 GiB of zeros in 1 MiB: members of one stream each. */
const gibibyte = Buffer.concat(Array<Buffer>(16).fill(zeros))

/** What gzip refuses, around `good`, and how much `wrap` makes of it. */
function broken(good: Buffer, wrap: (zipped: Buffer) => Buffer): Row[] {
  const zipped = gzipSync(good)
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(zipped)
    bytes[at < 0 ? bytes.length + at : at] ^= 0x10
    return bytes
  }
  return [
    { row: 'Z1', what: '64 MiB in 64 KiB', bytes: wrap(zeros), closes: TOO_LARGE },
    { row: 'Z1', what: '1 GiB in 1 MiB', bytes: wrap(gibibyte), closes: TOO_LARGE },
    ...[1, 9, 10, 20, zipped.length - 8, zipped.length - 1].map((length): Row => {
      return { row: 'Z2', what: `cut to ${length}`, bytes: wrap(zipped.subarray(0, length)), closes: FAILED }
    }),
    { row: 'Z2', what: 'a wrong checksum', bytes: wrap(flipped(-8)), closes: FAILED },
    { row: 'Z2', what: 'a wrong size', bytes: wrap(flipped(-1)), closes: FAILED },
    { row: 'Z2', what: 'a wrong magic number', bytes: wrap(flipped(0)), closes: FAILED },
    { row: 'Z2', what: 'an unknown method', bytes: wrap(flipped(2)), closes: FAILED },
    { row: 'Z2', what: 'trailing bytes', bytes: wrap(Buffer.concat([zipped, Buffer.from('garbage')])), closes: FAILED },
  ]
}

function envelopes(message: (body: string) => Buffer, empty: string, two: Partial<Row>): Row[] {
  const good = message('"x"')
  const deep = gzipSync(gzipSync(gzipSync(zeros)))
  const digest = md5(good)
  return [
    ...broken(good, (zipped) => envelope(zipped, [GZIP])),
    { row: 'Z1', what: 'nested four times', bytes: envelope(deep, [GZIP, GZIP, GZIP, GZIP]), closes: TOO_LARGE },
    // As in Go, all members are one payload (test/unit/filters/filters.test.ts), and nothing is what nothing becomes.
    { row: 'Z2', what: 'two members', bytes: envelope(Buffer.concat([gzipSync(good), gzipSync(good)]), [GZIP]), ...two },
    { row: 'Z2', what: 'gzip around nothing', bytes: envelope('', [GZIP]), closes: empty },
    { row: 'Z2', what: 'the second filter refuses', bytes: envelope(gzipSync(good), [GZIP, MD5]), closes: FAILED },
    ...[0, 7, digest.length - 1].map((at): Row => {
      const bytes = Buffer.from(digest)
      bytes[at] ^= 1
      return { row: 'Z2', what: `md5 with byte ${at} changed`, bytes: envelope(bytes, [MD5]), closes: FAILED }
    }),
    { row: 'Z2', what: 'md5 of nothing', bytes: envelope('', [MD5]), closes: FAILED },
    {
      row: 'Z2',
      what: 'good ones',
      bytes: Buffer.concat([envelope(gzipSync(good), [GZIP]), envelope(digest, [MD5]), envelope(gzipSync(digest), [GZIP, MD5])]),
    },
  ]
}

const httpBody = (bytes: Buffer): Buffer => {
  const head = `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

const rows: Record<string, readonly Row[]> = {
  json: envelopes((body) => jsonDocument(body), MALFORMED, { closes: MALFORMED }),
  protobuf: envelopes((body) => pbMessage(body), 'unknown message type', {}),
  http: [...broken(Buffer.from('"x"'), httpBody), { row: 'Z2', what: 'a good one', bytes: httpBody(gzipSync('"x"')), says: /200 OK/ }],
}

onEachTransport('hostile filters', (transport) => {
  for (const [name, of] of Object.entries(rows)) {
    const { call } = speakers[name as keyof typeof speakers]

    it(`${name}: what a filter cannot undo is refused, and bombs cost no memory`, async (t) => {
      const before = process.memoryUsage().rss
      await feed(t, transport, name, of, (token) => call(`"${token}"`), { limits: { maxMessage: 4 * MIB } })
      assert.ok(process.memoryUsage().rss - before < 200 * MIB, 'far below what the bombs would be')
    })

    it(`${name}: while a large message is inflated, others are served (Z5)`, async (t) => {
      const target = await victim(t, transport, name)
      const body = Buffer.from(`"${Buffer.alloc(12 * MIB, 'abcdefgh ').toString()}"`)
      const payload = name === 'json' ? jsonDocument(body.toString()) : name === 'protobuf' ? pbMessage(body) : body
      const bytes = name === 'http' ? httpBody(gzipSync(payload)) : envelope(gzipSync(payload), [GZIP])
      let reached = false
      const handled = once()
      target.server.routeCall('/large', () => {})
      target.server.routePush('/large', () => {})
      const stranger = await target.stranger()
      void stranger
        .until((received) => received.length > 0)
        .then(() => {
          reached = true
          handled.resolve()
        }, handled.reject)
      stranger.send(bytes)
      let served = 0
      while (!reached) {
        await target.control.call('/echo', served)
        served++
      }
      await handled.promise
      assert.ok(served >= 5, `${served} calls while 12 MiB were inflated`)
      assert.equal(target.server.stats.violations, 0)
    })
  }

  for (const name of ['json', 'protobuf'] as const) {
    const key = Buffer.alloc(32, 7)

    it(`${name}: each flipped bit, a replay and a wrong key are refused (Z3)`, async (t) => {
      // A peer of ours writes one good frame, which is caught on its way.
      const caught = once<Buffer>()
      const { createServer } = await import('node:net')
      const tap = createServer((socket) => socket.on('error', () => {}).once('data', (bytes) => caught.resolve(bytes)))
      await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve))
      t.after(() => tap.close())
      const sender = endpoint(t, { transport, extensions: false, filters: [aesGcm({ keys: { 1: key }, current: 1 })], protocol: name })
      const { port } = tap.address() as { port: number }
      const session = await sender.dial(`tcp://127.0.0.1:${port}`)
      void session.push('/n', 'x', { filters: ['aes-gcm'] })
      const frame = await caught.promise
      session.destroy()
      const flips = Array.from({ length: frame.length - 6 }, (_, i): Row => {
        const bytes = Buffer.from(frame)
        bytes[6 + i] ^= 1 << (i % 8)
        return { row: 'Z3', what: `byte ${6 + i}`, bytes, closes: FAILED }
      })
      const { call } = speakers[name]
      const all: Row[] = [
        ...flips,
        { row: 'Z3', what: 'the frame as it was', bytes: frame },
        { row: 'Z3', what: 'the frame twice', bytes: Buffer.concat([frame, frame]), closes: FAILED },
      ]
      await feed(t, transport, name, all, (token) => call(`"${token}"`), { filters: [aesGcm({ keys: { 1: key }, current: 1 })] })
      const other: Row[] = [{ row: 'Z3', what: 'another key', bytes: frame, closes: FAILED }]
      await feed(t, transport, name, other, (token) => call(`"${token}"`), {
        filters: [aesGcm({ keys: { 1: Buffer.alloc(32, 8) }, current: 1 })],
      })
    })

    it(`${name}: calls both ways through aes-gcm, large and small, in order (Z3)`, async (t) => {
      const options = { filters: [aesGcm({ keys: { 1: key }, current: 1 })], protocol: name }
      const { server, session } = await pair(t, transport, { server: options, client: options })
      server.routeCall('/echo', (value: unknown) => value)
      const texts = Array.from({ length: 50 }, (_, n) => 'x'.repeat(n % 10 === 0 ? 200_000 : n))
      const replies = await Promise.all(texts.map((text) => session.call('/echo', text, { filters: ['aes-gcm'] })))
      assert.deepEqual(replies, texts)
    })
  }
})

compareTransports()
