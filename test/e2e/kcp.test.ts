import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once as event } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type KcpChoice, StatusError } from '../../src/index.ts'
import { Command, type Header, MARK, readHeader, singleSegment } from '../../src/wire/kcp/segment.ts'
import { certificates } from '../support/certificates.ts'
import { endpoint, once, onEachTransport, status } from '../support/helpers.ts'
import { lossyRelay } from '../support/lossy-relay.ts'
import { random } from '../support/random.ts'

const url = 'kcp://127.0.0.1:0'

/** A socket that is bound to a port of its own. */
async function udp(t: TestContext): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await event(socket, 'listening')
  t.after(() => socket.close())
  return socket
}

const header = { frg: 0, wnd: 32, ts: 0, sn: 0, una: 0 }

onEachTransport('kcp', (transport) => {
  const choices: [string, KcpChoice | undefined][] = [
    ['default options', undefined],
    ['the preset fast', 'fast'],
    ['no FEC, MTU 576 and the smallest window', { fec: false, mtu: 576, window: 16 }],
    ['groups of 3 and 2', { fec: [3, 2], noDelay: true, interval: 10 }],
  ]
  for (const [name, kcp] of choices) {
    test(`calls in both directions and large bodies arrive, with ${name}`, async (t) => {
      const server = endpoint(t, { transport })
      server.routeCall('/echo', (value: unknown) => value)
      server.routeCall('/back', (n: number, { session }) => session.call('/double', n))
      const listener = await server.listen(url, { kcp })
      const client = endpoint(t, { transport })
      client.routeCall('/double', (n: number) => n * 2)
      const session = await client.dial(listener.url, { kcp })
      assert.match(session.remoteAddress, /^127\.0\.0\.1:\d+$/)
      const calls = Array.from({ length: 100 }, (_, n) => session.call('/back', n))
      assert.deepEqual(
        await Promise.all(calls),
        [...calls.keys()].map((n) => n * 2),
      )
      const body = 'x'.repeat(100_000)
      assert.equal(await session.call('/echo', body), body)
    })
  }

  test('the two sides may have different options', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const listener = await server.listen(url, { kcp: { fec: [5, 2], window: 64, mtu: 800 } })
    const session = await endpoint(t, { transport }).dial(listener.url, { kcp: { fec: [10, 3], mtu: 1400, congestion: false } })
    const body = 'y'.repeat(60_000)
    assert.equal(await session.call('/echo', body), body)
  })

  test('nothing is lost, repeated or out of order where 30 % of the datagrams are lost, and others reordered', async (t) => {
    const server = endpoint(t, { transport })
    const pushed: number[] = []
    server.routeCall('/echo', (value: unknown) => value)
    server.routePush('/note', (n: number) => void pushed.push(n))
    const listener = await server.listen(url, { kcp: 'fast' })
    const session = await endpoint(t, { transport, timeout: 20_000 }).dial(await lossyRelay(t, listener.url), { kcp: 'fast' })
    const body = 'z'.repeat(40_000)
    for (let n = 0; n < 100; n++) await session.push('/note', n)
    const echoes = await Promise.all(Array.from({ length: 5 }, () => session.call('/echo', body)))
    assert.ok(echoes.every((echo) => echo === body))
    assert.deepEqual(pushed, [...Array(100).keys()])
  })

  test('TLS lies within, and its certificates are verified', async (t) => {
    const { authority, server: own } = certificates()
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const listener = await server.listen(url, { tls: own })
    const client = endpoint(t, { transport })
    const session = await client.dial(listener.url, { tls: { ca: authority.cert } })
    assert.equal(await session.call('/echo', 'secret'), 'secret')
    assert.equal(session.authorized, true)
    const [code, , cause] = await status(client.dial(listener.url, { tls: {} }))
    assert.equal(code, 105)
    assert.match(cause, /unable to/)
  })

  test('either side learns at once that the other has closed', async (t) => {
    const server = endpoint(t, { transport })
    const listener = await server.listen(url)
    for (const closes of ['client', 'server'] as const) {
      const accepted = event(server, 'session')
      const session = await endpoint(t, { transport }).dial(listener.url)
      const [peer] = await accepted
      const [closing, other] = closes === 'client' ? [session, peer] : [peer, session]
      const closed = event(other, 'close')
      await closing.close()
      await closed
    }
    assert.equal(server.sessionCount, 0)
  })

  test('a port can be listened on again when its endpoint has closed', async (t) => {
    const first = endpoint(t, { transport })
    const listener = await first.listen(url)
    const session = await endpoint(t, { transport }).dial(listener.url)
    const closed = event(session, 'close')
    await first.close()
    await closed
    const second = endpoint(t, { transport })
    second.routeCall('/n', () => 2)
    await second.listen(listener.url)
    assert.equal(await (await endpoint(t, { transport }).dial(listener.url)).call('/n'), 2)
  })

  test('a dial fails at once where the system refuses, and within its timeout where nobody answers', async (t) => {
    const client = endpoint(t, { transport })
    const gone = createSocket('udp4')
    gone.bind(0, '127.0.0.1')
    await event(gone, 'listening')
    const { port } = gone.address()
    await new Promise<void>((resolve) => gone.close(resolve))
    const refused = await status(client.dial(`kcp://127.0.0.1:${port}`))
    assert.equal(refused[0], 105)
    assert.match(refused[2], /ECONNREFUSED/)
    const silent = await udp(t)
    const [code, , cause] = await status(client.dial(`kcp://127.0.0.1:${silent.address().port}`, { timeout: 300 }))
    assert.deepEqual([code, cause], [105, `no connection to kcp://127.0.0.1:${silent.address().port} within 300 ms`])
  })

  test('strangers cost no session, and get no more bytes than they sent', async (t) => {
    const server = endpoint(t, { transport })
    const listener = await server.listen(url)
    const port = Number(new URL(listener.url).port)
    const stranger = await udp(t)
    const rnd = random(7)
    let sent = 0
    let received = 0
    stranger.on('message', (datagram) => {
      received += datagram.length
    })
    for (let n = 0; n < 2000; n++) {
      const cmd = [Command.Push, Command.Ack, Command.Wask, Command.Wins, Command.End, Command.Reset, 0][rnd(7)]
      const made = singleSegment({ ...header, conv: n, cmd, frg: rnd(2) * MARK, sn: rnd(3) === 0 ? rnd(2 ** 31) * 2 : 0, ts: n })
      if (rnd(4) === 0) made[rnd(made.length)] = rnd(256)
      const datagram = rnd(10) === 0 ? made.subarray(0, rnd(24)) : made
      sent += datagram.length
      stranger.send(datagram, port, '127.0.0.1')
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // An honest client is served all the same, and after the strangers.
    await endpoint(t, { transport }).dial(listener.url)
    assert.equal(server.sessionCount, 1)
    assert.ok(received <= sent, `${received} bytes for ${sent}`)
  })

  test('a peer that proves its address has at most 16 conversations', async (t) => {
    const accepted = once()
    let count = 0
    const counting = { name: 'count', afterAccept: () => void (++count === 17 && accepted.resolve()) }
    const server = endpoint(t, { transport, plugins: [counting] })
    const listener = await server.listen(url)
    const port = Number(new URL(listener.url).port)
    const peer = await udp(t)
    let challenges = 0
    peer.on('message', (datagram) => {
      if (datagram.length < 24 || datagram[5] !== MARK || datagram[4] !== Command.Push) return
      challenges++
      const { conv, sn, ts } = readHeader(datagram, 0)
      peer.send(singleSegment({ ...header, conv, cmd: Command.Ack, sn, ts }), port, '127.0.0.1')
    })
    for (let conv = 1; conv <= 40; conv++) peer.send(singleSegment({ ...header, conv, cmd: Command.Wask }), port, '127.0.0.1')
    // Its own answers come before those to what is sent later.
    while (challenges < 40) await event(peer, 'message')
    const session = await endpoint(t, { transport }).dial(listener.url)
    await accepted.promise // with IO threads this process learns of them later
    await status(session.call('/none'))
    assert.equal(server.sessionCount, 17)
    await session.close()
  })

  test('a copy of the answer to a challenge makes no other session when the first is closed', async (t) => {
    const server = endpoint(t, { transport })
    const listener = await server.listen(url)
    const port = Number(new URL(listener.url).port)
    const peer = await udp(t)
    const send = (given: Partial<Header>): void =>
      peer.send(singleSegment({ ...header, conv: 5, cmd: 0, frg: MARK, ...given }), port, '127.0.0.1')
    const next = async (cmd: number): Promise<Header> => {
      for (;;) {
        const [datagram] = await event(peer, 'message')
        if (datagram[4] === cmd) return readHeader(datagram, 0)
      }
    }
    send({ cmd: Command.Wask })
    const { sn, ts } = await next(Command.Push)
    const accepted = event(server, 'session')
    send({ cmd: Command.Ack, sn, ts })
    const closed = event((await accepted)[0], 'close')
    send({ cmd: Command.End })
    await closed
    for (let copies = 0; copies < 3; copies++) {
      send({ cmd: Command.Ack, sn, ts })
      await next(Command.Reset)
    }
    assert.equal(server.sessionCount, 0)
    // Nor does a listener take the peer of a session that it has lost for a new one, though it acknowledged nothing.
    send({ cmd: Command.Push, frg: 0, una: 1 })
    assert.equal((await next(Command.Reset)).sn, 0)
  })

  test('a dial begins anew when its answers to a challenge open nothing, as at a listener that has started again', async (t) => {
    const listener = await udp(t)
    const seen: number[] = []
    let asked = 0
    listener.on('message', (datagram, { port }) => {
      const { conv, cmd, sn } = readHeader(datagram, 0)
      const answer = (made: Partial<Header>): void =>
        listener.send(singleSegment({ ...header, conv, cmd: Command.Push, frg: MARK, ...made }), port, '127.0.0.1')
      if (cmd === Command.Wask) answer({ sn: 2 ** 31 + ++asked })
      else if (cmd === Command.Ack) seen.push(sn - 2 ** 31)
      else if (cmd === Command.End) answer({ cmd: Command.End })
      if (sn === 2 ** 31 + 2) answer({ cmd: Command.Wins })
    })
    const session = await endpoint(t, { transport }).dial(`kcp://127.0.0.1:${listener.address().port}`)
    assert.deepEqual([...new Set(seen)], [1, 2])
    await session.close({ timeout: 0 })
  })

  test('a flood of peers that prove their addresses gets maxSessions sessions, and no more is kept of the others', async (t) => {
    const server = endpoint(t, { transport, limits: { maxSessions: 50 } })
    const listener = await server.listen(url)
    const port = Number(new URL(listener.url).port)
    const session = await endpoint(t, { transport }).dial(listener.url)
    const before = process.memoryUsage().rss
    for (let round = 0; round < 30; round++) {
      const peer = await udp(t)
      let proved = 0
      peer.on('message', (datagram) => {
        if (datagram.length !== 24 || datagram[5] !== MARK || datagram[4] !== Command.Push) return
        proved++
        const { conv, sn, ts } = readHeader(datagram, 0)
        peer.send(singleSegment({ ...header, conv, cmd: Command.Ack, frg: MARK, sn, ts }), port, '127.0.0.1')
      })
      for (let conv = 1; conv <= 16; conv++) peer.send(singleSegment({ ...header, conv, cmd: Command.Wask, frg: MARK }), port, '127.0.0.1')
      while (proved < 16) await event(peer, 'message')
    }
    while (server.stats.refused < 30 * 16 - 49) await status(session.call('/none'))
    assert.equal(server.sessionCount, 50)
    assert.equal(server.stats.refused, 30 * 16 - 49)
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
  })

  test('datagrams of a session that come from another address are not taken', async (t) => {
    const server = endpoint(t, { transport })
    const pushes: string[] = []
    server.routeCall('/echo', (value: unknown) => value)
    server.routePush('/note', (text: string) => void pushes.push(text))
    const listener = await server.listen(url, { kcp: { fec: false } })
    const port = Number(new URL(listener.url).port)
    const relay = await udp(t)
    const other = await udp(t)
    let client: number | undefined
    relay.on('message', (datagram, from) => {
      if (from.port === port) {
        if (client !== undefined) relay.send(datagram, client, '127.0.0.1')
        return
      }
      client = from.port
      // Its segments again, from elsewhere, with their end and a reset.
      other.send(datagram, port, '127.0.0.1')
      const conv = datagram.readUInt32LE()
      for (const cmd of [Command.End, Command.Reset]) other.send(singleSegment({ ...header, conv, cmd, frg: MARK }), port, '127.0.0.1')
      relay.send(datagram, port, '127.0.0.1')
    })
    const session = await endpoint(t, { transport }).dial(`kcp://127.0.0.1:${relay.address().port}`, { kcp: { fec: false } })
    for (let n = 0; n < 10; n++) await session.push('/note', String(n))
    assert.equal(await session.call('/echo', 'still here'), 'still here')
    assert.equal(server.sessionCount, 1)
    assert.equal(pushes.length, 10)
  })

  test('options are checked', async (t) => {
    const made = endpoint(t, { transport })
    const bad: [unknown, RegExp, typeof TypeError | typeof RangeError][] = [
      ['quick', /option kcp must be 'fast' or an object, got "quick"/, TypeError],
      [{ fecs: false }, /unknown option "kcp\.fecs"/, TypeError],
      [{ fec: [10] }, /option kcp\.fec must be false or \[data, parity\]/, TypeError],
      [{ fec: [0, 3] }, /option kcp\.fec\[0\] must be a whole number from 1 to 100, got 0/, RangeError],
      [{ noDelay: 1 }, /option kcp\.noDelay must be true or false, got 1/, TypeError],
      [{ interval: 5 }, /option kcp\.interval must be a whole number from 10 to 5000/, RangeError],
      [{ mtu: 9000 }, /option kcp\.mtu must be a whole number from 128 to 1472/, RangeError],
    ]
    for (const [kcp, message, type] of bad) {
      const check = (error: Error): boolean => error instanceof type && message.test(error.message)
      await assert.rejects(made.listen(url, { kcp: kcp as KcpChoice }), check)
      await assert.rejects(made.dial('kcp://127.0.0.1:1', { kcp: kcp as KcpChoice }), check)
    }
    await assert.rejects(made.listen('tcp://127.0.0.1:0', { kcp: 'fast' }), /option kcp needs a URL kcp:\/\/host:port/)
    await assert.rejects(made.dial('kcp://127.0.0.1:1', { timeout: 1 }), StatusError)
  })
})
