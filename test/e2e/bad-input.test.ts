import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { EndpointOptions } from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { type Kind, once, onEachTransport, pair, recorder } from '../support/helpers.ts'
import { type RawPeer, rawPeer } from '../support/raw-peer.ts'

/** A server with one good session that must notice nothing, and a stranger's socket. */
async function victim(t: TestContext, transport: Kind, options: EndpointOptions = {}) {
  const log = recorder()
  const made = await pair(t, transport, { server: { ...options, log } })
  made.server.routeCall('/echo', (value: unknown) => value)
  const stranger = await rawPeer(t, made.listener.url)
  const unharmed = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) assert.equal(await made.session.call('/echo', i), i)
  }
  return { ...made, log, stranger, unharmed }
}

/** Sends bytes that break the protocol: the session is closed with `reason` logged, and no other session notices. */
async function expectClosed(t: TestContext, transport: Kind, bytes: Buffer[], reason: RegExp, options: EndpointOptions = {}) {
  const { server, stranger, log, unharmed } = await victim(t, transport, options)
  stranger.send(...bytes)
  await stranger.closed
  await unharmed()
  assert.equal(server.stats.violations, 1)
  const line = log.lines.find(({ text }) => text === 'session closed')
  assert.match(String(line?.fields.reason), reason)
}

/** Sends one CALL whose frame is intact: it is answered with `code` and the session lives. */
async function expectAnswer(stranger: RawPeer, call: Buffer, code: number) {
  const before = stranger.frames.length
  stranger.send(call, frame({ seq: 'z', method: '/echo', body: '7' }))
  const [answer, alive] = (await stranger.received(before + 2)).slice(before)
  assert.equal(answer.status.code, code)
  assert.equal(answer.type, 2)
  assert.equal(alive.body, '7')
  return answer
}

