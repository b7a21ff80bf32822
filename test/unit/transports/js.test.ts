import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { MessageType } from '../../../src/message/message.ts'
import { internName } from '../../../src/message/names.ts'
import type { Address } from '../../../src/transports/address.ts'
import { JsTransport } from '../../../src/transports/js.ts'
import { SendResult } from '../../../src/transports/transport.ts'
import { frame } from '../../support/frames.ts'
import { once } from '../../support/helpers.ts'
import { outgoing } from '../../support/outgoing.ts'
import { dial, type End, listen, loopback, options, Recorder, transport, turns, wireAndPeer, wirePair } from './js-connections.ts'

const never = new AbortController().signal

function unixAddress(t: TestContext): Address & { kind: 'unix' } {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return { kind: 'unix', path: join(folder, 's') }
}

function push({ wire }: End, seq: number, body: string | Uint8Array | null = null): SendResult {
  return wire.send(outgoing(MessageType.Push, seq, -1, '/p', '', '', 106, body))
}

test('a message arrives as it was sent, in both directions', async (t) => {
  const { server, client } = await wirePair(t)
  const route = internName('/js-transport/known')
  const status = '{"code":404,"msg":"é","cause":""}'
  assert.equal(client.wire.send(outgoing(1, 7, route, '', '', '{"k":"世"}', 106, '[1,"🙂"]')), SendResult.Ok)
  assert.equal(client.wire.send(outgoing(3, -7, -1, '/unknown', '', '', 115, Buffer.from('bytes'))), SendResult.Ok)
  const base = { status: '', meta: '' }
  assert.deepEqual(await server.sink.received(2), [
    { ...base, type: 1, seq: 7, name: '/js-transport/known', meta: '{"k":"世"}', codec: 106, body: '[1,"🙂"]' },
    { ...base, type: 3, seq: -7, name: '/unknown', codec: 115, body: 'bytes' },
  ])
  server.wire.send(outgoing(2, 7, -1, '', status, '', 0, null))
  assert.deepEqual(await client.sink.received(1), [{ type: 2, seq: 7, name: '', status, meta: '', codec: 0, body: '' }])
})

test('bytes of a body are copied before send returns', async (t) => {
  const { server, client } = await wirePair(t)
  const body = Buffer.alloc(200_000, 'a')
  push(client, 1, body)
  body.fill('b')
  const [{ body: got }] = await server.sink.received(1)
  assert.equal(got, 'a'.repeat(200_000))
})

test('20,000 messages of all sizes arrive whole and in order', async (t) => {
  const { server, client } = await wirePair(t, { maxUnsent: 1 << 30 })
  const body = (i: number): string => `${i}`.repeat((i * 7919) % (i % 500 === 0 ? 100_000 : 200))
  for (let i = 0; i < 20_000; i++) assert.equal(push(client, i, body(i)), SendResult.Ok)
  const got = await server.sink.received(20_000)
  for (let i = 0; i < 20_000; i++) {
    assert.equal(got[i].seq, i)
    assert.ok(got[i].body === body(i), `body of ${i}`)
  }
})

test('all that a turn sends leaves in one write, also what promises and other connections send', async (t) => {
  const { server, client } = await wirePair(t)
  server.sink.onEach = async ({ seq }) => {
    push(server, seq)
    await null
    push(server, seq)
    await Promise.resolve().then(() => null)
    push(server, seq)
  }
  const write = t.mock.method(Socket.prototype, 'write')
  for (let i = 0; i < 20; i++) push(client, i)
  assert.equal(write.mock.callCount(), 0)
  await client.sink.received(60)
  assert.equal(write.mock.callCount(), 2)
})

test('what a turn sends beyond one chunk leaves in one corked write', async (t) => {
  const { server, client } = await wirePair(t)
  const cork = t.mock.method(Socket.prototype, 'cork')
  for (let i = 0; i < 30; i++) push(client, i, 'x'.repeat(10_000))
  await server.sink.received(30)
  assert.equal(cork.mock.callCount(), 1)
})

