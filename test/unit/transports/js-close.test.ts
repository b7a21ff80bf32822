import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { SendResult } from '../../../src/transports/transport.ts'
import { frame } from '../../support/frames.ts'
import { once } from '../../support/helpers.ts'
import { outgoing } from '../../support/outgoing.ts'
import { dial, type End, listen, options, Recorder, transport, turns, wireAndPeer, wirePair } from './js-connections.ts'

const MiB = 1024 * 1024

function push({ wire }: End, seq: number, body: string | Uint8Array | null = null): SendResult {
  return wire.send(outgoing(3, seq, -1, '', '', '', 106, body))
}

test('end writes what is queued, also more than the socket takes at once, then closes', async (t) => {
  const { server, client } = await wirePair(t)
  for (let i = 0; i < 10; i++) assert.equal(push(client, i, Buffer.alloc(MiB, i)), SendResult.Ok)
  client.wire.end()
  assert.equal(push(client, 99), SendResult.Closed)
  assert.deepEqual(client.sink.closes, [])
  assert.deepEqual(await client.sink.closed, ['Local', ''])
  assert.deepEqual(await server.sink.closed, ['Peer', ''])
  assert.equal(server.sink.messages.length, 10)
})

test('end of an idle connection closes both ends', async (t) => {
  const { server, client } = await wirePair(t)
  server.wire.end()
  assert.deepEqual(await server.sink.closed, ['Local', ''])
  assert.deepEqual(await client.sink.closed, ['Peer', ''])
})

test('no message is delivered after end, nor after destroy', async (t) => {
  for (const close of [(end: End) => end.wire.end(), (end: End) => end.wire.destroy(CloseReason.Local)]) {
    const { sink, peer } = await wireAndPeer(t, {}, (end) => {
      end.sink.onEach = ({ seq }) => {
        if (seq === 2) close(end)
      }
    })
    peer.send(...[1, 2, 3, 4].map((seq) => frame({ seq })))
    peer.socket.end()
    assert.deepEqual(await sink.closed, ['Local', ''])
    assert.equal(sink.messages.length, 2)
  }
})

test('destroy reports its reason, once and later, and drops what is queued', async (t) => {
  const { wire, sink, peer } = await wireAndPeer(t)
  wire.send(outgoing(3, 1, -1, '', '', '', 106, null))
  wire.destroy(CloseReason.Meta)
  wire.destroy(CloseReason.Status)
  wire.end()
  assert.deepEqual(sink.closes, [])
  assert.equal(wire.send(outgoing(3, 1, -1, '', '', '', 106, null)), SendResult.Closed)
  assert.deepEqual(await sink.closed, ['Meta', ''])
  await peer.closed
  await turns(5)
  assert.equal(sink.closes.length, 1)
  assert.equal(peer.frames.length, 0)
})

test('destroy after end closes at once, with the reason it gives', async (t) => {
  const { wire, sink, socket } = await wireAndPeer(t)
  socket.pause()
  for (let i = 0; i < 15; i++) wire.send(outgoing(3, i, -1, '', '', '', 106, Buffer.alloc(MiB)))
  wire.end()
  wire.destroy(CloseReason.Refused)
  assert.deepEqual(await sink.closed, ['Refused', ''])
})

test('a FIN closes after the messages before it, and answers to them are still written', async (t) => {
  const { sink, peer } = await wireAndPeer(t, {}, (end) => {
    end.sink.onEach = (m) => end.wire.send(outgoing(2, m.seq, -1, '', '', '', 106, `"${m.seq}"`))
  })
  peer.send(frame({ seq: 1 }), frame({ seq: 2 }))
  peer.socket.end()
  assert.deepEqual(await sink.closed, ['Peer', ''])
  assert.equal(sink.messages.length, 2)
  await peer.closed
  assert.deepEqual(
    peer.frames.map((m) => m.body),
    ['"1"', '"2"'],
  )
})

test('a FIN behind more messages than a turn delivers waits for all of them', async (t) => {
  const { sink, peer } = await wireAndPeer(t)
  peer.send(...Array.from({ length: 50_000 }, (_, i) => frame({ seq: i, status: '', meta: '' })))
  peer.socket.end()
  assert.deepEqual(await sink.closed, ['Peer', ''])
  assert.equal(sink.messages.length, 50_000)
})

test('a FIN inside a frame closes without that message', async (t) => {
  const { sink, peer } = await wireAndPeer(t)
  peer.send(frame({ seq: 1 }), frame({ seq: 2 }).subarray(0, 30))
  peer.socket.end()
  assert.deepEqual(await sink.closed, ['Peer', ''])
  assert.equal(sink.messages.length, 1)
})

test('a reset is reported by its name', async (t) => {
  const { sink, peer, socket } = await wireAndPeer(t)
  peer.send(frame({ seq: 1 }))
  await sink.received(1)
  socket.resetAndDestroy()
  assert.deepEqual(await sink.closed, ['Io', 'ECONNRESET'])
  assert.equal(sink.closes.length, 1)
})

test('both ends may end at once', async (t) => {
  const { server, client } = await wirePair(t)
  server.wire.end()
  client.wire.end()
  assert.deepEqual(await server.sink.closed, ['Local', ''])
  assert.deepEqual(await client.sink.closed, ['Local', ''])
})

test('a wire closed before it has a sink tells the sink when it comes, and not from inside the setter', async (t) => {
  const { listener } = await listen(t)
  const wire = await transport.dial(listener.address, options(), new AbortController().signal)
  wire.destroy(CloseReason.Refused)
  await turns(10)
  const sink = new Recorder()
  wire.handler = sink
  assert.deepEqual(sink.closes, [])
  assert.deepEqual(await sink.closed, ['Refused', ''])
})

test('a sink that throws loses its connection only, and the error becomes a warning', async (t) => {
  const { listener, accepted } = await listen(t)
  const healthy = await dial(t, listener.address)
  const healthyEnd = await accepted()
  const victim = await dial(t, listener.address)
  const victimEnd = await accepted()
  victimEnd.sink.onEach = () => {
    throw new Error('a bug above')
  }
  const warned = once<Error>()
  process.once('warning', warned.resolve)
  push(victim, 1)
  push(victim, 2)
  assert.deepEqual(await victimEnd.sink.closed, ['Local', 'handler threw'])
  assert.match((await warned.promise).message, /a bug above/)
  assert.equal(victimEnd.sink.messages.length, 1)
  push(healthy, 1)
  await healthyEnd.sink.received(1)
})

test('a sink that throws when told of the end harms nobody', async (t) => {
  const { server, client } = await wirePair(t)
  const warned = once<Error>()
  process.once('warning', warned.resolve)
  server.wire.handler = {
    onMessage() {},
    onClose() {
      throw new Error('a bug at the end')
    },
  }
  client.wire.end()
  assert.match((await warned.promise).message, /a bug at the end/)
  assert.deepEqual(await client.sink.closed, ['Local', ''])
})
