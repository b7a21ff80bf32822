import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Code, StatusError } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'

onEachTransport('call', (transport) => {
  test('a handler answers with a value or a promise', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/math/add', (nums: number[]) => nums.reduce((a, b) => a + b, 0))
    server.routeCall('/later', async (text: string) => `${text}!`)
    assert.equal(await session.call('/math/add', [1, 2, 3]), 6)
    assert.equal(await session.call('/later', 'hi'), 'hi!')
  })

  test('either side calls the other', async (t) => {
    const { server, client, session, peer } = await pair(t, transport)
    client.routeCall('/double', (n: number) => n * 2)
    server.routeCall('/ask/back', (n: number, ctx) => ctx.session.call('/double', n))
    assert.equal(await peer.call('/double', 4), 8)
    assert.equal(await session.call('/ask/back', 21), 42)
  })

  test('every JSON value survives the way there and back', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/echo', (value: unknown) => value)
    const values = [
      null,
      true,
      false,
      0,
      -1.5,
      1e300,
      '',
      'ascii',
      'grüße 世界 🚀',
      '\u0000\u001f"\\',
      [],
      {},
      [[1], { a: [null] }],
      { ключ: 'знач' },
    ]
    for (const value of values) assert.deepEqual(await session.call('/echo', value), value)
    assert.equal(await session.call('/echo'), undefined)
    assert.equal(await session.call('/echo', 'a\ud800b'), 'a\ud800b', 'JSON.stringify escapes a lone surrogate')
  })

  test('a value whose getters send messages themselves arrives whole, and so do those messages', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/echo', (value: unknown) => value)
    const told: unknown[] = []
    const all = once<void>()
    server.routePush('/tell', (value: unknown) => {
      if (told.push(value) === 4) all.resolve()
    })
    const value = (level: number): unknown => ({
      before: level,
      get inner() {
        void session.push('/tell', { level, text: 'from within' })
        void session.push('/tell', 'é'.repeat(3000))
        return level > 1 ? [level] : value(level + 1)
      },
      after: 'x'.repeat(60),
    })
    const expected = (level: number): unknown => ({ before: level, inner: level > 1 ? [2] : expected(level + 1), after: 'x'.repeat(60) })
    assert.deepEqual(await session.call('/echo', value(1)), expected(1))
    await all.promise
    assert.ok(told.every((each) => typeof each === 'string' || (each as { text: string }).text === 'from within'))
  })

  test('bodies of every size around the borders of buffers arrive whole', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/echo', (value: unknown) => value)
    for (const size of [1, 40, 41, 255, 4095, 4096, 4097, 65_535, 65_536, 262_143, 262_144, 349_524, 349_526, 1_048_576, 5_000_000]) {
      const text = 'x'.repeat(size)
      assert.ok((await session.call('/echo', text)) === text, `${size} ASCII characters`)
      const wide = '界'.repeat(Math.min(size, 700_000))
      assert.ok((await session.call('/echo', wide)) === wide, `${size} wide characters`)
    }
  })

  test('bytes travel as they are', async (t) => {
    const { server, session } = await pair(t, transport)
    server.setUnknownCall((bytes) => bytes)
    for (const size of [0, 1, 5000, 300_000, 2_000_000]) {
      const bytes = new Uint8Array(size).map((_, i) => 32 + (i % 90))
      const text = await session.call<string>('/any', bytes, { codec: 'plain' })
      assert.ok(Buffer.from(text ?? '').equals(bytes), `${size} bytes`)
    }
  })

  test('300 calls in flight get each its own answer, in any order', async (t) => {
    const { server, session } = await pair(t, transport)
    const held: (() => void)[] = []
    server.routeCall('/hold', (n: number) => {
      const gate = once<number>()
      held.push(() => gate.resolve(n))
      if (held.length === 300) for (const release of held.reverse()) release()
      return gate.promise
    })
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => session.call<number>('/hold', n)))
    assert.deepEqual(
      answers,
      Array.from({ length: 300 }, (_, n) => n),
    )
  })

  test('a StatusError reaches the caller as it was thrown', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/fail', () => {
      throw new StatusError(1001, 'out of stock', 'table "x"\n\u001b[31m 世界')
    })
    server.routeCall('/fail/later', async () => {
      throw new StatusError(-7, 'negative')
    })
    assert.deepEqual(await status(session.call('/fail')), [1001, 'out of stock', 'table "x"\n\u001b[31m 世界'])
    assert.deepEqual(await status(session.call('/fail/later')), [-7, 'negative', ''])
    await assert.rejects(session.call('/fail'), StatusError)
  })

  test('any other error becomes 500 and its text does not leak unless asked to', async (t) => {
    const { server, session } = await pair(t, transport)
    const { server: open, session: toOpen } = await pair(t, transport, { server: { exposeErrors: true } })
    for (const each of [server, open]) {
      each.routeCall('/error', () => {
        throw new Error('password 123')
      })
      each.routeCall('/null', () => Promise.reject(null))
    }
    assert.deepEqual(await status(session.call('/error')), [500, 'Internal Server Error', ''])
    assert.deepEqual(await status(session.call('/null')), [500, 'Internal Server Error', ''])
    assert.deepEqual(await status(toOpen.call('/error')), [500, 'Internal Server Error', 'password 123'])
  })

  test('a handler may return any thenable, however it behaves, and is answered once', async (t) => {
    const { server, session, peer } = await pair(t, transport)
    type Settle = (value: unknown) => void
    server.routeCall('/twice', () => ({
      // biome-ignore lint/suspicious/noThenProperty: what a careless library returns
      then(resolve: Settle, reject: Settle) {
        resolve(1)
        resolve(2)
        reject(3)
      },
    }))
    server.routeCall('/throws', () => ({
      // biome-ignore lint/suspicious/noThenProperty: likewise
      then() {
        throw new Error('then')
      },
    }))
    server.routeCall('/getter', () =>
      Object.defineProperty({}, 'then', {
        get() {
          throw new Error('getter')
        },
      }),
    )
    assert.equal(await session.call('/twice'), 1)
    assert.equal((await status(session.call('/throws')))[0], 500)
    assert.equal((await status(session.call('/getter')))[0], 500)
    assert.equal(await session.call('/twice'), 1)
    assert.equal(peer.running, 0)
  })

  test('results that the codec cannot encode are a 500 and not a silence', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/circle', () => {
      const circle: Record<string, unknown> = {}
      circle.self = circle
      return circle
    })
    server.routeCall('/function', () => () => {})
    assert.equal((await status(session.call('/circle')))[0], 500)
    assert.equal((await status(session.call('/function')))[0], 500)
  })

  test('a call without a route is a 404, unless an unknown-call handler takes it', async (t) => {
    const { server, session } = await pair(t, transport)
    assert.deepEqual(await status(session.call('/nowhere', 1)), [404, 'Not Found', ''])
    server.setUnknownCall((body, ctx) => [ctx.serviceMethod, ctx.codec, Buffer.from(body).toString()])
    assert.deepEqual(await session.call('/nowhere/ünïcode', { a: 1 }), ['/nowhere/ünïcode', 'json', '{"a":1}'])
  })

  test('a name is matched by its bytes: case, slashes and prototypes matter', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/a', () => 'a')
    server.routeCall('__proto__', () => 'proto')
    for (const name of ['/A', 'a', '/a/', '/a\0', 'constructor', 'toString']) assert.equal((await status(session.call(name)))[0], 404)
    assert.equal(await session.call('__proto__'), 'proto')
    assert.equal((await status(session.call('')))[0], 400)
  })

  test('a name that is no well-formed text travels with U+FFFD in place of what is wrong', async (t) => {
    const { server, session } = await pair(t, transport)
    assert.equal((await status(session.call('/\ud800')))[0], 404)
    server.setUnknownCall((_, ctx) => ctx.serviceMethod)
    assert.equal(await session.call('/\ud800x', 1), '/\ufffdx')
  })

  test('meta travels both ways and with errors', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/meta', (_: unknown, ctx) => {
      ctx.setMeta('reply', '<&> "世界"')
      return ctx.meta
    })
    server.routeCall('/meta/fail', (_: unknown, ctx) => {
      ctx.setMeta('why', 'because')
      throw new StatusError(1002)
    })
    const reply = await session.callReply<Record<string, string>>('/meta', null, { meta: { b: '2', a: '\u2028', __proto__x: '1' } })
    assert.deepEqual({ ...reply.body }, { b: '2', a: '\u2028', __proto__x: '1' })
    assert.deepEqual({ ...reply.meta }, { reply: '<&> "世界"' })
    assert.equal((await status(session.call('/meta/fail')))[0], 1002)
  })

  test("the reply's codec is the handler's, else what the caller accepts, else the call's", async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/same', () => 'text')
    server.routeCall('/forced', (_: unknown, ctx) => {
      ctx.setCodec('plain')
      return 'text'
    })
    const codecOf = async (method: string, options?: object): Promise<number> => (await session.callReply(method, 'x', options)).codec
    assert.equal(await codecOf('/same'), 106)
    assert.equal(await codecOf('/same', { codec: 'plain' }), 115)
    assert.equal(await codecOf('/same', { codec: 'plain', acceptCodec: 'json' }), 106)
    assert.equal(await codecOf('/forced', { acceptCodec: 'json' }), 115)
    for (const wish of ['0', '256', 'x', '', '98', '0115']) {
      assert.equal(await codecOf('/same', { meta: { 'X-Accept-Body-Codec': wish } }), 106, `wish ${JSON.stringify(wish)}`)
    }
  })

  test('plain bodies are text', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/plain', (text: string) => `<${text}>`)
    for (const [sent, got] of [
      ['a', '<a>'],
      [42, '<42>'],
      [true, '<true>'],
      [1e21, '<1000000000000000000000>'],
    ] as const) {
      assert.equal(await session.call('/plain', sent, { codec: 'plain' }), got)
    }
  })

  test('pushes arrive in the order they were sent, among calls', async (t) => {
    const { server, session } = await pair(t, transport)
    const seen: number[] = []
    server.routePush('/note', (n: number) => seen.push(n))
    server.routeCall('/seen', () => [...seen])
    for (let n = 0; n < 1000; n++) session.push('/note', n)
    assert.deepEqual(
      await session.call('/seen'),
      Array.from({ length: 1000 }, (_, n) => n),
    )
  })

  test('a push that fails in its handler is logged and harms nothing', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routePush('/bad', () => {
      throw new Error('no')
    })
    server.routePush('/rejects', async () => {
      throw null
    })
    server.routeCall('/ok', () => 1)
    await session.push('/bad')
    await session.push('/rejects')
    await session.push('/no/route')
    assert.equal(await session.call('/ok'), 1)
  })

  test('unknown-push handlers get what has no route', async (t) => {
    const { server, session } = await pair(t, transport)
    const got = once<string>()
    server.setUnknownPush((body, ctx) => got.resolve(`${ctx.serviceMethod} ${Buffer.from(body)}`))
    await session.push('/x', [1])
    assert.equal(await got.promise, '/x [1]')
  })

  test('what a handler keeps of a body stays as it was', async (t) => {
    const { server, session } = await pair(t, transport)
    const kept: unknown[] = []
    server.routePush('/keep', (value: unknown) => kept.push(value))
    server.setUnknownPush((bytes) => kept.push(bytes))
    server.routeCall('/count', () => kept.length)
    for (let i = 0; i < 500; i++) {
      session.push('/keep', { text: `value ${i}` })
      session.push('/bytes', `bytes ${i}`)
    }
    assert.equal(await session.call('/count'), 1000)
    for (let i = 0; i < 2000; i++) await session.call('/count', 'overwrites the arena'.repeat(50))
    for (let i = 0; i < 500; i++) {
      assert.deepEqual(kept[2 * i], { text: `value ${i}` })
      assert.equal(Buffer.from(kept[2 * i + 1] as Uint8Array).toString(), `"bytes ${i}"`)
    }
  })

  test('the same endpoint serves TCP over IPv4 and IPv6 and Unix sockets', async (t) => {
    const server = endpoint(t, { transport })
    const client = endpoint(t, { transport })
    server.routeCall('/who', (_: unknown, ctx) => ctx.realIp)
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 's.sock')
    const expected = { 'tcp://127.0.0.1:0': '127.0.0.1', 'tcp://[::1]:0': '::1', 'tcp://localhost:0': '127.0.0.1', [`unix://${path}`]: '@' }
    for (const [url, ip] of Object.entries(expected)) {
      const listener = await server.listen(url)
      const session = await client.dial(listener.url)
      assert.equal(await session.call('/who'), ip, url)
      assert.equal(await session.call('/who', null, { meta: { 'X-Real-IP': '9.9.9.9' } }), '9.9.9.9')
    }
  })

  test('many sessions of one Unix socket have ids of their own', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const { server, client, listener } = await pair(t, transport, { url: `unix://${join(folder, 's.sock')}` })
    server.routeCall('/id', (_: unknown, ctx) => ctx.session.id)
    const sessions = await Promise.all(Array.from({ length: 5 }, () => client.dial(listener.url)))
    const ids = await Promise.all(sessions.map((session) => session.call('/id')))
    assert.equal(new Set(ids).size, 5)
  })

  test('what cannot be sent is a 104 that names the mistake', async (t) => {
    const { session } = await pair(t, transport)
    const misuses: [unknown[], RegExp][] = [
      [['/x', () => {}], /function/],
      [['/x', 1n], /BigInt/i],
      [['/x', 1, { meta: { a: 'x'.repeat(65_536) } }], /size limit|over 65535 bytes/],
    ]
    for (const [args, text] of misuses) {
      const [code, , cause] = await status((session.call as (...args: unknown[]) => Promise<unknown>).apply(session, args))
      assert.equal(code, Code.WriteFailed, cause)
      assert.match(cause, text)
    }
  })

  test('a service method over 255 bytes does not go into a raw frame', async (t) => {
    const { session } = await pair(t, transport, { server: { protocol: 'raw' }, client: { protocol: 'raw' } })
    const [code, , cause] = await status(session.call('x'.repeat(256), 1))
    assert.equal(code, Code.WriteFailed)
    assert.match(cause, /size limit/)
    assert.equal((await status(session.push('x'.repeat(256))))[0], Code.WriteFailed)
  })
})