test('nothing is read before there is a sink', async (t) => {
  const { listener, accepted } = await listen(t)
  const wire = await transport.dial(listener.address, options(), never)
  t.after(() => wire.destroy(0))
  const server = await accepted()
  for (let i = 0; i < 3; i++) push(server, i)
  await turns(10)
  const sink = new Recorder()
  wire.handler = sink
  assert.equal(sink.messages.length, 0)
  assert.deepEqual(
    (await sink.received(3)).map((m) => m.seq),
    [0, 1, 2],
  )
})

test('a sink that is replaced hears nothing more', async (t) => {
  const { server, client } = await wirePair(t)
  push(client, 1)
  await server.sink.received(1)
  const next = new Recorder()
  server.wire.handler = next
  assert.equal(server.wire.handler, next)
  push(client, 2)
  await next.received(1)
  assert.equal(server.sink.messages.length, 1)
})

test('a sink that is replaced while it is told of a message hears not even the next one of the same read', async (t) => {
  const { server, client } = await wirePair(t)
  const next = new Recorder()
  server.sink.onEach = () => {
    server.wire.handler = next
  }
  push(client, 1)
  push(client, 2)
  await next.received(1)
  assert.equal(server.sink.messages.length, 1)
})

test('both ends know both addresses (IPv4)', async (t) => {
  const { listener, accepted } = await listen(t)
  assert.equal(listener.address.kind, 'tcp')
  const { host, port } = listener.address as { host: string; port: number }
  assert.equal(host, '127.0.0.1')
  assert.ok(port > 0)
  const { wire } = await dial(t, listener.address)
  const peer = (await accepted()).wire
  assert.equal(peer.localAddress, `127.0.0.1:${port}`)
  assert.equal(wire.remoteAddress, `127.0.0.1:${port}`)
  assert.match(wire.localAddress, /^127\.0\.0\.1:\d+$/)
  assert.equal(peer.remoteAddress, wire.localAddress)
})

test('both ends know both addresses (IPv6)', async (t) => {
  const { server, client } = await wirePair(t, {}, { kind: 'tcp', host: '::1', port: 0 })
  assert.match(server.wire.localAddress, /^\[::1\]:\d+$/)
  assert.equal(client.wire.remoteAddress, server.wire.localAddress)
  assert.equal(server.wire.remoteAddress, client.wire.localAddress)
})

test('both ends of a Unix socket know its path, and @ for the end without one', async (t) => {
  const address = unixAddress(t)
  const { server, client } = await wirePair(t, {}, address)
  assert.equal(server.wire.localAddress, address.path)
  assert.equal(server.wire.remoteAddress, '@')
  assert.equal(client.wire.localAddress, '@')
  assert.equal(client.wire.remoteAddress, address.path)
  push(client, 1)
  await server.sink.received(1)
})

test('a host name is dialled at each of its addresses', async (t) => {
  const { listener } = await listen(t)
  const { port } = listener.address as { port: number }
  const { wire } = await dial(t, { kind: 'tcp', host: 'localhost', port })
  assert.equal(wire.remoteAddress, `127.0.0.1:${port}`)
})

test('the socket file goes when its listener closes', async (t) => {
  const address = unixAddress(t)
  const { listener } = await listen(t, {}, address)
  assert.deepEqual(listener.address, address)
  assert.ok(existsSync(address.path))
  await listener.close()
  assert.ok(!existsSync(address.path))
})

test('a socket file that nobody answers on is replaced', async (t) => {
  const address = unixAddress(t)
  const stale = createServer().listen(address.path)
  await new Promise((resolve) => stale.once('listening', resolve))
  // A process that dies leaves its file; libuv would unlink it, so the file is kept under another name.
  renameSync(address.path, `${address.path}-kept`)
  await new Promise((resolve) => stale.close(resolve))
  renameSync(`${address.path}-kept`, address.path)
  const { server, client } = await wirePair(t, {}, address)
  push(client, 1)
  await server.sink.received(1)
})

