import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, overKcp, overQuic, pair, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const MiB = 1024 * 1024

onEachTransport('limits', (transport) => {
  test('a peer that never reads gets no more work done, is cut off in time, and memory stays bounded (M1)', async (t) => {
    const log = recorder()
    const { server, listener, session } = await pair(t, transport, { server: { log, limits: { writeTimeout: 200 } } })
    const large = 'x'.repeat(8 * MiB)
    server.routeCall('/large', () => large)
    server.routeCall('/ok', () => 'ok')
    const stranger = await rawPeer(t, listener.url)
    stranger.socket.pause()
    const before = process.memoryUsage().rss
    stranger.send(...Array.from({ length: 30 }, (_, seq) => frame({ seq, method: '/large' })))
    while (server.stats.violations === 0) assert.equal(await session.call('/ok'), 'ok')
    assert.equal(log.lines.at(-1)?.fields.reason, 'peer does not read')
    assert.ok(process.memoryUsage().rss - before < 160 * MiB, '30 replies of 8 MiB')
    assert.equal(await session.call('/ok'), 'ok')
  })

  test('pushes to a peer that never reads fail fast at the limit, and go on when it reads (M1, M7)', async (t) => {
    const { server, listener } = await pair(t, transport, { server: { limits: { maxUnsent: MiB } } })
    const stranger = await rawPeer(t, listener.url)
    const [, peer] = [...server.sessions()].length === 2 ? [...server.sessions()] : await nextSession(server)
    stranger.socket.pause()
    const text = 'x'.repeat(10_000)
    let sent = 0
    let failure: [number, string, string] | undefined
    for (; failure === undefined && sent < 10_000; sent++) {
      failure = await peer.push('/p', text).then(
        () => undefined,
        (error) => [error.code, error.message, error.cause] as [number, string, string],
      )
    }
    assert.deepEqual([failure?.[0], failure?.[1]], [104, 'Write Failed'])
    assert.match(failure?.[2] ?? '', /does not read/)
    assert.ok(sent < 5000)
    assert.ok(peer.isOpen, 'a failed push does not cost the session')
    stranger.socket.resume()
    const frames = await stranger.received(sent - 1)
    assert.ok(frames.every(({ method, body }) => method === '/p' && body.length === 10_002))
    stranger.send(frame({ seq: 'q', method: '/none' }))
    assert.equal((await stranger.received(sent)).at(-1)?.status.code, 404)
    await peer.push('/p', 'again')
    await stranger.received(sent + 1)
  })

  test('a healthy peer may ask for far more than the unsent limit at once: it gets all of it', async (t) => {
    const limits = { maxUnsent: MiB }
    const { server, session, peer } = await pair(t, transport, { server: { limits } })
    const answer = 'x'.repeat(15_000)
    server.routeCall('/answer', (n: number) => `${n} ${answer}`)
    const answers = await Promise.all(Array.from({ length: 2000 }, (_, n) => session.call<string>('/answer', n)))
    assert.ok(answers.every((text, n) => text === `${n} ${answer}`))
    assert.ok(peer.isOpen)
  })

  test('a message that alone is over the unsent limit still passes when nothing waits', async (t) => {
    const { server, session } = await pair(t, transport, { client: { limits: { maxUnsent: 1000 } } })
    server.routeCall('/size', (text: string) => text.length)
    assert.equal(await session.call('/size', 'x'.repeat(100_000)), 100_000)
  })

  test('a peer that stops reading for the write timeout loses its session', async (t) => {
    const { server, listener } = await pair(t, transport, { server: { limits: { writeTimeout: 80 } } })
    server.routeCall('/large', () => 'x'.repeat(8 * MiB))
    const stranger = await rawPeer(t, listener.url)
    stranger.socket.pause()
    stranger.send(frame({ method: '/large' }))
    const closed = once<string>()
    while (server.sessionCount < 2) await nextSession(server)
    const second = [...server.sessions()][1]
    second.on('close', (reason) => closed.resolve(reason?.cause ?? ''))
    assert.equal(await closed.promise, 'peer does not read')
  })

  test('sends over the message limit fail with 104 here and are a 500 as a reply', async (t) => {
    const limits = { maxMessage: 1000 }
    const { server, session } = await pair(t, transport, { server: { limits }, client: { limits } })
    server.routeCall('/large', () => 'x'.repeat(1000))
    server.routeCall('/echo', (value: unknown) => value)
    assert.deepEqual(await status(session.call('/echo', 'x'.repeat(1000))), [104, 'Write Failed', 'message over the size limit'])
    assert.deepEqual(await status(session.call('/large')), [500, 'Internal Server Error', 'the reply is over the size limit'])
    assert.equal(await session.call('/echo', 'fits'), 'fits')
    const room = 1000 - frame({ seq: 9, method: '/echo' }).length - 2
    for (let n = 1; n <= 4; n++) await session.call('/echo', n)
    assert.equal((await session.call<string>('/echo', 'x'.repeat(room))).length, room, 'exactly the limit')
    assert.equal((await status(session.call('/echo', 'x'.repeat(room + 1))))[0], 104)
  })

  test('calls beyond maxRunning are answered 429 and served again when handlers end', async (t) => {
    const { server, session } = await pair(t, transport, { server: { limits: { maxRunning: 3 } } })
    const gates: (() => void)[] = []
    const started = once()
    server.routeCall('/hold', () => {
      const gate = once<string>()
      gates.push(() => gate.resolve('held'))
      if (gates.length === 3) started.resolve()
      return gate.promise
    })
    const held = [1, 2, 3].map(() => session.call('/hold'))
    await started.promise
    assert.equal((await status(session.call('/hold')))[0], 429)
    for (const release of gates) release()
    assert.deepEqual(await Promise.all(held), ['held', 'held', 'held'])
    const again = session.call('/hold')
    while (gates.length < 4) await status(session.call('/none'))
    gates[3]()
    assert.equal(await again, 'held')
  })

  // QUIC counts a peer that it refuses each time that it asks again (quic.test.ts).
  test('connections beyond maxSessions are closed at once and counted', { skip: overQuic }, async (t) => {
    const log = recorder()
    const server = endpoint(t, { transport, log, limits: { maxSessions: 2 } })
    server.routeCall('/ok', () => 'ok')
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport })
    const first = await client.dial(url)
    const second = await client.dial(url)
    assert.equal(await first.call('/ok'), 'ok')
    assert.equal(await second.call('/ok'), 'ok')
    // Over TLS it is closed before its handshake.
    await rawPeer(t, url).then(
      (stranger) => stranger.closed,
      () => {},
    )
    assert.equal(server.stats.refused, 1)
    assert.equal(log.lines[0].fields.reason, 'too many sessions')
    await second.close()
    while (server.sessionCount === 2) await first.call('/ok')
    assert.equal(await (await client.dial(url)).call('/ok'), 'ok')
  })

  // Sockets of datagrams hold less of a crowd that comes at once: what is lost is sent again, by all of them.
  const crowd = overQuic ? 200 : overKcp ? 500 : 4000
  test(`${crowd.toLocaleString('en')} sessions on one endpoint all answer`, async (t) => {
    const { server, client, listener } = await pair(t, transport)
    server.routeCall('/n', (n: number) => n)
    // That many handshakes of TLS at once take ten seconds of CPU time, and each lasts as long as all.
    const sessions = await Promise.all(Array.from({ length: crowd }, () => client.dial(listener.url, { timeout: 60_000 })))
    const answers = await Promise.all(sessions.map((session, n) => session.call<number>('/n', n)))
    assert.ok(answers.every((answer, n) => answer === n))
    assert.equal(server.sessionCount, crowd + 1)
  })
})

async function nextSession(server: import('../../src/index.ts').Endpoint) {
  const accepted = once()
  server.once('session', () => accepted.resolve())
  await accepted.promise
  return [...server.sessions()]
}
