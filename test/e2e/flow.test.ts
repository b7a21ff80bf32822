// Both sides send much at once: neither may wait for the other for ever, nothing may be lost, and memory stays bounded.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { bytes, type EndpointOptions, type Session } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport, pair, transports } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'
import { couple, network } from '../support/testing-network.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** A stop of both sides would last until the write timeout. */
const IN_TIME = { timeout: 20_000 }

/** Buffers of slow links and small hosts, where they can be set. */
const small = (transport: Kind): EndpointOptions =>
  transport === 'native' ? { socket: { receiveBuffer: 64 * KiB, sendBuffer: 64 * KiB } } : {}

interface Ends {
  near: Session
  far: Session
  /** Messages that came at either end. */
  came: () => number
  /** Resolves when so many have come. */
  all: (count: number) => Promise<void>
}

async function ends(t: TestContext, kinds: readonly [Kind, Kind], options: EndpointOptions = {}): Promise<Ends> {
  const [one, other] = kinds.map((transport) => endpoint(t, { transport, ...small(transport), ...options }))
  let count = 0
  const waiting: [number, () => void][] = []
  for (const each of [one, other]) {
    each.routePush('/p', () => {
      count++
      for (const [least, resolve] of waiting) if (count >= least) resolve()
    })
    each.routeCall('/echo', (body: Uint8Array) => Buffer.from(body), { arg: bytes, result: bytes })
  }
  const accepted = once<Session>()
  one.once('session', accepted.resolve)
  const near = await other.dial((await one.listen('tcp://127.0.0.1:0')).url)
  return {
    near,
    far: await accepted.promise,
    came: () => count,
    all: (least) => new Promise((resolve) => (count >= least ? resolve() : waiting.push([least, resolve]))),
  }
}

const letter = (i: number): number => 65 + (i % 26)

const echoes = (session: Session, count: number, size: number, method = '/echo'): Promise<Uint8Array[]> =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      session.call(method, Buffer.alloc(size, letter(i)), { codec: 'plain', result: bytes, timeout: 0 }),
    ),
  )

function checkEchoes(answers: readonly Uint8Array[], count: number, size: number): void {
  assert.equal(answers.length, count)
  assert.ok(answers.every((body, i) => body.length === size && body[0] === letter(i) && body[size - 1] === letter(i)))
}

const pairs = transports.flatMap((one) => transports.map((other) => [one, other] as const))

for (const kinds of pairs) {
  describe(`both at once, ${kinds.join(' and ')}`, () => {
    test('200 pushes of 64 KiB each way', IN_TIME, async (t) => {
      const { near, far, all } = await ends(t, kinds)
      const body = Buffer.alloc(64 * KiB)
      const sent = [near, far].flatMap((session) => Array.from({ length: 200 }, () => session.push('/p', body, { codec: 'plain' })))
      await Promise.all(sent)
      await all(400)
      assert.ok(near.isOpen && far.isOpen)
    })

    for (const [count, size] of [
      [15, MiB],
      [1000, 16 * KiB],
      [14_000, KiB],
    ]) {
      test(`${count} echoes of ${size / KiB} KiB each way`, IN_TIME, async (t) => {
        const { near, far } = await ends(t, kinds)
        for (const answers of await Promise.all([echoes(near, count, size), echoes(far, count, size)])) checkEchoes(answers, count, size)
        checkEchoes(await echoes(near, count, size), count, size)
        assert.ok(near.isOpen && far.isOpen)
      })
    }

    test('echoes and pushes of both, more than maxUnsent may hold in all, behind filters that take their time', IN_TIME, async (t) => {
      const { near, far, all } = await ends(t, kinds, { limits: { maxUnsent: 4 * MiB } })
      const body = Buffer.alloc(100 * KiB)
      const sides = [near, far].map(async (session) => {
        const calls: Promise<unknown>[] = []
        for (let i = 0; i < 15; i++) {
          calls.push(session.call('/echo', body, { codec: 'plain', result: bytes, filters: ['gzip'], timeout: 0 }))
          calls.push(session.push('/p', body, { codec: 'plain' }))
        }
        await Promise.all(calls)
      })
      await Promise.all(sides)
      await all(30)
      assert.ok(near.isOpen && far.isOpen)
    })
  })
}

