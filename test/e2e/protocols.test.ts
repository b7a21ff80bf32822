import assert from 'node:assert/strict'
import { it } from 'node:test'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, recorder } from '../support/helpers.ts'
import { boxes, lines } from '../support/own-protocols.ts'
import { rawPeer } from '../support/raw-peer.ts'

const own = [lines, boxes]

onEachTransport('protocols', (transport) => {
  for (const { name } of own) {
    const options = { protocols: own, protocol: name }

    it(`speaks a protocol of one's own both ways: ${name}`, async (t) => {
      const { server, client, session, peer } = await pair(t, transport, { server: options, client: options })
      server.routeCall('/echo', (value: unknown) => value)
      const pushed = once<unknown>()
      client.routePush('/pushed', (value: unknown) => pushed.resolve(value))
      assert.equal(session.protocol, name)
      assert.equal(peer.protocol, name)
      assert.deepEqual(await session.call('/echo', { text: 'x'.repeat(100_000) }), { text: 'x'.repeat(100_000) })
      const large = 'y'.repeat(3_000_000)
      assert.equal(await session.call('/echo', large), large)
      await assert.rejects(session.call('/none'), { code: 404 })
      await peer.push('/pushed', [1, 2])
      assert.deepEqual(await pushed.promise, [1, 2])
    })

    it(`answers more calls at once than a turn delivers: ${name}`, async (t) => {
      const { server, session } = await pair(t, transport, { server: options, client: options })
      server.routeCall('/echo', (value: unknown) => value)
      const calls = Array.from({ length: 10_000 }, (_, i) => session.call('/echo', i))
      assert.deepEqual(await Promise.all(calls), [...calls.keys()])
    })

    it(`keeps to maxUnsent when the answers are larger than the questions: ${name}`, async (t) => {
      const limits = { maxUnsent: 1024 * 1024 }
      const { server, session } = await pair(t, transport, { server: { ...options, limits }, client: options })
      server.routeCall('/large', () => 'z'.repeat(100_000))
      const replies = await Promise.all(Array.from({ length: 200 }, () => session.call<string>('/large')))
      assert.ok(replies.every((reply) => reply.length === 100_000))
    })
  }

  it('carries transfer filters in an envelope, and says that a stream of bytes has none', async (t) => {
    const { server, session } = await pair(t, transport, {
      server: { protocols: own, protocol: 'boxes' },
      client: { protocols: own, protocol: 'boxes' },
    })
    server.routeCall('/echo', (value: unknown) => value)
    for (const size of [10, 300_000]) {
      const text = 'a'.repeat(size)
      assert.equal(await session.call('/echo', text, { filters: ['gzip', 'md5'] }), text)
    }
    const stream = await pair(t, transport, {
      server: { protocols: own, protocol: 'lines' },
      client: { protocols: own, protocol: 'lines' },
    })
    await assert.rejects(stream.session.call('/echo', 1, { filters: ['gzip'] }), { code: 104, cause: /no transfer filters/ })
  })

  it('serves several protocols on one port', async (t) => {
    const server = endpoint(t, { transport, protocols: own })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines', 'boxes'] })
    const client = endpoint(t, { transport, protocols: own })
    for (const protocol of ['raw', 'lines', 'boxes']) {
      const session = await client.dial(url, { protocol })
      const calls = Array.from({ length: 500 }, (_, i) => session.call('/echo', `${protocol} ${i}`))
      assert.deepEqual(
        await Promise.all(calls),
        calls.map((_, i) => `${protocol} ${i}`),
      )
    }
  })

  it('decides by the first bytes however they are cut', async (t) => {
    const server = endpoint(t, { transport, protocols: own })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines'] })
    const peer = await rawPeer(t, url)
    for (const byte of frame({ seq: 7, method: '/echo', body: '"bytes"' })) peer.send(Buffer.from([byte]))
    const [reply] = await peer.received(1)
    assert.equal(reply.body, '"bytes"')
  })

  it('closes a connection whose first bytes are no protocol of its listener, or of two', async (t) => {
    const twin = { ...lines, id: 202, name: 'twin' }
    const warned = once()
    const log = recorder()
    const warn = (...line: Parameters<typeof log.warn>): void => {
      log.warn(...line)
      if (log.lines.length === 2) warned.resolve()
    }
    const server = endpoint(t, { transport, protocols: [...own, twin], log: { ...log, warn } })
    const none = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines'] })
    const both = await server.listen('tcp://127.0.0.1:0', { protocols: ['twin', 'lines'] })
    for (const [{ url }, bytes] of [
      [none, 'SSH-2.0-OpenSSH\r\n'],
      [both, '![1]\n'],
    ] as const) {
      const peer = await rawPeer(t, url)
      peer.send(bytes)
      await peer.closed
    }
    await warned.promise // IO threads close before the endpoint knows
    assert.equal(server.stats.accepted, 0)
    assert.equal(server.stats.violations, 2)
    assert.deepEqual(
      log.lines.map(({ fields }) => fields.reason),
      Array(2).fill('bytes of no protocol, or of several, that is offered here'),
    )
  })

  it('closes a connection that does not say its protocol in time', async (t) => {
    const warned = once()
    const log = recorder()
    const warn = (...line: Parameters<typeof log.warn>): void => {
      log.warn(...line)
      if (log.lines.length === 2) warned.resolve()
    }
    const server = endpoint(t, { transport, protocols: own, limits: { frameTimeout: 60 }, log: { ...log, warn } })
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines'] })
    const silent = await rawPeer(t, url)
    const slow = await rawPeer(t, url)
    slow.send(Buffer.from([0]))
    await Promise.all([silent.closed, slow.closed, warned.promise])
    assert.equal(server.stats.violations, 2)
  })

  it('counts connections without a protocol among the sessions', async (t) => {
    const server = endpoint(t, { transport, protocols: own, limits: { maxSessions: 2 } })
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines'] })
    await rawPeer(t, url)
    const second = await rawPeer(t, url)
    const third = await rawPeer(t, url)
    await third.closed
    assert.equal(server.stats.refused, 1)
    second.socket.destroy()
  })

  it('closes connections without a protocol with the endpoint', async (t) => {
    const server = endpoint(t, { transport, protocols: own })
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'lines'] })
    const peer = await rawPeer(t, url)
    const gone = once()
    peer.socket.once('close', () => gone.resolve())
    await server.close()
    await gone.promise
  })

  it('closes a session that breaks its protocol, and one whose message is not completed in time', async (t) => {
    const server = endpoint(t, { transport, protocols: own, protocol: 'lines', limits: { frameTimeout: 60, maxMessage: 1000 } })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const closed: string[] = []
    for (const bytes of ['!nonsense\n', '![1,1,"/echo"', `!${'x'.repeat(2000)}`, '![9,1,"/a","","",106,""]\n']) {
      const accepted = once<string | undefined>()
      server.once('session', (session) => session.once('close', (reason) => accepted.resolve(reason?.cause)))
      const peer = await rawPeer(t, url)
      peer.send(bytes)
      closed.push(String(await accepted.promise))
    }
    assert.deepEqual(closed, [
      'bytes that are not the protocol',
      'frame not completed in time',
      'frame larger than the limit',
      'unknown message type',
    ])
  })

  it('closes a session whose protocol hands on fields that are none', async (t) => {
    const server = endpoint(t, { transport, protocols: own, protocol: 'lines' })
    server.routeCall('/meta', (_, ctx) => [typeof ({} as Record<string, unknown>).polluted, ctx.meta])
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const fields = [
      ['![1,"x","/a","","",106,""]', 'bad sequence number'],
      ['![1,1.5,"/a","","",106,""]', 'bad sequence number'],
      ['![1,1,{"a":1},"","",106,""]', 'bytes that are not the protocol'],
      ['![1,1,"/a","{}","",106,""]', 'unreadable status'],
      ['![1,1,"/a","","5",106,""]', 'unreadable meta'],
      ['![1,1,"/a","","{\\"a\\":1}",106,""]', 'unreadable meta'],
      ['!["1",1,"/a","","",106,""]', 'unknown message type'],
    ]
    for (const [line, expected] of fields) {
      const accepted = once<string | undefined>()
      server.once('session', (session) => session.once('close', (reason) => accepted.resolve(reason?.cause)))
      const peer = await rawPeer(t, url)
      peer.send(`${line}\n`)
      assert.equal(await accepted.promise, expected, line)
    }
    const client = endpoint(t, { transport, protocols: own, protocol: 'lines' })
    const session = await client.dial(url)
    const meta = JSON.parse('{"__proto__":"x","constructor":"y"}')
    assert.deepEqual(await session.call('/meta', undefined, { meta }), ['undefined', meta])
  })

  it('refuses protocols it does not know and lists it cannot tell apart', async (t) => {
    const { match, ...mute } = { ...lines, id: 203, name: 'mute' }
    assert.ok(match)
    const server = endpoint(t, { transport, protocols: [...own, mute] })
    const at = 'tcp://127.0.0.1:0'
    await assert.rejects(server.listen(at, { protocols: ['raw', 'nope'] }), /no protocol is named "nope"/)
    await assert.rejects(server.listen(at, { protocols: [] }), /at least one/)
    await assert.rejects(server.listen(at, { protocols: ['raw', 'raw'] }), /each once/)
    await assert.rejects(server.listen(at, { protocols: ['raw', 'mute'] }), /a listener to itself/)
    await assert.rejects(server.dial('tcp://127.0.0.1:1', { protocol: 'nope' }), /no protocol is named "nope"/)
    assert.throws(() => endpoint(t, { transport, protocol: 'nope' }), /no protocol is named "nope"/)
    assert.throws(() => endpoint(t, { transport, protocols: [lines, { ...boxes, id: 200 }] }), /protocol id 200 is taken/)
  })
})
