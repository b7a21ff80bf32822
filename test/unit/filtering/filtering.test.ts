import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FilteredIn } from '../../../src/filtering/inbound.ts'
import { packLayers, unpackLayers } from '../../../src/filtering/layers.ts'
import { FilteredOut } from '../../../src/filtering/outbound.ts'
import { insecureAes } from '../../../src/filters/aes.ts'
import { aesGcm } from '../../../src/filters/aes-gcm.ts'
import { brotli } from '../../../src/filters/brotli.ts'
import { makeFilters } from '../../../src/filters/filter-table.ts'
import { gzip } from '../../../src/filters/gzip.ts'
import { md5 } from '../../../src/filters/md5.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import type { Filter } from '../../../src/message/filter.ts'
import { Incoming, MessageType } from '../../../src/message/message.ts'
import { SendResult } from '../../../src/transports/transport.ts'
import { rawEnvelope } from '../../../src/wire/raw-envelope.ts'
import { FakeWire } from '../../support/fake-wire.ts'
import { frame } from '../../support/frames.ts'
import { outgoing } from '../../support/outgoing.ts'
import { random } from '../../support/random.ts'

const KiB = 1024
const MiB = 1024 * 1024
const own = [insecureAes('1234567890123456'), aesGcm({ keys: { 1: Buffer.alloc(32) }, current: 1 }), brotli()]
const table = makeFilters(own)

interface Got {
  seq: number
  body: string
  filters: string[]
}

/** What takes filtered frames of one session, and what came of them. */
function receiver(maxMessage = MiB) {
  const wire = new FakeWire()
  const got: Got[] = []
  const failures: string[] = []
  const incoming = new FilteredIn(wire, rawEnvelope, table, maxMessage, {
    onMessage: (m) => {
      got.push({
        seq: m.seq,
        body: m.buffer.toString('latin1', m.bodyStart, m.bodyEnd),
        filters: (m.filters ?? []).map(({ name }) => name),
      })
    },
    fail: (reason) => failures.push(Object.keys(CloseReason)[reason]),
    onFiltersIdle: () => {},
    onFiltersNeedDrain: () => {},
  })
  const receive = (bytes: Buffer): void => {
    const message = new Incoming()
    message.setUnparsed(bytes, 0, bytes.length)
    incoming.receive(message)
  }
  return { wire, got, failures, incoming, receive }
}

/** `plain`, a frame without filters, through those with `names`. */
async function filtered(names: string[], plain: Buffer): Promise<Buffer> {
  const pipe = table.append(undefined, names, 4) ?? []
  const payload = await packLayers(pipe, plain.subarray(6))
  const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, 1, pipe.length, ...pipe.map(({ id }) => id)]), payload])
  bytes.writeUInt32BE(bytes.length)
  return bytes
}

const settled = async (wire: FakeWire): Promise<void> => {
  while (wire.holds > 0) await new Promise(setImmediate)
}

describe('layers', () => {
  const pipe = [gzip(), md5]

  test('the first is the outermost', () => {
    const packed = packLayers(pipe, Buffer.from('x')) as Uint8Array
    assert.equal(packed[0], 0x1f)
    assert.deepEqual(Buffer.from(unpackLayers(pipe, packed, 100) as Uint8Array), Buffer.from('x'))
  })

  test('up to 64 KiB on both sides they are handled at once, beyond it later', async () => {
    for (const [size, at] of [
      [64 * KiB - 16, true],
      [64 * KiB + 1, false],
    ] as const) {
      const bytes = Buffer.alloc(size)
      const packed = packLayers(pipe, bytes)
      assert.equal(packed instanceof Uint8Array, at)
      const opened = unpackLayers(pipe, await packed, MiB) // a few bytes in
      assert.equal(opened instanceof Uint8Array, at)
      assert.equal((await opened).length, size)
    }
  })

  test('what is borrowed may change once unpackLayers returned', async () => {
    const packed = Buffer.from(await packLayers([md5, gzip()], Buffer.alloc(MiB)))
    const opened = unpackLayers([md5, gzip()], packed, 2 * MiB)
    packed.fill(0xee)
    assert.equal((await opened).length, MiB)
  })

  test('a filter without an asynchronous form is used as it is', async () => {
    const plain: Filter = { id: 1, name: 'not', pack: (bytes) => bytes.map((b) => ~b), unpack: (bytes) => bytes.map((b) => ~b) }
    const bytes = Buffer.alloc(100 * KiB, 5)
    for (const layers of [[plain], [gzip(), plain], [plain, gzip()]]) {
      assert.ok(bytes.equals(await unpackLayers(layers, await packLayers(layers, bytes), MiB)))
    }
    assert.throws(() => unpackLayers([plain], bytes, 1000), /larger than 1000/)
  })
})

