import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloseReason } from '../../../src/message/close-reason.ts'
import { internName } from '../../../src/message/names.ts'
import { SendResult } from '../../../src/transports/transport.ts'
import { frame } from '../../support/frames.ts'
import { outgoing } from '../../support/outgoing.ts'
import { type End, turns, wireAndPeer, wirePair } from './js-connections.ts'

const MiB = 1024 * 1024

/** For tests that would wait for ever if what waits for a peer were never sent. */
const limited = { timeout: 10_000 }

function push({ wire }: End, seq: number, body: string | Uint8Array | null = null): SendResult {
  return wire.send(outgoing(3, seq, -1, '', '', '', 106, body))
}

test('a violation closes its connection with its reason, after the messages before it', async (t) => {
  const bad: [keyof typeof CloseReason, Buffer][] = [
    ['TooShort', Buffer.from([0, 0, 0, 14])],
    ['TooLarge', Buffer.from([0, 0, 4, 1])],
    ['Version', Buffer.from([0, 0, 0, 50, 6])],
    ['FilterCount', Buffer.from([0, 0, 0, 50, 1, 5])],
    ['Seq', frame({ seq: '!' })],
    ['Type', frame({ type: 6 })],
    ['Overrun', frame({ metaLength: 500 })],
  ]
  for (const [reason, bytes] of bad) {
    const { sink, peer } = await wireAndPeer(t, { maxMessage: 1024 })
    peer.send(frame({ seq: 1 }), frame({ seq: 2 }), bytes, frame({ seq: 3 }))
    assert.deepEqual(await sink.closed, [reason, ''])
    assert.deepEqual(
      sink.messages.map((m) => m.seq),
      [1, 2],
    )
    await peer.closed
  }
})

test('a length is refused on its four bytes, and no other connection feels it', async (t) => {
  const { server, client } = await wirePair(t)
  for (const length of [0, 1, 14, 16 * MiB + 1, 2 ** 31, 2 ** 32 - 1]) {
    const { sink, peer } = await wireAndPeer(t)
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(length)
    peer.send(bytes)
    assert.deepEqual(await sink.closed, [length < 15 ? 'TooShort' : 'TooLarge', ''])
  }
  push(client, 1)
  await server.sink.received(1)
})

test('what has no frame is refused by the writer, and nothing of it is sent', async (t) => {
  const { server, client } = await wirePair(t, { maxMessage: 200_000 })
  const { wire } = client
  const route = internName('/js-limits/known')
  const wide = 'x'.repeat(65_536)
  const refused: Parameters<typeof outgoing>[] = [
    [3, 1, -1, 'n'.repeat(256), '', '', 106, null],
    [3, 1, -1, 'é'.repeat(128), '', '', 106, null],
    [2, 1, -1, '', wide, '', 106, null],
    [3, 1, route, '', '', wide, 106, null],
    [3, 1, route, '', '', 'é'.repeat(32_768), 106, null],
    [3, 1, route, '', '', '', 106, 'b'.repeat(200_000)],
    [3, 1, route, '', '', '', 106, 'é'.repeat(100_000)],
    [3, 1, route, '', '', '', 106, Buffer.alloc(200_000)],
  ]
  for (const args of refused) assert.equal(wire.send(outgoing(...args)), SendResult.TooLarge)
  assert.equal(wire.send(outgoing(3, 2, -1, 'n'.repeat(255), wide.slice(1), wide.slice(1), 106, 'b')), SendResult.Ok)
  const [got] = await server.sink.received(1)
  assert.deepEqual([got.seq, got.name.length, got.status.length, got.meta.length, got.body], [2, 255, 65_535, 65_535, 'b'])
})

test('the largest frame is maxMessage exactly, on both sides, small and large', async (t) => {
  for (const maxMessage of [100, 300_000]) {
    const { server, client } = await wirePair(t, { maxMessage })
    const room = maxMessage - frame().length
    assert.equal(push(client, 1, 'x'.repeat(room + 1)), SendResult.TooLarge)
    assert.equal(push(client, 1, Buffer.alloc(room + 1)), SendResult.TooLarge)
    assert.equal(push(client, 36, 'x'.repeat(room)), SendResult.TooLarge)
    assert.equal(push(client, 1, 'x'.repeat(room)), SendResult.Ok)
    const [got] = await server.sink.received(1)
    assert.equal(got.body.length, room)
  }
})

