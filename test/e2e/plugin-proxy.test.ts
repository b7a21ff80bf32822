import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { bytes, type Endpoint, type EndpointOptions, proxy, replyMeta, type Session, StatusError } from '../../src/index.ts'
import { findNameText } from '../../src/message/names.ts'
import { BenchmarkMessage } from '../protobuf/messages.ts'
import { type Kind, once, onEachTransport, type Pair, pair, recorder, status } from '../support/helpers.ts'

interface Chain {
  /** Where messages end up. */
  target: Endpoint
  /** The gateway's session with it. */
  upstream: Session
  /** The caller and its gateway. */
  front: Pair
}

async function chain(t: TestContext, transport: Kind, gateway: EndpointOptions = {}): Promise<Chain> {
  const back = await pair(t, transport, { server: { protocol: 'raw' }, client: { protocol: 'raw' } })
  const front = await pair(t, transport, {
    server: { protocol: 'raw', plugins: [proxy(() => back.session)], ...gateway },
    client: { protocol: 'raw' },
  })
  return { target: back.server, upstream: back.session, front }
}

onEachTransport('plugin proxy', (transport) => {
  it('forwards calls and pushes with their codec, filters and meta, and replies likewise (W22)', async (t) => {
    const { target, front } = await chain(t, transport)
    const { session } = front
    front.server.routeCall('/own', () => 'own')
    target.routeCall('/own', () => 'not asked')
    target.routeCall('/seen', (value: unknown, ctx) => {
      ctx.setMeta('answered', 'yes')
      return { value, codec: ctx.codec, meta: ctx.meta, filters: ctx.filters }
    })
    const message = { arg: BenchmarkMessage, result: BenchmarkMessage }
    target.routeCall('/proto', (value) => Object.assign(value, { Field1: 'OK' }), message)
    target.routeCall('/other', (_: unknown, ctx) => {
      ctx.setCodec('plain')
      return 'text'
    })
    target.routeCall('/empty', () => undefined)
    assert.equal(await session.call('/own'), 'own')
    const reply = await session.callReply<Record<string, unknown>>('/seen', { a: 1 }, { meta: { k: 'v' }, filters: ['gzip'] })
    const meta = { k: 'v', 'X-Real-IP': front.peer.remoteAddress }
    assert.deepEqual(reply.body, { value: { a: 1 }, codec: 'json', meta, filters: ['gzip'] })
    assert.equal(reply.meta.answered, 'yes')
    const claimed = await session.call<{ meta: unknown }>('/seen', 1, { meta: { 'X-Real-IP': '1.2.3.4' } })
    assert.deepEqual(claimed.meta, { 'X-Real-IP': '1.2.3.4' })
    const packed = BenchmarkMessage.fromObject({ Field1: 'x', Field2: 7 })
    const echoed = await session.callReply('/proto', packed, { codec: 'protobuf', ...message })
    assert.deepEqual([echoed.codec, echoed.body.Field1], [112, 'OK'])
    const other = await session.callReply('/other', 1)
    assert.deepEqual([other.body, other.codec], ['text', 115])
    assert.equal(await session.call('/empty', 1), undefined)
    const pushed = once<unknown[]>()
    target.routePush('/note', (value: unknown, ctx) => pushed.resolve([value, ctx.codec, { ...ctx.meta }, ctx.filters]))
    await session.push('/note', 'hi', { codec: 'plain', meta: { k: 'v' }, filters: ['gzip'] })
    assert.deepEqual(await pushed.promise, ['hi', 'plain', meta, ['gzip']])
  })

  it('a failure of the target is the caller’s, with its meta; one of the connection is a 502 (H14)', async (t) => {
    const { target, upstream, front } = await chain(t, transport)
    const { session } = front
    target.routeCall('/fail', (code: number, ctx) => {
      ctx.setMeta('retry', 'no')
      throw new StatusError(code, 'text', 'cause')
    })
    assert.deepEqual(await status(session.call('/fail', 1001)), [1001, 'text', 'cause'])
    assert.deepEqual(await status(session.call('/fail', 99)), [99, 'text', 'cause'])
    assert.deepEqual(await status(session.call('/fail', 102)), [502, 'Bad Gateway', 'cause'])
    assert.deepEqual(await status(session.call('/fail', 199)), [502, 'Bad Gateway', 'cause'])
    assert.deepEqual(await status(session.call('/fail', 200)), [200, 'text', 'cause'])
    const failed = await session.callReply('/fail', 102).catch((error) => error)
    assert.deepEqual({ ...replyMeta(failed) }, { retry: 'no' })
    assert.deepEqual(await status(session.call('/none')), [404, 'Not Found', ''])
    await upstream.close()
    assert.equal((await status(session.call('/fail', 1)))[0], 502)
    assert.equal((await status(upstream.call('/fail', 1)))[0], 102, 'the error itself is as it was')
    await session.push('/fail', 1)
    assert.equal((await status(session.call('/fail', 1)))[0], 502)
  })

  it('the target goes while it works: 502, and its cause', async (t) => {
    const { target, upstream, front } = await chain(t, transport)
    const asked = once()
    target.routeCall('/slow', () => {
      asked.resolve()
      return new Promise(() => {})
    })
    const call = status(front.session.call('/slow'))
    await asked.promise
    upstream.destroy()
    const [code, text] = await call
    assert.deepEqual([code, text], [502, 'Bad Gateway'])
  })

  it('the caller goes while the target works: the target’s answer is not waited for', async (t) => {
    const { target, upstream, front } = await chain(t, transport)
    const asked = once()
    target.routeCall('/slow', () => {
      asked.resolve()
      return new Promise(() => {})
    })
    front.session.call('/slow').catch(() => {})
    await asked.promise
    assert.equal(upstream.pendingCalls, 1)
    front.session.destroy()
    while (upstream.pendingCalls > 0) await new Promise(setImmediate)
  })

  it('the target is chosen for each message, by its label, also later; none is a 502', async (t) => {
    const labels: unknown[] = []
    const log = recorder()
    let to: Session | undefined
    const choose = async (label: unknown) => {
      labels.push(label)
      return to
    }
    const { front, upstream, target } = await chain(t, transport, { plugins: [proxy({ call: choose })], log })
    target.routeCall('/x', (value: unknown) => value)
    assert.deepEqual(await status(front.session.call('/x', 1)), [502, 'Bad Gateway', 'no target to forward to'])
    to = upstream
    assert.equal(await front.session.call('/x', 1, { meta: { 'X-Real-IP': '1.2.3.4' } }), 1)
    const { id, remoteAddress } = front.peer
    assert.deepEqual(labels, [
      { sessionId: id, realIp: remoteAddress, serviceMethod: '/x' },
      { sessionId: id, realIp: '1.2.3.4', serviceMethod: '/x' },
    ])
    await front.session.push('/x', 1) // nobody takes pushes
    assert.equal(await front.session.call('/x', 2), 2)
    assert.equal(log.lines.filter(({ text }) => text === 'a push was dropped').length, 1)
    assert.throws(() => proxy({}), /needs a function/)
    assert.throws(() => proxy({ call: 5 as never }), /needs functions/)
  })

  it('no name that a peer makes up stays in this process', async (t) => {
    const { target, front } = await chain(t, transport)
    target.setUnknownCall((body) => body.length)
    const name = `/made/up/${Math.random()}`
    // The caller and the target are of this process too: a call as a forwarded one leaves no name either.
    assert.equal(await front.session.call(name, 'abc', { forwarded: true }), 5)
    assert.equal(findNameText(name), -1)
    assert.deepEqual(
      await front.session.call(name, Buffer.from([1, 2]), { forwarded: true, result: bytes }),
      new Uint8Array(Buffer.from('2')),
    )
  })
})