for (const protocol of ['json', 'protobuf']) {
  onEachTransport(`both at once, ${protocol}`, (transport) => {
    test('500 echoes of 16 KiB each way', IN_TIME, async (t) => {
      const { near, far } = await ends(t, [transport, transport], { protocol, limits: { maxUnsent: 9 * MiB } })
      for (const answers of await Promise.all([echoes(near, 500, 16 * KiB), echoes(far, 500, 16 * KiB)]))
        checkEchoes(answers, 500, 16 * KiB)
    })
  })
}

test('both at once, in memory: 144 pushes of 64 KiB each way all arrive', IN_TIME, async (t) => {
  const net = network(t, { seed: 1 })
  const { server, client, session, peer } = await couple(net)
  let came = 0
  for (const each of [server, client]) each.routePush('/p', () => came++)
  const body = Buffer.alloc(64 * KiB)
  await net.run(async () => {
    for (let i = 0; i < 144; i++) for (const each of [session, peer]) void each.push('/p', body, { codec: 'plain' })
    await net.sleep(10_000)
  })
  assert.equal(came, 288)
  assert.ok(session.isOpen && peer.isOpen)
})

test('both at once, in memory: 15 echoes of 1 MiB each way, and 1,000 of 16 KiB', IN_TIME, async (t) => {
  const net = network(t, { seed: 1 })
  const { server, client, session, peer } = await couple(net)
  for (const each of [server, client]) each.routeCall('/bytes', (body: Uint8Array) => Buffer.from(body), { arg: bytes, result: bytes })
  for (const [count, size] of [
    [15, MiB],
    [1000, 16 * KiB],
  ]) {
    const began = net.now
    const answers = await net.run(Promise.all([session, peer].map((each) => echoes(each, count, size, '/bytes'))))
    for (const each of answers) checkEchoes(each, count, size)
    assert.ok(net.now - began < 10_000, 'virtual milliseconds')
  }
})

