import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

/** For each codec: its id, values that come back as they went, and bodies nobody can read. */
const codecs: { codec: string; id: number; values: unknown[]; bad: Buffer[] }[] = [
  {
    codec: 'form',
    id: 0x66,
    values: [{ a: '1', b: ['x', 'é&='] }, { ['__proto__']: 'x' }],
    bad: ['a=%zz', 'a=1;b=2', '&'.repeat(10_001)].map((text) => Buffer.from(text)),
  },
  {
    codec: 'xml',
    id: 0x78,
    values: ['text', 5, 0.5, true, { a: { '@b': '1', c: ['x', 'y'], '#text': 'é' } }],
    bad: ['<a>', '<!DOCTYPE a><a/>', '<a>'.repeat(129) + '</a>'.repeat(129)].map((text) => Buffer.from(text)),
  },
  {
    codec: 'msgpack',
    id: 0x6d,
    values: ['text', 5, -0.5, true, null, 2n ** 60n, [1, ['x']], { a: { b: new Uint8Array([1, 2]) } }, new Date(1_700_000_000_123)],
    bad: [Buffer.from('c1', 'hex'), Buffer.from('ddffffffff', 'hex'), Buffer.alloc(1000, 0x91)],
  },
  {
    codec: 'cbor',
    id: 0x63,
    values: ['text', 5, -0.5, true, null, 2n ** 60n, [1, ['x']], { a: { b: new Uint8Array([1, 2]) } }, new Date(1_700_000_000_123)],
    bad: [Buffer.from('1c', 'hex'), Buffer.from('9affffffff', 'hex'), Buffer.alloc(1000, 0x81)],
  },
]

/** The same with prototypes, for assert.deepEqual. */
const plain = (value: unknown): unknown => structuredClone(value)

onEachTransport('codecs', (transport) => {
  for (const { codec, id, values, bad } of codecs) {
    test(`${codec}: values come back, 300 at once`, async (t) => {
      const { server, session } = await pair(t, transport)
      server.routeCall('/echo', (value, ctx) => {
        assert.equal(ctx.codec, codec)
        return value
      })
      for (const value of values) {
        const reply = await session.callReply('/echo', value, { codec })
        assert.deepEqual([plain(reply.body), reply.codec], [plain(value), id])
      }
      const replies = await Promise.all(Array.from({ length: 300 }, (_, i) => session.call('/echo', values[i % values.length], { codec })))
      replies.forEach((reply, i) => {
        assert.deepEqual(plain(reply), plain(values[i % values.length]))
      })
    })

    test(`${codec}: an unreadable body in an intact frame is a 400, and the session lives`, async (t) => {
      const log = recorder()
      const { server, listener, session } = await pair(t, transport, { server: { log } })
      server.routeCall('/x', (value) => value)
      server.routePush('/x', () => assert.fail('must not be reached'))
      server.routeCall('/bad', (which: number) => bad[which])
      for (const [i, body] of bad.entries()) {
        const [code, message, cause] = await status(session.call('/x', body, { codec }))
        assert.deepEqual([code, message], [400, 'Bad Message'])
        assert.match(cause, new RegExp(`^${codec}: `))
        await session.push('/x', body, { codec })
        assert.equal((await status(session.call('/bad', i, { acceptCodec: codec })))[0], 400)
      }
      const stranger = await rawPeer(t, listener.url)
      stranger.send(frame({ method: '/x', codec: id, body: bad[0] }), frame({ seq: 2, method: '/x', codec: id }))
      const [refused, answered] = await stranger.received(2)
      assert.deepEqual([refused.status.code, refused.codec, answered.status.code, answered.codec], [400, 0, 0, id])
      assert.equal(log.lines.filter(({ text }) => text === 'a push was dropped').length, bad.length)
      assert.equal(server.stats.violations, 0)
    })

    test(`${codec}: what it has no form for is a 104 for the caller and a 500 from a handler`, async (t) => {
      const { server, session } = await pair(t, transport)
      server.routeCall('/bad', () => () => 1)
      assert.equal((await status(session.call('/x', () => 1, { codec })))[0], 104)
      assert.equal((await status(session.call('/bad', undefined, { codec })))[0], 500)
    })
  }

  for (const codec of ['msgpack', 'cbor']) {
    test(`${codec}: what a handler keeps of a message stays as it was`, async (t) => {
      const { server, session } = await pair(t, transport)
      const kept: { i: number; data: Uint8Array; text: string }[] = []
      server.routeCall('/keep', (message: (typeof kept)[number]) => void kept.push(message))
      const content = (i: number): Buffer => Buffer.alloc(40 + (i % 100), `content ${i}.`)
      const message = (i: number) => ({ i, data: content(i), text: `text ${i}` })
      await Promise.all(Array.from({ length: 300 }, (_, i) => session.call('/keep', message(i), { codec })))
      const overwriting = { data: Buffer.alloc(2000, 'overwrites the arena') }
      for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: 10 }, () => session.call('/keep', overwriting, { codec })))
      for (const { i, data, text } of kept.slice(0, 300)) {
        assert.ok(content(i).equals(data), `message ${i}`)
        assert.equal(text, `text ${i}`)
      }
    })
  }
})

onEachTransport('bytes', (transport) => {
  test('a route with arg: bytes gets the body as it came, whatever its codec says', async (t) => {
    const { server, listener, session } = await pair(t, transport)
    server.routeCall('/size', (body, ctx) => [body.length, ctx.codec], { arg: bytes })
    assert.deepEqual(await session.call('/size', [1, 2]), [5, 'json'])
    assert.deepEqual(await session.call('/size', Buffer.from('{"cut":')), [7, 'json'])
    assert.deepEqual(await session.call('/size'), [0, 'json'])
    assert.deepEqual(await session.call('/size', Buffer.alloc(3_000_000)), [3_000_000, 'json'])
    const stranger = await rawPeer(t, listener.url)
    stranger.send(frame({ method: '/size', codec: 1, body: 'x' }), frame({ seq: 2, method: '/size', codec: 0, body: 'xy' }))
    const replies = await stranger.received(2)
    assert.deepEqual(
      replies.map(({ body }) => String(body)),
      ['[1,""]', '[2,""]'],
    )
  })

  test('a call with result: bytes gets the reply as it came', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/json', () => ({ a: 1 }))
    server.routeCall('/raw', () => new Uint8Array([0, 255]))
    server.routeCall('/none', () => undefined)
    const body: Uint8Array = await session.call('/json', null, { result: bytes })
    assert.equal(String(Buffer.from(body)), '{"a":1}')
    assert.deepEqual(await session.call('/raw', null, { result: bytes }), new Uint8Array([0, 255]))
    assert.deepEqual((await session.callReply('/none', null, { result: bytes })).body, new Uint8Array())
  })

  test('bytes that were kept stay as they were', async (t) => {
    const { server, session } = await pair(t, transport)
    const kept: Uint8Array[] = []
    const done = once()
    server.routePush('/keep', (body) => kept.push(body) === 600 && done.resolve(), { arg: bytes })
    for (let i = 0; i < 600; i++) await session.push('/keep', Buffer.alloc(50, `body ${i} `))
    await done.promise
    kept.forEach((body, i) => {
      assert.ok(Buffer.alloc(50, `body ${i} `).equals(body), `body ${i}`)
    })
  })

  test('bytes is no type for what is sent but bytes', async (t) => {
    const { session } = await pair(t, transport)
    assert.equal((await status(session.call('/x', { a: 1 }, { codec: 'protobuf', arg: bytes })))[0], 104)
  })
})