onEachTransport('bad input', (transport) => {
  test('every declared length below the smallest frame is refused on four bytes (F1)', async (t) => {
    const { listener, unharmed } = await victim(t, transport)
    for (let total = 0; total < 15; total++) {
      const stranger = await rawPeer(t, listener.url)
      stranger.send(Buffer.from([0, 0, 0, total]))
      await stranger.closed
    }
    await unharmed()
  })

  test('a length over the limit is refused on four bytes and nothing is allocated for it (F2)', async (t) => {
    const { listener, unharmed } = await victim(t, transport)
    const before = process.memoryUsage().rss
    for (const total of [16 * 1024 * 1024 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      const stranger = await rawPeer(t, listener.url)
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(total)
      stranger.send(bytes)
      await stranger.closed
    }
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
    await unharmed()
  })

  test('announced lengths within the limit cost nothing until the bytes come (F2)', async (t) => {
    const { server, listener, unharmed } = await victim(t, transport)
    const before = process.memoryUsage().rss
    const bytes = Buffer.alloc(6)
    bytes.writeUInt32BE(16 * 1024 * 1024)
    bytes[4] = 1
    for (let i = 0; i < 100; i++) (await rawPeer(t, listener.url)).send(bytes)
    while (server.sessionCount < 102) await unharmed()
    await unharmed()
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024, '100 announcements of 16 MiB')
  })

  test('frames cut at every byte decode the same (F3)', async (t) => {
    const { stranger } = await victim(t, transport)
    const one = frame({ seq: 5, method: '/echo', meta: '{"a":"b"}', body: '"cut"' })
    let count = 0
    for (let cut = 1; cut < one.length; cut++) {
      stranger.send(one.subarray(0, cut))
      await new Promise((resolve) => stranger.socket.write('', resolve))
      stranger.send(one.subarray(cut))
      await stranger.received(++count)
    }
    for (const byte of one) stranger.send(Buffer.from([byte]))
    const frames = await stranger.received(++count)
    for (const { seq, body } of frames) assert.deepEqual([seq, body], ['5', '"cut"'])
  })

  test('100,000 minimal frames in one chunk keep their order and do not stall the loop (F4)', async (t) => {
    const { server, stranger } = await victim(t, transport)
    let next = 0
    let inOrder = true
    server.routePush('/n', (n: number) => {
      inOrder &&= n === next++
    })
    const frames = Array.from({ length: 100_000 }, (_, n) => frame({ seq: n, type: 3, method: '/n', body: String(n) }))
    stranger.send(...frames, frame({ seq: 'end', method: '/echo', body: '1' }))
    await stranger.received(1)
    assert.equal(next, 100_000)
    assert.ok(inOrder)
  })

  test('a large frame in small chunks arrives whole (F5)', async (t) => {
    const { stranger } = await victim(t, transport)
    const text = JSON.stringify('x'.repeat(1024 * 1024))
    const bytes = frame({ seq: 9, method: '/echo', body: text })
    for (let at = 0; at < bytes.length; at += 64) stranger.socket.write(bytes.subarray(at, at + 64))
    const [answer] = await stranger.received(1)
    assert.ok(answer.body === text)
  })

  test('a half-sent frame is closed after frameTimeout, silence between frames never (F6)', async (t) => {
    const { listener, server, stranger, log, unharmed } = await victim(t, transport, { limits: { frameTimeout: 60 } })
    const whole = frame({ seq: 1, method: '/echo', body: '1' })
    const halves = await Promise.all(Array.from({ length: 50 }, () => rawPeer(t, listener.url)))
    halves.forEach((peer, i) => {
      peer.send(whole.subarray(0, 1 + (i % (whole.length - 1))))
    })
    await Promise.all(halves.map((peer) => peer.closed))
    await unharmed()
    assert.equal(log.lines.filter(({ fields }) => fields.reason === 'frame not completed in time').length, 50)
    assert.equal(server.stats.violations, 50)
    await expectAnswer(stranger, whole, 0)
    await unharmed()
  })

  test('a peer that drips a frame byte by byte is closed (M5)', async (t) => {
    const { stranger, log, unharmed } = await victim(t, transport, { limits: { frameTimeout: 60 } })
    const bytes = frame({ seq: 1, method: '/echo', body: JSON.stringify('x'.repeat(5000)) })
    let at = 0
    const drip = setInterval(() => stranger.send(bytes.subarray(at, ++at)), 5)
    await stranger.closed
    clearInterval(drip)
    await unharmed()
    assert.equal(log.lines[0].fields.reason, 'frame not completed in time')
  })

  for (const version of [0, 2, 6, 255]) {
    test(`version ${version} is refused (F7)`, (t) => expectClosed(t, transport, [frame({ version })], /version/))
  }
  for (const type of [0, 4, 5, 6, 128, 255]) {
    test(`message type ${type} closes the session (F7)`, (t) => expectClosed(t, transport, [frame({ type })], /message type/))
  }
  test('an unknown filter is refused (F7)', (t) => expectClosed(t, transport, [frame({ filters: [1] })], /unknown transfer filter/))
  test('more filters than the limit are refused before any is looked at (F8)', async (t) => {
    for (const count of [5, 16, 255]) {
      await expectClosed(t, transport, [frame({ filters: Array(count).fill(0x7a) })], /too many transfer filters/)
    }
  })
  test('an unknown codec is answered 400, with and without a body (F7)', async (t) => {
    const { stranger } = await victim(t, transport)
    for (const codec of [1, 2, 0x6f, 0x71, 255]) {
      for (const body of ['', '1']) {
        const answer = await expectAnswer(stranger, frame({ method: '/echo', codec, body }), 400)
        assert.match(answer.status.cause, /unsupported codec id/)
      }
    }
    await expectAnswer(stranger, frame({ method: '/echo', codec: 0, body: '1' }), 400)
    assert.equal((await expectAnswer(stranger, frame({ method: '/echo', codec: 0 }), 0)).codec, 106)
  })

  for (const seq of ['', '-', '+', '_1', '1_', ' 1', '1 ', '!', 'zik0zk', '-zik0zl', 'z'.repeat(255), '1\0']) {
    test(`sequence ${JSON.stringify(seq.slice(0, 9))} is refused (F9)`, (t) => expectClosed(t, transport, [frame({ seq })], /sequence/))
  }
  test('every form Go accepts is answered in the usual one (F9)', async (t) => {
    const { stranger } = await victim(t, transport)
    const forms = { '0': '0', '-0': '0', '+7': '7', ZIK0ZJ: 'zik0zj', '-zik0zk': '-zik0zk', '-a': '-a', [`${'0'.repeat(250)}1z`]: '1z' }
    stranger.send(...Object.keys(forms).map((seq) => frame({ seq, method: '/echo', body: '1' })))
    const frames = await stranger.received(7)
    assert.deepEqual(
      frames.map(({ seq }) => seq),
      Object.values(forms),
    )
  })
  test('replies to nothing, twice, or to a stranger change nothing (F9)', async (t) => {
    const { peer, server, stranger, unharmed } = await victim(t, transport)
    server.routeCall('/count', () => peer.pendingCalls)
    stranger.send(frame({ type: 2, seq: 1 }), frame({ type: 2, seq: 1 }), frame({ type: 2, seq: -5, body: 'not json' }))
    await expectAnswer(stranger, frame({ method: '/count' }), 0)
    await unharmed()
  })
  test('two calls with one sequence number are both answered (F9)', async (t) => {
    const { stranger } = await victim(t, transport)
    stranger.send(frame({ seq: 3, method: '/echo', body: '1' }), frame({ seq: 3, method: '/echo', body: '2' }))
    assert.deepEqual(
      (await stranger.received(2)).map(({ body }) => body),
      ['1', '2'],
    )
  })

  test('names of every kind are a 404 and leave nothing behind (F11)', async (t) => {
    const { stranger, unharmed } = await victim(t, transport)
    const names = ['x'.repeat(255), Buffer.from([0xff, 0xfe, 0x80]), 'a\0b', '__proto__', 'constructor', '世界']
    for (const method of names) await expectAnswer(stranger, frame({ method, body: '1' }), 404)
    assert.equal((await expectAnswer(stranger, frame({ method: '' }), 400)).status.cause, 'invalid service method for message')
    const before = stranger.frames.length
    stranger.send(...Array.from({ length: 20_000 }, (_, n) => frame({ method: `/name/${n}` })))
    await stranger.received(before + 20_000)
    await unharmed()
  })

  for (const [field, parts] of Object.entries({
    method: { methodLength: 200 },
    status: { statusLength: 60_000 },
    meta: { metaLength: 60_000 },
  })) {
    test(`a ${field} that runs past its frame is refused (F13)`, (t) => expectClosed(t, transport, [frame(parts)], /past the end/))
  }
  test('frames cut short at every field are refused (F13)', async (t) => {
    const { listener, unharmed } = await victim(t, transport)
    const whole = frame({ seq: 1234, method: '/echo', meta: '{"a":"b"}' })
    for (let total = 15; total < whole.length; total++) {
      const cut = Buffer.from(whole.subarray(0, total))
      cut.writeUInt32BE(total)
      const stranger = await rawPeer(t, listener.url)
      stranger.send(cut)
      await stranger.closed
    }
    await unharmed()
  })

  for (const meta of ['{', '[]', '1', '"x"', '{"a":}', '{"a":"b"', 'x', ' ']) {
    test(`meta ${JSON.stringify(meta)} closes the session`, (t) =>
      expectClosed(t, transport, [frame({ meta, method: '/echo' })], /unreadable meta/))
  }
  test('meta that Go would send is read: empty, null, numbers, blanks, repeated and hostile keys', async (t) => {
    const { server, stranger } = await victim(t, transport)
    server.routeCall('/meta', (_: unknown, ctx) => ({ ...ctx.meta, proto: Object.getPrototypeOf(ctx.meta), own: Object.keys(ctx.meta) }))
    const cases: Record<string, string> = {
      '': '{"proto":null,"own":[]}',
      null: '{"proto":null,"own":[]}',
      '{ }': '{"proto":null,"own":[]}',
      '{"a":1.0,"b":true}': '{"a":"1.0","b":"true","proto":null,"own":["a","b"]}',
      '{"a":"1","a":"2"}': '{"a":"2","proto":null,"own":["a"]}',
    }
    for (const [meta, body] of Object.entries(cases)) {
      assert.equal((await expectAnswer(stranger, frame({ method: '/meta', meta }), 0)).body, body)
    }
    await expectAnswer(stranger, frame({ method: '/meta', meta: '{"__proto__":"x","constructor":"y"}' }), 0)
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
  })
  test('meta with more keys than the limit closes the session quickly (D4)', async (t) => {
    const meta = `{${Array.from({ length: 257 }, (_, n) => `"k${n}":"v"`).join()}}`
    await expectClosed(t, transport, [frame({ meta, method: '/echo' })], /unreadable meta/)
    const full = `{${Array.from({ length: 9000 }, (_, n) => `"${n}":1`).join()}}`
    await expectClosed(t, transport, [frame({ meta: full.slice(0, 65_535), method: '/echo' })], /unreadable meta/)
  })

  test('bodies that do not decode are answered 400', async (t) => {
    const { stranger, unharmed } = await victim(t, transport)
    for (const body of ['{', '[1,', 'nope', '1 2', '"', '\0', "{'a':1}", '{"a":1}}', '01', '1e', Buffer.from([0xff])]) {
      await expectAnswer(stranger, frame({ method: '/echo', body }), 400)
    }
    await unharmed()
  })
  test('nesting up to the limit decodes, beyond it is a 400, at any depth (D1)', async (t) => {
    const { stranger, unharmed } = await victim(t, transport)
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    for (const depth of [1, 100, 128]) await expectAnswer(stranger, frame({ method: '/echo', body: nested(depth) }), 0)
    for (const depth of [129, 1000, 10_000, 100_000]) await expectAnswer(stranger, frame({ method: '/echo', body: nested(depth) }), 400)
    for (const depth of [129, 10_000]) {
      await expectAnswer(stranger, frame({ method: '/echo', body: `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}` }), 400)
    }
    await expectAnswer(stranger, frame({ method: '/echo', body: '['.repeat(100_000) }), 400)
    await unharmed()
  })
  test('invalid UTF-8 decodes to the same text everywhere (D3)', async (t) => {
    const { stranger } = await victim(t, transport)
    const cases: [number[], string][] = [
      [[0x61, 0xff, 0x62], 'a\ufffdb'],
      [[0xc0, 0xaf], '\ufffd\ufffd'],
      [[0xe0, 0x80, 0xaf], '\ufffd\ufffd\ufffd'],
      [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'],
      [[0xf0, 0x9f, 0x9a, 0x80], '🚀'],
      [[0xe4, 0xb8], '\ufffd'],
    ]
    for (const [bytes, text] of cases) {
      const body = Buffer.concat([Buffer.from('"'), Buffer.from(bytes), Buffer.from('"')])
      assert.equal((await expectAnswer(stranger, frame({ method: '/echo', body }), 0)).body, JSON.stringify(text))
    }
  })

  test('status text of a request that does not read closes the session; Go escapes read', async (t) => {
    await expectClosed(t, transport, [frame({ status: '{"code":x}', method: '/echo' })], /unreadable status/)
    const { stranger } = await victim(t, transport)
    await expectAnswer(stranger, frame({ status: '{"code":1,"msg":"\\a\\x1b","cause":""}', method: '/echo', body: '1' }), 0)
  })

  test('a logger that throws costs nobody anything', async (t) => {
    const thrower = () => {
      throw new Error('disk full')
    }
    const log = { debug: thrower, info: thrower, warn: thrower, error: thrower }
    const { server, session, listener } = await pair(t, transport, { server: { log } })
    server.routeCall('/echo', (value: unknown) => value)
    const stranger = await rawPeer(t, listener.url)
    stranger.send(frame({ type: 3, method: '/none' }), frame({ version: 7 }))
    await stranger.closed
    while (server.sessionCount > 1) await session.call('/echo', 1)
    assert.equal(await session.call('/echo', 2), 2)
  })

  test('good frames before a bad one are answered in full', async (t) => {
    const { server, stranger } = await victim(t, transport)
    const seen: number[] = []
    const last = once()
    server.routePush('/n', (n: number) => {
      seen.push(n)
      if (n === 3) last.resolve()
    })
    stranger.send(...[1, 2, 3].map((n) => frame({ type: 3, method: '/n', body: String(n) })), frame({ version: 9 }))
    await stranger.closed
    await last.promise
    assert.deepEqual(seen, [1, 2, 3])
  })

  test('frames of a message limit chosen by the user are refused above it and pass at it', async (t) => {
    const limits = { maxMessage: 1000 }
    const { session, client, stranger } = await victim(t, transport, { limits })
    const overhead = frame({ method: '/echo', body: '' }).length
    await expectAnswer(stranger, frame({ method: '/echo', body: `"${'x'.repeat(1000 - overhead - 2)}"` }), 0)
    stranger.send(frame({ method: '/echo', body: `"${'x'.repeat(1000 - overhead - 1)}"` }))
    await stranger.closed
    assert.ok(client.sessionCount === 1 && session.isOpen)
  })
})