onEachTransport('flow', (transport) => {
  test('pushes that find no room among the handlers that run wait, in order, and none is lost', IN_TIME, async (t) => {
    const { server, session, peer } = await pair(t, transport, { server: { limits: { maxRunning: 10 } } })
    const order: number[] = []
    let running = 0
    let most = 0
    const done = once()
    server.routePush('/slow', async (n: number) => {
      order.push(n)
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      if (order.length === 3000 && running === 0) done.resolve()
    })
    await Promise.all(Array.from({ length: 3000 }, (_, n) => session.push('/slow', n)))
    await done.promise
    assert.deepEqual(
      order,
      Array.from({ length: 3000 }, (_, n) => n),
    )
    assert.ok(most <= 10, `${most} at once`)
    assert.equal(server.stats.droppedPushes, 0)
    assert.ok(peer.isOpen)
  })

  test('handlers of pushes that call back get their answers while others wait', IN_TIME, async (t) => {
    const { server, client, session } = await pair(t, transport, { server: { limits: { maxRunning: 5 } } })
    client.routeCall('/ask', (n: number) => n + 1)
    const done = once()
    let sum = 0
    let ended = 0
    server.routePush('/asks', async (n: number, ctx) => {
      const answer = await ctx.session.call<number>('/ask', n)
      sum += answer
      if (++ended === 500) done.resolve()
    })
    for (let n = 0; n < 500; n++) void session.push('/asks', n)
    await done.promise
    assert.equal(sum, (499 * 500) / 2 + 500)
  })

  test('pushes wait for room in the endpoint too, whose ever handler ends', IN_TIME, async (t) => {
    const { server, client, listener, session } = await pair(t, transport, { server: { limits: { maxEndpointRunning: 4 } } })
    const others = await Promise.all([1, 2, 3].map(() => client.dial(listener.url)))
    const sessions = [session, ...others]
    const done = once()
    let came = 0
    server.routePush('/slow', async () => {
      await new Promise(setImmediate)
      if (++came === 400) done.resolve()
    })
    for (let n = 0; n < 100; n++) for (const each of sessions) void each.push('/slow', n)
    await done.promise
    assert.equal(server.stats.droppedPushes, 0)
  })

  test('a call is refused at once while pushes wait, and starts behind them when there is room', IN_TIME, async (t) => {
    const { server, session } = await pair(t, transport, { server: { limits: { maxRunning: 1 } } })
    const gate = once()
    const seen: unknown[] = []
    server.routePush('/slow', async (n: number) => {
      seen.push(n)
      await gate.promise
    })
    server.routeCall('/call', () => seen.push('call'))
    void session.push('/slow', 1)
    void session.push('/slow', 2)
    await assert.rejects(session.call('/call'), { code: 429 })
    gate.resolve()
    while (seen.length < 2) await session.call('/none').catch(() => {})
    await session.call('/call')
    assert.deepEqual(seen, [1, 2, 'call'])
  })

  test('pushes that wait when their sender closes are still handled', IN_TIME, async (t) => {
    const { server, session } = await pair(t, transport, { server: { limits: { maxRunning: 2 } } })
    const started = once()
    const gate = once()
    const done = once()
    let came = 0
    server.routePush('/slow', async () => {
      started.resolve()
      await gate.promise
      if (++came === 50) done.resolve()
    })
    const closed = once()
    server.once('session', (peer) => peer.once('close', () => closed.resolve()))
    for (const peer of server.sessions()) peer.once('close', () => closed.resolve())
    for (let n = 0; n < 50; n++) void session.push('/slow', n)
    await started.promise
    void session.close({ timeout: 0 })
    await closed.promise
    gate.resolve()
    await done.promise
  })

  test('pushes of a flood that nobody handles keep their sender waiting: what waits is bounded', IN_TIME, async (t) => {
    const { server, listener } = await pair(t, transport, { server: { limits: { maxRunning: 1, maxUnsent: MiB } } })
    const started = once()
    server.routePush('/stuck', () => {
      started.resolve()
      return new Promise(() => {})
    })
    const stranger = await rawPeer(t, listener.url)
    const body = JSON.stringify('x'.repeat(50_000))
    const one = frame({ type: 3, seq: 1, method: '/stuck', body })
    const before = process.memoryUsage()
    stranger.send(one)
    await started.promise
    const stuck = new Promise<void>((resolve) => {
      const turn = (): void => {
        if (stranger.socket.writableLength > 30 * MiB) resolve()
        else setImmediate(turn)
        for (let i = 0; i < 20; i++) stranger.send(one)
      }
      turn()
    })
    await stuck
    const { rss } = process.memoryUsage()
    assert.ok(stranger.socket.bytesWritten - stranger.socket.writableLength < 30 * MiB, 'taken of a flood')
    assert.ok(rss - before.rss < 160 * MiB)
    stranger.socket.destroy()
  })

  test(
    'a peer that calls and does not read is answered no further than maxUnsent, and served to the end when it reads',
    IN_TIME,
    async (t) => {
      const calls = 500
      const { server, session, listener } = await pair(t, transport, { server: { limits: { maxUnsent: 4 * MiB } } })
      let answered = 0
      server.routeCall('/large', () => {
        answered++
        return 'x'.repeat(100_000)
      })
      const stranger = await rawPeer(t, listener.url)
      stranger.socket.pause()
      const body = JSON.stringify('x'.repeat(20_000))
      stranger.send(...Array.from({ length: calls }, (_, seq) => frame({ seq, method: '/large', body })))
      for (let before = -1; before !== answered || before === 0; ) {
        before = answered
        for (let i = 0; i < 20; i++) await session.call('/none').catch(() => {})
      }
      assert.ok(answered < calls / 2, `${answered} calls answered to nobody`)
      stranger.socket.resume()
      const frames = await stranger.received(calls)
      assert.deepEqual(
        frames.map(({ seq }) => seq),
        Array.from({ length: calls }, (_, seq) => seq.toString(36)),
      )
    },
  )

  test('a peer that calls and never reads, and which is called, is read no further than maxUnsent', IN_TIME, async (t) => {
    const { server, listener } = await pair(t, transport, { server: { limits: { maxUnsent: MiB } } })
    server.routeCall('/large', () => 'x'.repeat(50_000))
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    const stranger = await rawPeer(t, listener.url)
    stranger.socket.pause()
    const peer = await accepted.promise
    const call = peer.call('/never').catch(() => {})
    const body = JSON.stringify('x'.repeat(20_000))
    let seq = 0
    await new Promise<void>((resolve) => {
      const turn = (): void => {
        if (stranger.socket.writableLength > 30 * MiB) resolve()
        else setImmediate(turn)
        for (let i = 0; i < 50; i++) stranger.send(frame({ seq: ++seq, method: '/large', body }))
      }
      turn()
    })
    assert.ok(stranger.socket.bytesWritten - stranger.socket.writableLength < 30 * MiB)
    assert.ok(peer.isOpen)
    stranger.socket.destroy()
    await call
  })
})
