import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once as eventOnce } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { DialOptions, EndpointOptions, ListenOptions, Session, StatusError } from '../../src/index.ts'
import { loadQuiche } from '../../src/transports/js/quic/quiche.ts'
import { Authority, certificates } from '../support/certificates.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'

const { authority, server: own, client: clientOwn } = certificates()
const dial: DialOptions = { tls: { ca: authority.cert } }
const skip = await missing()

async function missing(): Promise<string | false> {
  try {
    await loadQuiche()
    return false
  } catch (error) {
    return (error as Error).message
  }
}

onEachTransport('quic', (transport) => {
  const run = (name: string, body: (t: TestContext) => Promise<void>): void => {
    test(name, { skip, timeout: 20_000 }, body)
  }
  const serve = async (t: TestContext, options: EndpointOptions = {}, listen: ListenOptions = {}) => {
    const server = endpoint(t, { transport, ...options })
    server.routeCall('/size', (text: string) => text.length)
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    const { url } = await server.listen('quic://127.0.0.1:0', { tls: own, ...listen })
    return { server, url, accepted: accepted.promise }
  }

  run('calls pass in both directions, of every size', async (t) => {
    const { url, accepted } = await serve(t)
    assert.match(url, /^quic:\/\/127\.0\.0\.1:[0-9]+$/)
    const client = endpoint(t, { transport })
    client.routeCall('/back', (text: string) => text)
    const session = await client.dial(url, dial)
    // The accepting side speaks first: it need not wait for a message of the one that dialled.
    const peer = await accepted
    assert.equal(await peer.call('/back', 'b'.repeat(100_000)), 'b'.repeat(100_000))
    for (const size of [0, 100, 20_000, 300_000, 3_000_000]) assert.equal(await session.call('/size', 'x'.repeat(size)), size)
    const many = Array.from({ length: 500 }, (_, i) => session.call('/size', 'y'.repeat(i)))
    assert.deepEqual(
      await Promise.all(many),
      many.map((_, i) => i),
    )
  })

  run('pushes arrive in order, and a close ends the session at the other side', async (t) => {
    const { server, url, accepted } = await serve(t)
    const seen: number[] = []
    const all = once<void>()
    server.routePush('/note', (n: number) => {
      if (seen.push(n) === 100) all.resolve()
    })
    const session = await endpoint(t, { transport }).dial(url, dial)
    const peer = await accepted
    const closed = once<string>()
    peer.once('close', (error) => closed.resolve(String(error?.cause)))
    for (let i = 0; i < 100; i++) await session.push('/note', i)
    await all.promise
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, i) => i),
    )
    await session.close()
    assert.equal(await closed.promise, 'closed by the peer')
  })

  run('a server is refused whose certificate is expired, unknown or of another name, and accepted unverified only when told', async (t) => {
    const client = endpoint(t, { transport })
    const past = { from: new Date(Date.now() - 86_400_000 * 2), until: new Date(Date.now() - 86_400_000) }
    const cases: [ListenOptions['tls'], DialOptions['tls'], RegExp][] = [
      [authority.issue('expired', past), { ca: authority.cert }, /certificate has expired \(alert of this side\)/],
      [own, { ca: new Authority('other').cert }, /unknown certificate authority|bad certificate/],
      [own, {}, /unknown certificate authority|bad certificate/],
      [authority.issue('elsewhere', { names: ['elsewhere.test'] }), { ca: authority.cert }, /does not match certificate's altnames/],
      [authority.issue('elsewhere', { names: ['elsewhere.test'] }), { ca: authority.cert, servername: 'localhost' }, /bad certificate/],
      [own, { ca: authority.cert, checkServerIdentity: () => new Error('not this one') }, /not this one/],
    ]
    for (const [listen, tls, cause] of cases) {
      const { url } = await serve(t, {}, { tls: listen })
      const error = await client.dial(url, { tls }).then(
        () => undefined,
        (error: StatusError) => error,
      )
      assert.equal(error?.code, 105)
      assert.match(String(error?.cause), cause)
      const session = await client.dial(url, { tls: { rejectUnauthorized: false } })
      assert.equal(session.authorized, false)
      assert.equal(await session.call('/size', 'abc'), 3)
    }
  })

  run(
    'peers know certificate and protocol of each other, and a client without a certificate is refused where one is asked for',
    async (t) => {
      const tls = { ...own, ca: authority.cert, requestCert: true, ALPNProtocols: ['other', 'h2'] }
      const { url, accepted } = await serve(t, {}, { tls })
      const client = endpoint(t, { transport })
      const ALPNProtocols = ['mine', 'other']
      const session = await client.dial(url, { tls: { ...clientOwn, ca: authority.cert, ALPNProtocols } })
      assert.equal(session.peerCertificate?.subject, 'CN=server')
      assert.equal(session.alpn, 'other')
      assert.equal(session.authorized, true)
      assert.equal(await session.call('/size', 'abc'), 3)
      const peer = await accepted
      assert.equal(`${peer.peerCertificate?.subject} ${peer.alpn} ${peer.authorized}`, 'CN=client other true')
      await assert.rejects(
        client.dial(url, { ...dial, tls: { ...dial.tls, ALPNProtocols: ['neither'] } }),
        refusal(/no application protocol/),
      )
      // TLS 1.3: the client is done before the server has seen that there is no certificate.
      const bare = await client.dial(url, { tls: { ...dial.tls, ALPNProtocols } })
      await assert.rejects(bare.call('/size', 'abc'), { code: 102 })
    },
  )

  run('a dial ends at its timeout when the server is silent, and at once when nobody listens', async (t) => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    t.after(() => silent.close())
    await eventOnce(silent, 'listening')
    const { port } = silent.address()
    const client = endpoint(t, { transport, dialTimeout: 120 })
    const begun = performance.now()
    await assert.rejects(client.dial(`quic://127.0.0.1:${port}`, dial), { code: 105 })
    assert.ok(performance.now() - begun < 2000)
    const { server, url } = await serve(t)
    await server.close()
    await assert.rejects(endpoint(t, { transport }).dial(url, dial), refusal(/ECONNREFUSED/))
  })

  run('nothing is kept of a client that has not proved its address', async (t) => {
    const { url } = await serve(t)
    const answered = once<Buffer>()
    let forwarded = false
    // Takes the first datagram of a client to the server, and never what answers it.
    const relay = createSocket('udp4').bind(0, '127.0.0.1')
    t.after(() => relay.close())
    await eventOnce(relay, 'listening')
    relay.on('message', (datagram, { port }) => {
      if (String(port) === new URL(url).port) answered.resolve(datagram)
      else if (!forwarded) relay.send(datagram, Number(new URL(url).port), '127.0.0.1')
      forwarded = true
    })
    const client = endpoint(t, { transport, dialTimeout: 120 })
    await assert.rejects(client.dial(`quic://127.0.0.1:${relay.address().port}`, dial), { code: 105 })
    // A Retry: a long header of type 3.
    assert.equal((await answered.promise)[0] & 0xf0, 0xf0)
  })

  run('sessions beyond maxSessions are refused before their handshake, and datagrams of nonsense end nothing', async (t) => {
    const { server, url } = await serve(t, { limits: { maxSessions: 1 } })
    const session = await endpoint(t, { transport }).dial(url, dial)
    assert.equal(await session.call('/size', 'abc'), 3)
    await assert.rejects(endpoint(t, { transport, dialTimeout: 120 }).dial(url, dial), { code: 105 })
    assert.ok(server.stats.refused >= 1)
    const stranger = createSocket('udp4')
    t.after(() => stranger.close())
    for (let i = 0; i < 500; i++) {
      const datagram = randomBytes(1 + ((i * 37) % 1500))
      // Half of them look like first packets of version 1.
      if (i % 2 === 0 && datagram.length > 40) datagram.set([0xc0 | (i & 0x3f), 0, 0, 0, 1, 20], 0)
      stranger.send(datagram, Number(new URL(url).port), '127.0.0.1')
    }
    for (let i = 0; i < 10; i++) assert.equal(await session.call('/size', 'abc'), 3)
  })

  run('a peer that does not read is not sent more than the limit, and gets everything once it reads', async (t) => {
    const { server, url } = await serve(t, { limits: { maxUnsent: 4_000_000 } })
    const gate = once<void>()
    server.routeCall('/hold', async (text: string) => {
      await gate.promise
      return text.length
    })
    const client = endpoint(t, { transport, limits: { maxUnsent: 4_000_000 } })
    const session = await client.dial(url, dial)
    const body = 'x'.repeat(1_000_000)
    const calls = Array.from({ length: 12 }, () => session.call('/hold', body).catch((error: StatusError) => error.code))
    gate.resolve()
    const results = await Promise.all(calls)
    assert.ok(results.includes(104), 'calls beyond the limit fail')
    assert.ok(results.every((result) => result === 104 || result === body.length))
    assert.equal(await session.call('/size', body), body.length)
  })

  run('a session whose connection is lost goes on with another one, on the same port', async (t) => {
    const { server, url } = await serve(t)
    const client = endpoint(t, { transport, redial: { minDelay: 10, maxDelay: 50 } })
    const session = await client.dial(url, dial)
    assert.equal(await session.call('/size', 'abc'), 3)
    const again = once<void>()
    session.once('redialed', () => again.resolve())
    await server.close()
    const other = endpoint(t, { transport })
    other.routeCall('/size', (text: string) => -text.length)
    await other.listen(url, { tls: own })
    await again.promise
    assert.equal(await session.call('/size', 'abc'), -3)
  })

  run('a session outlives the idle timeout by its keep-alive, and ends after it without', async (t) => {
    const { server, url } = await serve(t, {}, { quic: { idleTimeout: 250 } })
    const client = endpoint(t, { transport })
    const alive = await client.dial(url, { ...dial, quic: { idleTimeout: 250 } })
    server.routeCall('/late', async () => {
      await ended.promise
      return 'late'
    })
    const ended = once<void>()
    const late = alive.call('/late')
    // The peer of this one has gone without a word.
    const relay = createSocket('udp4').bind(0, '127.0.0.1')
    t.after(() => relay.close())
    await eventOnce(relay, 'listening')
    let from = 0
    let cut = false
    relay.on('message', (datagram, { port }) => {
      const target = Number(new URL(url).port)
      if (port !== target) from = port
      if (!cut) relay.send(datagram, port === target ? from : target, '127.0.0.1')
    })
    const lost = await client.dial(`quic://127.0.0.1:${relay.address().port}`, { ...dial, quic: { idleTimeout: 250 } })
    const closed = once<string>()
    lost.once('close', (error) => closed.resolve(String(error?.cause)))
    assert.equal(await lost.call('/size', 'abc'), 3)
    cut = true
    assert.match(await closed.promise, /ETIMEDOUT/)
    ended.resolve()
    assert.equal(await late, 'late')
  })

  run('a listener that closes leaves its sessions, and an endpoint that closes lets handlers finish', async (t) => {
    const server = endpoint(t, { transport, closeTimeout: 5000 })
    const entered = once<void>()
    const gate = once<void>()
    server.routeCall('/wait', async () => {
      entered.resolve()
      await gate.promise
      return 'done'
    })
    const listener = await server.listen('quic://127.0.0.1:0', { tls: own })
    const client = endpoint(t, { transport, dialTimeout: 120 })
    const session = await client.dial(listener.url, dial)
    await listener.close()
    await assert.rejects(client.dial(listener.url, dial), { code: 105 })
    const call = session.call('/wait')
    await entered.promise
    const closing = server.close()
    gate.resolve()
    assert.equal(await call, 'done')
    await closing
  })

  run('options that QUIC does not have are refused by name', async (t) => {
    const made = endpoint(t, { transport })
    const listen = (options: ListenOptions) => made.listen('quic://127.0.0.1:0', options)
    await assert.rejects(listen({}), /option tls must be an object/)
    await assert.rejects(listen({ tls: { ...own, SNICallback: () => {} } }), /option tls\.SNICallback is not available on quic:/)
    await assert.rejects(listen({ tls: { ...own, ciphers: 'AES128-SHA' } }), /option tls\.ciphers is not available on quic:/)
    await assert.rejects(listen({ tls: own, quic: { keepAlive: 30_000 } }), /option quic\.keepAlive must be less/)
    await assert.rejects(listen({ tls: own, kcp: 'fast' }), /option kcp needs a URL kcp:/)
    await assert.rejects(made.listen('tcp://127.0.0.1:0', { quic: {} }), /option quic needs a URL quic:/)
    await assert.rejects(made.dial('quic://127.0.0.1:1', { tls: { maxVersion: 'TLSv1.2' } }), /option tls\.maxVersion is not available/)
  })
})

function refusal(cause: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.equal((error as StatusError).code, 105)
    assert.match(String((error as StatusError).cause), cause)
    return true
  }
}