test('a peer that does not read cannot make us hold more than maxUnsent', limited, async (t) => {
  const maxUnsent = 4 * MiB
  const { peer, socket, ...end } = await wireAndPeer(t, { maxUnsent })
  socket.pause()
  let accepted = 0
  const fill = async (): Promise<void> => {
    while (push(end, accepted, 'x'.repeat(100_000)) === SendResult.Ok) accepted++
    await turns()
  }
  // The kernel takes some megabytes and then no more.
  for (let before = -1; before !== accepted; ) {
    before = accepted
    await fill()
  }
  assert.equal(push(end, 1, 'x'.repeat(100_000)), SendResult.Unsent)
  socket.resume()
  await peer.received(accepted)
  assert.equal(push(end, 7, 'again'), SendResult.Ok)
  const frames = await peer.received(accepted + 1)
  assert.equal(frames.length, accepted + 1)
  assert.equal(frames.at(-1)?.body, 'again')
})

test('a peer that reads may be sent far more than maxUnsent in one turn', async (t) => {
  const { server, client } = await wirePair(t, { maxUnsent: 100_000 })
  for (let i = 0; i < 10; i++) assert.equal(push(client, i, 'x'.repeat(90_000)), SendResult.Ok)
  await server.sink.received(10)
})

test('a sink is told when many replies wait for a peer that does not read, and when they do no more', limited, async (t) => {
  const calls = 500
  const answer = 'x'.repeat(100_000)
  const { sink, peer, socket } = await wireAndPeer(t, { maxUnsent: 4 * MiB }, ({ sink, wire }) => {
    const waiting: number[] = []
    const reply = (seq: number): void => assert.equal(wire.send(outgoing(2, seq, -1, '', '', '', 106, answer)), SendResult.Ok)
    let needsDrain = false
    sink.onEach = ({ seq }) => (needsDrain ? waiting.push(seq) : reply(seq))
    sink.onNeedsDrain = () => {
      needsDrain = true
    }
    sink.onDrained = () => {
      needsDrain = false
      while (waiting.length > 0 && !needsDrain) reply(waiting.shift() as number)
    }
  })
  socket.pause()
  peer.send(...Array.from({ length: calls }, (_, i) => frame({ seq: i, body: Buffer.alloc(20_000) })))
  await sink.received(calls)
  socket.resume()
  const frames = await peer.received(calls)
  assert.deepEqual(
    frames.map((m) => m.seq),
    Array.from({ length: calls }, (_, i) => i.toString(36)),
  )
})

test('100,000 minimal frames at once come in order, and the loop turns meanwhile', async (t) => {
  const count = 100_000
  let inTurn = 0
  let most = 0
  const { sink, peer } = await wireAndPeer(t, {}, (end) => {
    end.sink.onEach = () => {
      most = Math.max(most, ++inTurn)
    }
  })
  const other = await wirePair(t)
  const turn = (): void => {
    inTurn = 0
    if (sink.messages.length < count) setImmediate(turn)
  }
  turn()
  peer.send(...Array.from({ length: count }, (_, i) => frame({ seq: i, status: '', meta: '' })))
  push(other.client, 1)
  await other.server.sink.received(1)
  const heard = sink.messages.length
  const got = await sink.received(count)
  for (let i = 0; i < count; i++) assert.equal(got[i].seq, i)
  assert.ok(heard < count, 'another connection had to wait for all of them')
  // One share from the read and one from the end of the same turn.
  assert.ok(most <= 2 * 4096, `${most} messages in one turn`)
})

test('a frame begun and not completed closes its connection', async (t) => {
  const { server, client } = await wirePair(t, { frameTimeout: 40 })
  for (const start of [Buffer.from([0]), frame().subarray(0, 20)]) {
    const { sink, peer } = await wireAndPeer(t, { frameTimeout: 40 })
    peer.send(frame({ seq: 1 }), start)
    assert.deepEqual(await sink.closed, ['FrameTimeout', ''])
    assert.equal(sink.messages.length, 1)
  }
  // Silence between frames is no offence.
  push(client, 1)
  await server.sink.received(1)
})

test('a peer that takes nothing for the write timeout loses its connection', async (t) => {
  const { socket, ...end } = await wireAndPeer(t, { writeTimeout: 60, maxUnsent: 64 * MiB })
  socket.pause()
  for (let i = 0; i < 30; i++) push(end, i, Buffer.alloc(MiB))
  assert.deepEqual(await end.sink.closed, ['WriteTimeout', ''])
  assert.equal(push(end, 1), SendResult.Closed)
})