describe('inbound', () => {
  test('messages come out with their filters, in order', async () => {
    const { got, receive, wire } = receiver()
    for (const [seq, names] of [['gzip'], ['md5', 'aes'], ['aes-gcm', 'brotli'], ['gzip', 'gzip', 'md5', 'aes']].entries()) {
      receive(await filtered(names, frame({ seq, body: 'x'.repeat(seq) })))
      assert.deepEqual(got.at(-1), { seq, body: 'x'.repeat(seq), filters: names })
    }
    assert.equal(wire.holds, 0)
  })

  test('while a large one is worked on the wire is held', async () => {
    const { got, receive, wire } = receiver()
    receive(await filtered(['gzip'], frame({ body: 'x'.repeat(100 * KiB) })))
    assert.deepEqual([got.length, wire.holds], [0, 1])
    await settled(wire)
    assert.equal(got[0].body.length, 100 * KiB)
  })

  test('each way to fail has its reason', async () => {
    const good = await filtered(['md5'], frame({ body: 'x' }))
    const changed = (bytes: Buffer, at: number): Buffer => Buffer.from(bytes.map((b, i) => (i === at ? b ^ 1 : b)))
    const cases: [string, Buffer][] = [
      ['Filter', changed(good, 6)],
      ['FilterFailed', changed(good, 20)],
      ['FilterFailed', good.subarray(0, 10)],
      ['Overrun', await filtered(['gzip'], frame().subarray(0, 6))],
      ['Overrun', await filtered(['md5'], frame({ metaLength: 500 }))],
      ['Seq', await filtered(['gzip'], frame({ seq: '!' }))],
      ['Type', await filtered(['gzip'], frame({ type: 0 }))],
      ['Type', await filtered(['gzip'], frame({ type: 6 }))],
    ]
    for (const [reason, bytes] of cases) {
      const { got, failures, receive } = receiver()
      receive(bytes)
      assert.deepEqual([got, failures], [[], [reason]])
    }
  })

  test('a message that is larger than maxMessage without its filters is refused, at the limit it is not', async () => {
    for (const size of [1000, 100 * KiB]) {
      const plain = frame({ body: 'x'.repeat(size) })
      for (const names of [['gzip'], ['brotli'], ['gzip', 'md5', 'gzip']]) {
        const [at, over] = [receiver(plain.length + (names.length > 1 ? 16 : 0)), receiver(plain.length - 1)]
        for (const { receive, wire } of [at, over]) {
          receive(await filtered(names, plain))
          await settled(wire)
        }
        assert.deepEqual([at.got.length, at.failures, over.got.length, over.failures], [1, [], 0, ['TooLarge']])
      }
    }
  })

  test('after drop a message that was worked on comes to nothing', async () => {
    const { got, failures, receive, wire, incoming } = receiver()
    receive(await filtered(['gzip'], frame({ body: 'x'.repeat(100 * KiB) })))
    incoming.drop()
    await settled(wire)
    assert.deepEqual([got, failures], [[], []])
  })

  test('12,000 mutated frames are refused for a reason or read, and never change what comes after', async () => {
    const corpus: Buffer[] = []
    for (const names of [
      ['gzip'],
      ['md5'],
      ['aes'],
      ['aes-gcm'],
      ['brotli'],
      ['gzip', 'md5'],
      ['md5', 'gzip'],
      ['aes', 'gzip', 'md5', 'gzip'],
    ]) {
      for (const body of ['', '"hi"', 'x'.repeat(3000), 'y'.repeat(70 * KiB)]) {
        corpus.push(await filtered(names, frame({ method: '/math/add', meta: '{"a":"b"}', body })))
      }
    }
    const outcomes: Record<string, number> = {}
    for (let seed = 1; seed <= 12_000; seed++) {
      const rnd = random(seed)
      const bytes = Buffer.from(corpus[rnd(corpus.length)])
      for (let i = 1 + rnd(3); i > 0; i--) {
        // Not the prefix, which the transports check.
        const at = rnd(2) === 0 ? 6 + rnd(Math.min(20, bytes.length - 6)) : 6 + rnd(bytes.length - 6)
        bytes[at] = rnd(3) === 0 ? table.byName(['gzip', 'md5', 'aes', 'brotli'][rnd(4)])!.id : rnd(256)
      }
      const { got, failures, receive, wire } = receiver(200 * KiB)
      receive(rnd(5) === 0 ? bytes.subarray(0, 6 + bytes[5] + rnd(bytes.length - 6 - bytes[5])) : bytes)
      if (wire.holds > 0) await settled(wire)
      assert.equal(got.length + failures.length, 1, `seed ${seed}`)
      const outcome = failures[0] ?? 'read'
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    const known = ['read', 'Filter', 'FilterFailed', 'Overrun', 'Seq', 'Type', 'TooLarge']
    assert.deepEqual(
      Object.keys(outcomes).filter((outcome) => !known.includes(outcome)),
      [],
    )
    assert.ok(outcomes.FilterFailed > 1000 && outcomes.Filter > 100, JSON.stringify(outcomes))
  })
})

describe('outbound', () => {
  function sender(limits = { maxMessage: MiB, maxUnsent: MiB }) {
    const wire = new FakeWire()
    let emptied = 0
    const presses: boolean[] = []
    const out = new FilteredOut(
      wire,
      rawEnvelope,
      limits,
      () => emptied++,
      (on) => presses.push(on),
    )
    const send = (type: number, names: string[], seq: number, body: Uint8Array | string = '') =>
      out.send(table.append(undefined, names, 4), outgoing(type, seq, -1, '/p', '', '', 106, body))
    const push = (names: string[], seq: number, body: Uint8Array | string = '') => send(MessageType.Push, names, seq, body)
    const reply = (names: string[], seq: number, body: Uint8Array | string = '') => send(MessageType.Reply, names, seq, body)
    /** Numbers of the frames sent. */
    const sent = (): number[] => {
      const { got, receive } = receiver()
      for (const bytes of wire.frames) receive(bytes)
      return got.map(({ seq }) => seq)
    }
    return { wire, out, push, reply, presses, sent, emptied: () => emptied }
  }
  const large = Buffer.alloc(300 * KiB)

  test('a small message is sent at once', () => {
    const { push, sent, out } = sender()
    assert.equal(push(['gzip', 'md5'], 1), SendResult.Ok)
    assert.equal(out.busy, false)
    assert.deepEqual(sent(), [1])
  })

  test('behind a large one everything waits, with filters or without', async () => {
    const { push, out, wire, emptied } = sender()
    const results = [push(['md5'], 1, large), push(['gzip'], 2), push([], 3), push(['aes'], 4, large)]
    assert.ok(results.every((result) => result instanceof Promise))
    assert.ok(out.busy)
    assert.deepEqual(await Promise.all(results), [0, 0, 0, 0])
    assert.deepEqual(
      wire.frames.map((bytes) => [...bytes.subarray(5, 6 + bytes[5])]),
      [[1, 0x35], [1, 0x7a], [0], [1, 0x61]],
    )
    await new Promise(setImmediate)
    assert.deepEqual([out.busy, emptied()], [false, 1])
  })

  test('what waits is bounded by maxUnsent, and pushes do not keep the peer from asking', async () => {
    const { push, wire, out, presses } = sender({ maxMessage: MiB, maxUnsent: MiB })
    const results = [1, 2, 3].map((seq) => push(['gzip'], seq, large))
    assert.equal(push([], 4, large), SendResult.Unsent)
    assert.deepEqual(await Promise.all(results), [0, 0, 0])
    while (out.busy) await new Promise(setImmediate)
    assert.deepEqual([wire.holds, presses], [0, []])
  })

  test('replies press above half of maxUnsent, are bounded by it, and find room beside pushes', async () => {
    const { push, reply, wire, out, presses } = sender({ maxMessage: MiB, maxUnsent: MiB })
    const results = [1, 2, 3].map((seq) => push(['gzip'], seq, large))
    results.push(reply(['gzip'], 4, large))
    assert.deepEqual(presses, [])
    results.push(reply(['gzip'], 5, large))
    assert.deepEqual(presses, [true])
    results.push(reply([], 6, large))
    assert.equal(reply([], 7, large), SendResult.Unsent)
    assert.deepEqual(await Promise.all(results), [0, 0, 0, 0, 0, 0])
    while (out.busy) await new Promise(setImmediate)
    assert.deepEqual([wire.holds, presses], [0, [true, false]])
  })

  test('limits are those of every frame', async () => {
    const { push, wire, out } = sender({ maxMessage: 1000, maxUnsent: MiB })
    assert.equal(push(['gzip'], 1, 'x'.repeat(1000)), SendResult.TooLarge)
    assert.equal(out.send(undefined, outgoing(3, 1, -1, 'x'.repeat(256), '', '', 106, null)), SendResult.TooLarge)
    wire.result = SendResult.Unsent
    assert.equal(push(['gzip'], 1), SendResult.Unsent)
  })

  test('after drop nothing is sent', async () => {
    const { push, wire, out } = sender()
    const results = [push(['gzip'], 1, large), push([], 2)]
    out.drop()
    assert.deepEqual(await Promise.all(results), [SendResult.Closed, SendResult.Closed])
    assert.equal(push([], 3), SendResult.Closed)
    assert.equal(wire.frames.length, 0)
  })

  test('a filter that throws fails its message and no other', async () => {
    const wire = new FakeWire()
    const out = new FilteredOut(
      wire,
      rawEnvelope,
      { maxMessage: MiB, maxUnsent: MiB },
      () => {},
      () => {},
    )
    const broken = (): never => {
      throw new Error('broken')
    }
    const bad: Filter = { id: 1, name: 'bad', pack: broken, packAsync: async () => broken(), unpack: (bytes) => bytes }
    assert.throws(() => out.send([bad], outgoing(3, 1, -1, '/p', '', '', 106, '')), /broken/)
    const results = [large, large, ''].map((body, i) => out.send(i === 1 ? [md5] : [bad], outgoing(3, i, -1, '/p', '', '', 106, body)))
    assert.deepEqual(
      (await Promise.allSettled(results)).map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected'],
    )
    assert.equal(wire.frames.length, 1)
  })
})