test('a socket file that somebody answers on, and any other file, is left alone', async (t) => {
  const address = unixAddress(t)
  await listen(t, {}, address)
  await assert.rejects(
    transport.listen(address, options(), () => {}),
    { code: 'EADDRINUSE' },
  )
  await dial(t, address)
  const file = unixAddress(t)
  writeFileSync(file.path, 'precious')
  await assert.rejects(
    transport.listen(file, options(), () => {}),
    { code: 'EADDRINUSE' },
  )
  assert.ok(existsSync(file.path))
})

test('a taken port is refused with the error of the system', async (t) => {
  const { listener } = await listen(t)
  await assert.rejects(
    transport.listen(listener.address, options(), () => {}),
    { code: 'EADDRINUSE', syscall: 'listen' },
  )
})

test('a closed listener frees its port at once, its connections live on', async (t) => {
  const { listener, accepted } = await listen(t)
  const client = await dial(t, listener.address)
  const server = await accepted()
  await listener.close()
  await listener.close()
  await assert.rejects(transport.dial(listener.address, options(), never), { code: 'ECONNREFUSED' })
  const again = await transport.listen(listener.address, options(), () => {})
  await again.close()
  push(client, 1)
  await server.sink.received(1)
})

test('dialling nobody fails with the error of the system', async (t) => {
  const { listener } = await listen(t)
  await listener.close()
  const { port } = listener.address as { port: number }
  await assert.rejects(transport.dial(listener.address, options(), never), { code: 'ECONNREFUSED', message: /ECONNREFUSED/ })
  await assert.rejects(transport.dial({ kind: 'tcp', host: 'localhost', port }, options(), never), { message: /ECONNREFUSED/ })
  await assert.rejects(transport.dial(unixAddress(t), options(), never), { code: 'ENOENT' })
})

test('dialling is aborted with the reason of the signal, before it starts and while it runs', async (t) => {
  const { listener, accepted } = await listen(t)
  const reason = new Error('changed my mind')
  await assert.rejects(transport.dial(listener.address, options(), AbortSignal.abort(reason)), reason)
  const controller = new AbortController()
  const dialling = transport.dial(listener.address, options(), controller.signal)
  controller.abort(reason)
  await assert.rejects(dialling, reason)
  // A later abort changes nothing.
  const late = new AbortController()
  const wire = await transport.dial(listener.address, options(), late.signal)
  t.after(() => wire.destroy(0))
  const sink = new Recorder()
  wire.handler = sink
  late.abort()
  const server = await accepted()
  push(server, 1)
  await sink.received(1)
})

test('an acceptor that throws loses that connection only', async (t) => {
  const warned = once<Error>()
  process.once('warning', warned.resolve)
  let calls = 0
  const sink = new Recorder()
  const listener = await transport.listen(loopback, options(), (wire) => {
    if (calls++ === 0) throw new Error('no sink today')
    wire.handler = sink
  })
  t.after(() => listener.close())
  const first = await dial(t, listener.address)
  assert.deepEqual(await first.sink.closed, ['Peer', ''])
  assert.match((await warned.promise).message, /no sink today/)
  const second = await dial(t, listener.address)
  push(second, 1)
  await sink.received(1)
})

test("a runtime without node's handles takes the 'data' events of the socket it has", async (t) => {
  const { deno } = process.versions
  Object.defineProperty(process.versions, 'deno', { value: '2', configurable: true })
  t.after(() => Object.defineProperty(process.versions, 'deno', { value: deno, configurable: true }))
  const { wire, sink, peer, socket } = await wireAndPeer(t)
  sink.onEach = (m) => wire.send(outgoing(2, m.seq, -1, '', '', '', 106, null))
  const all = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => frame({ seq: i })))
  for (let at = 0; at < all.length; at += 99_999) socket.write(all.subarray(at, at + 99_999))
  socket.end()
  assert.deepEqual(await sink.closed, ['Peer', ''])
  assert.equal(sink.messages.length, 20_000)
  await peer.closed
  assert.deepEqual(
    peer.frames.map((m) => m.seq),
    Array.from({ length: 20_000 }, (_, i) => i.toString(36)),
  )
})

test('it is a transport of its own kind', () => {
  assert.equal(new JsTransport().kind, 'js')
})
