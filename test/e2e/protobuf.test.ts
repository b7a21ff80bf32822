import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code } from '../../src/index.ts'
import { All, BenchmarkMessage, benchmarkValue, Small, Static } from '../protobuf/messages.ts'
import { frame } from '../support/frames.ts'
import { once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const pb = { codec: 'protobuf' } as const

onEachTransport('protobuf', (transport) => {
  test('a route with types answers messages with messages; the argument has the class of its type', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall(
      '/echo',
      (message, ctx) => {
        assert.ok(message instanceof Static)
        assert.equal(ctx.codec, 'protobuf')
        return { text: `${message.text}!`, data: message.data }
      },
      { arg: Static, result: Small },
    )
    const reply = await session.callReply('/echo', { text: 'hi', data: Buffer.from([1]) }, { ...pb, arg: Small, result: Static })
    assert.ok(reply.body instanceof Static)
    assert.deepEqual([reply.body.text, [...reply.body.data], reply.codec], ['hi!', [1], 112])
    const text: string = (await session.call('/echo', new Static(), { ...pb, result: Static })).text
    assert.equal(text, '!')
  })

  test("DMicro's BenchmarkMessage passes, 300 at once", async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/bench', (message) => Object.assign(message, { Field2: 100 }), { arg: BenchmarkMessage, result: BenchmarkMessage })
    const message = BenchmarkMessage.fromObject(benchmarkValue)
    const options = { ...pb, arg: BenchmarkMessage, result: BenchmarkMessage }
    for (const reply of await Promise.all(Array.from({ length: 300 }, () => session.call('/bench', message, options)))) {
      assert.deepEqual(BenchmarkMessage.toObject(reply, { longs: Number }), { ...benchmarkValue, Field2: 100 })
    }
  })

  test('a message with another codec ignores the types of its route', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/id', (message) => ({ id: message.id }), { arg: Static, result: Static })
    assert.deepEqual(await session.call('/id', { id: 5 }), { id: 5 })
    const reply = await session.call('/id', { id: 5 }, { acceptCodec: 'protobuf', result: Static })
    assert.equal(Number(reply.id), 5)
  })

  test('no bytes are the message with all defaults, both ways', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/empty', (message) => ({ text: message.text }), { arg: Static, result: Static })
    server.routeCall('/undefined', () => undefined)
    const options = { ...pb, result: Static }
    for (const arg of [undefined, null, {}, new Static()]) {
      const reply = await session.call('/empty', arg, options)
      assert.ok(reply instanceof Static)
      assert.equal(reply.text, '')
    }
    assert.ok((await session.call('/undefined', null, options)) instanceof Static)
    assert.equal(await session.call('/undefined', null, pb), undefined)
    assert.equal(await session.call('/undefined', null, { result: Static }), undefined, 'json')
  })

  test('without types bytes arrive as bytes, and go on as they are', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/bytes', (body: Uint8Array) => body)
    const body = await session.call<Uint8Array>('/bytes', { id: 1, text: 'x' }, { ...pb, arg: Small })
    assert.deepEqual(body, new Uint8Array([8, 1, 18, 1, 120]))
    assert.deepEqual(await session.call('/bytes', Small.create({ id: 1 }), pb), new Uint8Array([8, 1]))
  })

  test('what a handler or a caller keeps of a message stays as it was', async (t) => {
    const { server, session } = await pair(t, transport)
    const kept: (typeof Static.prototype)[] = []
    server.routePush('/keep', (message) => kept.push(message), { arg: Static })
    server.routeCall(
      '/keep',
      (message) => {
        kept.push(message)
        return message
      },
      { arg: Static, result: Static },
    )
    server.routeCall('/untyped', (body: Uint8Array) => body)
    const content = (i: number): Buffer => Buffer.alloc(40 + (i % 100), `content ${i}.`)
    const replies: Promise<Static>[] = []
    const bodies: Promise<Uint8Array>[] = []
    for (let i = 0; i < 300; i++) {
      const message = { id: i, data: content(i), text: `text ${i}` }
      session.push('/keep', message, { ...pb, arg: Small })
      replies.push(session.call('/keep', message, { ...pb, arg: Small, result: Static }))
      bodies.push(session.call<Uint8Array>('/untyped', Small.create({ data: content(i) }), pb))
    }
    const received = await Promise.all(replies)
    const untyped = await Promise.all(bodies)
    const overwriting = { data: Buffer.alloc(2000, 'overwrites the arena') }
    for (let i = 0; i < 300; i++) {
      await Promise.all(Array.from({ length: 10 }, () => session.call('/untyped', overwriting, { ...pb, arg: Small })))
    }
    assert.equal(kept.length, 600)
    for (const message of [...kept, ...received]) {
      const i = Number(message.id)
      assert.ok(content(i).equals(message.data), `message ${i}`)
      assert.equal(message.text, `text ${i}`)
    }
    untyped.forEach((body, i) => {
      assert.ok(content(i).equals(Buffer.from(body).subarray(body.length - content(i).length)), `body ${i}`)
    })
  })

  test('bodies of every size arrive whole', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/size', (message) => message, { arg: Static, result: Static })
    for (const size of [127, 128, 16_383, 16_384, 262_143, 300_000, 1_048_576, 5_000_000]) {
      const data = Buffer.alloc(size, 'abc')
      const reply = await session.call('/size', { data, text: '界'.repeat(size / 4) }, { ...pb, arg: Static, result: Static })
      assert.ok(data.equals(reply.data), `${size}`)
      assert.ok(reply.text === '界'.repeat(size / 4), `${size}`)
    }
  })

  test('an unreadable body in an intact frame is a 400, and the session lives', async (t) => {
    const log = recorder()
    const { server, listener, session } = await pair(t, transport, { server: { log } })
    server.routeCall('/all', (message) => message, { arg: All, result: All })
    server.routePush('/all', () => assert.fail('must not be reached'), { arg: All })
    const bad = [
      Buffer.from('089'),
      Buffer.from('72ff', 'hex'),
      Buffer.alloc(3000, 0x8a),
      Buffer.alloc(50_000, 0x0b),
      Buffer.from('7201ff', 'hex'),
    ]
    for (const body of bad) {
      const [code, message, cause] = await status(session.call('/all', body, pb))
      assert.deepEqual([code, message], [400, 'Bad Message'])
      assert.match(cause, /^protobuf: /)
      await session.push('/all', body, pb)
    }
    const stranger = await rawPeer(t, listener.url)
    stranger.send(frame({ method: '/all', codec: 112, body: Buffer.from('08ff', 'hex') }), frame({ seq: 2, method: '/all', codec: 112 }))
    const [refused, answered] = await stranger.received(2)
    assert.deepEqual([refused.status.code, refused.codec, answered.status.code, answered.codec], [400, 0, 0, 112])
    assert.equal(log.lines.filter(({ text }) => text === 'a push was dropped').length, bad.length)
    assert.equal(server.stats.violations, 0)
  })

  test('a reply that does not decode fails its call with 400 and no other', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/bad', () => Buffer.from('0'))
    server.routeCall('/good', () => ({ text: 'good' }), { result: Static })
    const options = { ...pb, result: Static }
    const [bad, good] = await Promise.all([status(session.call('/bad', null, options)), session.call('/good', null, options)])
    assert.equal(bad[0], Code.BadMessage)
    assert.equal(good.text, 'good')
  })

  test('what a type cannot hold is a 104 for the caller and a 500 from a handler', async (t) => {
    const { server, session } = await pair(t, transport, { server: { exposeErrors: true } })
    server.routeCall('/bad', () => ({ id: 'abc' }), { result: Static })
    server.routeCall('/untyped', () => ({ id: 1 }))
    const misuses: [unknown, object, RegExp][] = [
      [{ id: 'abc' }, { arg: Small }, /field id cannot hold "abc"/],
      [{ typo: 1 }, { arg: Small }, /no field "typo"/],
      [{ id: 1 }, {}, /without its type/],
      [5, { arg: Small }, /cannot encode a number/],
    ]
    for (const [value, types, text] of misuses) {
      const [code, , cause] = await status(session.call('/x', value, { ...pb, ...types }))
      assert.equal(code, Code.WriteFailed)
      assert.match(cause, text)
    }
    await assert.rejects(session.call('/x', null, { ...pb, arg: {} as never }), /^TypeError: option arg must have/)
    await assert.rejects(session.call('/x', null, { ...pb, result: 'Small' as never }), /^TypeError: option result must have/)
    assert.equal((await status(session.push('/x', { id: 1 }, pb)))[0], Code.WriteFailed)
    assert.match((await status(session.call('/bad', null, pb)))[2], /int64 cannot hold "abc"/)
    assert.match((await status(session.call('/untyped', null, pb)))[2], /without its type/)
  })

  test('a push has a type too, and a named function may be the route', async (t) => {
    const { server, session } = await pair(t, transport)
    const got = once<string>()
    server.routePush(
      function note(message) {
        got.resolve(message.text)
      },
      { arg: Static },
    )
    await session.push('/note', { text: 'hi' }, { ...pb, arg: Small })
    assert.equal(await got.promise, 'hi')
  })

  test('types that are none are refused when the route is registered', async (t) => {
    const { server } = await pair(t, transport)
    const route = server.routeCall.bind(server) as (...args: unknown[]) => unknown
    for (const bad of [{ arg: 5 }, { result: {} }, { arg: { encode() {} } }, { arg: null }]) {
      assert.throws(() => route('/x', () => 1, bad), /must have the methods encode and decode/)
    }
    class Chat {
      say() {}
    }
    assert.throws(() => route(new Chat(), { arg: Static }), /controller/)
    assert.deepEqual(
      server.routeCall('/x', () => 1),
      ['/x'],
    )
  })

  test('an endpoint may speak protobuf by default', async (t) => {
    const { server, session } = await pair(t, transport, { client: { codec: 'protobuf' } })
    server.routeCall('/codec', (_, ctx) => ({ text: ctx.codec }), { arg: Static, result: Static })
    assert.equal((await session.call('/codec', new Static(), { result: Static })).text, 'protobuf')
  })
})
