import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { aesGcm, Code, type EndpointOptions, type Filter } from '../../src/index.ts'
import { every, keys } from '../support/filters.ts'
import { filteredFrame, frame } from '../support/frames.ts'
import { once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const MiB = 1024 * 1024
const GZIP = 0x7a
const MD5 = 0x35
const AES = 0x61
const both = (): { server: EndpointOptions; client: EndpointOptions } => ({ server: { filters: every() }, client: { filters: every() } })
const pipes = [['gzip'], ['md5'], ['aes'], ['aes-gcm'], ['brotli'], ['gzip', 'md5'], ['md5', 'gzip'], ['aes-gcm', 'gzip', 'md5', 'aes']]

/** Counts the loop's turns while `work` goes on. */
async function ticksDuring(work: Promise<unknown>): Promise<{ ticks: number; longest: number }> {
  let ticks = 0
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    ticks++
  }, 1)
  await work.finally(() => clearInterval(timer))
  return { ticks, longest }
}

onEachTransport('filters', (transport) => {
  test('calls, errors and pushes pass through every filter, in all sizes', async (t) => {
    const { server, session } = await pair(t, transport, both())
    server.routeCall('/echo', (value: unknown) => value)
    let pushed = once<unknown>()
    server.routePush('/push', (value: unknown) => pushed.resolve(value))
    for (const filters of pipes) {
      for (const size of [0, 10, 60_000, 70_000, 1_500_000]) {
        const text = 'some text '.repeat(size / 10)
        assert.ok((await session.call('/echo', text, { filters })) === text, `${filters} ${size}`)
        await session.push('/push', text, { filters })
        assert.ok((await pushed.promise) === text, `${filters} ${size}`)
        pushed = once<unknown>()
      }
      const bytes = randomBytes(300_000)
      server.routeCall(`/bytes/${filters}`, () => bytes)
      // These bytes are no JSON, which is found behind the filters.
      const [code] = await status(session.call(`/bytes/${filters}`, bytes.toString('base64'), { filters }))
      assert.equal(code, Code.BadMessage)
      assert.equal((await status(session.call('/none', 1, { filters })))[0], Code.NotFound)
    }
  })

  test('a reply has the filters of its call, then those the handler adds; errors too', async (t) => {
    const { server, listener } = await pair(t, transport, both())
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/add', (value: unknown, ctx) => {
      ctx.addFilter('gzip')
      ctx.addFilter('md5')
      return value
    })
    server.routeCall('/fail', (_: unknown, ctx) => {
      ctx.addFilter('gzip')
      throw new Error('no')
    })
    const stranger = await rawPeer(t, listener.url)
    const cases: [number[], string, number, number[]][] = [
      [[], '/echo', 0, []],
      [[MD5], '/echo', 0, [MD5]],
      [[GZIP, AES, MD5], '/echo', 0, [GZIP, AES, MD5]],
      [[], '/add', 0, [GZIP, MD5]],
      [[AES], '/add', 0, [AES, GZIP, MD5]],
      [[AES, AES, AES], '/add', 500, [AES, AES, AES, GZIP]],
      [[MD5], '/fail', 500, [MD5, GZIP]],
      [[GZIP, MD5], '/none', 404, [GZIP, MD5]],
    ]
    for (const [seq, [ids, method, code, expected]] of cases.entries()) {
      stranger.send(filteredFrame(ids, frame({ seq, method, body: '"x"' })))
      const answer = (await stranger.received(seq + 1))[seq]
      assert.deepEqual([answer.seq, answer.status.code, answer.filters], [seq.toString(36), code, expected], method)
    }
  })

  test('names that are unknown, too many or used twice are refused before anything is sent', async (t) => {
    const { server, session } = await pair(t, transport, both())
    const caught: unknown[] = []
    server.routeCall('/add', (name: string, ctx) => {
      try {
        ctx.addFilter(name)
      } catch (error) {
        caught.push(error)
      }
    })
    for (const filters of [['nope'], ['gzip', 'nope'], ['__proto__'], Array(5).fill('gzip'), ['aes-gcm', 'aes-gcm']]) {
      await assert.rejects(session.call('/add', '', { filters }), /^(TypeError|RangeError): .*transfer filter/)
      await assert.rejects(session.push('/add', '', { filters }), /^(TypeError|RangeError): .*transfer filter/)
    }
    await session.call('/add', 'nope')
    await session.call('/add', 'gzip', { filters: Array(4).fill('md5') })
    assert.ok(caught[0] instanceof TypeError && caught[1] instanceof RangeError)
  })

  test('messages keep their order around large ones, both ways', async (t) => {
    const { server, session, peer, client } = await pair(t, transport, both())
    const large = 'x'.repeat(400_000)
    const expected: string[] = []
    for (const [side, target] of [
      [session, server],
      [peer, client],
    ] as const) {
      const got: string[] = []
      const last = once()
      target.routePush('/n', (text: string) => {
        got.push(text.slice(0, 5))
        if (text === 'last') last.resolve()
      })
      expected.length = 0
      const sent: Promise<void>[] = []
      for (let i = 0; i < 60; i++) {
        const id = `n${String(i).padStart(3, '0')}:`
        const filters = [[], ['gzip'], ['aes-gcm', 'gzip'], ['md5'], ['brotli']][i % 5]
        expected.push(id)
        sent.push(side.push('/n', i % 7 === 1 ? id + large : id, { filters }))
      }
      sent.push(side.push('/n', 'last'))
      await Promise.all([last.promise, ...sent])
      assert.deepEqual(got.slice(0, -1), expected)
    }
  })

  test('many sessions pass large messages at once', async (t) => {
    const { server, client, listener } = await pair(t, transport, both())
    server.routeCall('/length', (text: string) => text.length)
    const sessions = await Promise.all(Array.from({ length: 20 }, () => client.dial(listener.url)))
    const text = 'abc '.repeat(100_000)
    const filters = ['aes-gcm', 'gzip']
    const lengths = await Promise.all(sessions.flatMap((one) => [1, 2, 3].map(() => one.call('/length', text, { filters }))))
    assert.deepEqual(new Set(lengths), new Set([400_000]))
  })

  test('while 8 MiB are filtered the loop goes on', async (t) => {
    const { server, session } = await pair(t, transport, both())
    server.routePush('/sink', () => done.resolve())
    let done = once()
    const bytes = Buffer.alloc(8 * MiB, 'some bytes that compress ')
    for (const filters of pipes) {
      done = once()
      const { ticks } = await ticksDuring(Promise.all([session.push('/sink', bytes, { filters, codec: 'plain' }), done.promise]))
      assert.ok(ticks > 5, `${filters}: ${ticks} ticks`)
    }
  })

  test('closing waits for what is still filtered, and the peer reads all of it', async (t) => {
    const { server, session } = await pair(t, transport, { ...both(), client: { filters: every(), closeTimeout: 5000 } })
    const lengths: number[] = []
    server.routePush('/p', (text: string) => {
      lengths.push(text.length)
    })
    const closed = once()
    server
      .sessions()
      .next()
      .value?.on('close', () => closed.resolve())
    const sent = [
      session.push('/p', 'x'.repeat(3 * MiB), { filters: ['gzip'] }),
      session.push('/p', 'y'),
      session.push('/p', 'z'.repeat(MiB), { filters: ['aes-gcm', 'gzip'] }),
    ]
    await session.close()
    await Promise.all(sent)
    await closed.promise
    assert.deepEqual(lengths, [3 * MiB, 1, MiB])
  })

  test('a call that is worked on when its receiver begins to close is answered', async (t) => {
    const begun = once()
    const work = once()
    const slow: Filter = {
      id: 9,
      name: 'slow',
      pack: (bytes) => bytes,
      unpack: (bytes) => bytes,
      unpackAsync: async (bytes) => {
        begun.resolve()
        await work.promise
        return bytes
      },
    }
    const options = { filters: [slow], closeTimeout: 5000 }
    const { server, session } = await pair(t, transport, { server: options, client: options })
    const call = status(session.call('/x', 'x'.repeat(100_000), { filters: ['slow'] }))
    await begun.promise
    const closed = server.close()
    await new Promise(setImmediate)
    work.resolve()
    assert.equal((await call)[0], Code.ServiceUnavailable)
    await closed
  })

  test('a filter that throws fails its call with 104; where not even an error can be filtered the session goes', async (t) => {
    let broken = true
    const fail = (bytes: Uint8Array): Uint8Array => {
      if (broken) throw new Error('out of order')
      return bytes
    }
    const flaky = (): Filter => ({ id: 9, name: 'flaky', pack: fail, packAsync: async (bytes) => fail(bytes), unpack: (bytes) => bytes })
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { filters: [flaky()], log }, client: { filters: [flaky()] } })
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/break', (value: unknown) => {
      broken = true
      return value
    })
    const filters = ['flaky']
    for (const text of ['x', 'x'.repeat(100_000)]) {
      broken = true
      assert.deepEqual(await status(session.call('/echo', text, { filters })), [Code.WriteFailed, 'Write Failed', 'out of order'])
      assert.equal((await status(session.push('/echo', text, { filters })))[2], 'out of order')
      assert.equal(await session.call('/echo', text), text)
      broken = false
      assert.equal(await session.call('/echo', text, { filters }), text)
    }
    assert.equal((await status(session.call('/break', 'x', { filters })))[0], Code.ConnectionClosed)
    assert.ok(log.lines.some(({ text }) => text === 'a reply could not be filtered'))
  })

  test('what waits for filters fails when the session goes', async (t) => {
    const { session } = await pair(t, transport, both())
    const results = [
      session.push('/p', 'x'.repeat(4 * MiB), { filters: ['gzip'] }),
      session.push('/p', 'y'),
      session.call('/c', 'x'.repeat(4 * MiB), { filters: ['gzip'] }),
    ]
    session.destroy()
    for (const [code] of await Promise.all(results.map(status))) assert.equal(code, Code.ConnectionClosed)
  })

  test('what waits for filters counts as unsent', async (t) => {
    const { server, session } = await pair(t, transport, { client: { limits: { maxUnsent: MiB } } })
    server.routeCall('/n', (text: string) => text.length)
    const text = 'x'.repeat(400_000)
    const calls = [1, 2, 3, 4].map(() => session.call('/n', text, { filters: ['gzip'] }))
    const outcomes = await Promise.all(calls.map((call) => call.catch((error) => error.code)))
    assert.deepEqual(outcomes, [400_000, 400_000, Code.WriteFailed, Code.WriteFailed])
    assert.equal(await session.call('/n', text, { filters: ['gzip'] }), 400_000)
  })

  test('requests whose filtered replies pile up are answered in their time', async (t) => {
    const { server, session } = await pair(t, transport, { server: { limits: { maxUnsent: 2 * MiB } } })
    const text = 'x'.repeat(300_000)
    server.routeCall('/text', () => text)
    const replies = await Promise.all(Array.from({ length: 60 }, () => session.call('/text', 0, { filters: ['gzip'] })))
    assert.ok(replies.every((reply) => reply === text))
  })

  test('a deadline passes while the reply is worked on, and the session lives', async (t) => {
    const { server, session } = await pair(t, transport, both())
    const passed = once()
    server.routeCall('/slow', async () => {
      await passed.promise
      return 'x'.repeat(MiB)
    })
    assert.equal((await status(session.call('/slow', 0, { filters: ['gzip'], timeout: 10 })))[0], Code.HandleTimeout)
    passed.resolve()
    assert.equal((await session.call<string>('/slow', 0, { filters: ['gzip'] })).length, MiB)
  })

  test('keys are rotated while calls are in flight (Z3)', async (t) => {
    const next = Buffer.alloc(32, 2)
    const [mine, theirs] = [aesGcm(keys), aesGcm(keys)]
    const { server, session } = await pair(t, transport, { server: { filters: [theirs] }, client: { filters: [mine] } })
    server.routeCall('/echo', async (value: unknown) => {
      await new Promise(setImmediate)
      return value
    })
    const calls: Promise<unknown>[] = []
    for (let i = 0; i < 300; i++) {
      if (i === 100) for (const filter of [mine, theirs]) filter.setKeys({ keys: { ...keys.keys, 2: next }, current: 1 })
      if (i === 150) theirs.setKeys({ keys: { ...keys.keys, 2: next }, current: 2 })
      if (i === 200) mine.setKeys({ keys: { ...keys.keys, 2: next }, current: 2 })
      calls.push(session.call('/echo', i, { filters: ['aes-gcm'] }))
      if (i % 10 === 0) await new Promise(setImmediate)
    }
    assert.deepEqual(
      await Promise.all(calls),
      calls.map((_, i) => i),
    )
    for (const filter of [mine, theirs]) filter.setKeys({ keys: { 2: next }, current: 2 })
    assert.equal(await session.call('/echo', 1, { filters: ['aes-gcm'] }), 1)
  })
})
