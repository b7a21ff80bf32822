import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Plugin, type ReadContext, StatusError, type WriteContext } from '../../src/index.ts'
import { once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

onEachTransport('what hooks see', (transport) => {
  for (const later of [false, true]) {
    const wait = later ? turn : (): undefined => undefined
    it(`is one request and one reply for all hooks of a call${later ? ', which take their time' : ''}`, async (t) => {
      const seen: Record<string, unknown> = {}
      const note =
        (name: string) =>
        (message: unknown): unknown => {
          seen[name] = message
          return wait()
        }
      const server = { name: 'server' } as Record<string, unknown>
      for (const name of ['afterReadCallHeader', 'beforeReadCallBody', 'afterReadCallBody', 'beforeWriteReply', 'afterWriteReply'])
        server[name] = note(name)
      const client = { name: 'client' } as Record<string, unknown>
      for (const name of ['beforeWriteCall', 'afterWriteCall', 'afterReadReplyHeader', 'beforeReadReplyBody', 'afterReadReplyBody'])
        client[name] = note(name)
      const plugins = (plugin: unknown): { plugins: Plugin[] } => ({ plugins: [plugin as Plugin] })
      const both = await pair(t, transport, { server: plugins(server), client: plugins(client) })
      both.server.routeCall('/echo', async (value: unknown) => {
        await wait()
        return value
      })
      assert.equal(await both.session.call('/echo', 'x'), 'x')
      const request = seen.afterReadCallHeader as ReadContext
      assert.equal(seen.beforeReadCallBody, request, 'before the body')
      assert.equal(seen.afterReadCallBody, request, 'after the body')
      const reply = seen.beforeWriteReply as WriteContext
      assert.equal(reply.request, request, 'the request of the reply')
      assert.equal(seen.afterWriteReply, reply, 'after the reply')
      assert.deepEqual([request.kind, reply.kind, request.body, reply.body, request.size], ['call', 'reply', 'x', 'x', 3], 'fields')
      assert.deepEqual([request.status, request.request, reply.status], [undefined, undefined, undefined], 'nothing')
      assert.equal(Buffer.from(request.bytes).toString(), '"x"', 'bytes of a call whose handler took its time')
      const call = seen.beforeWriteCall as WriteContext
      assert.equal(seen.afterWriteCall, call, 'after the call')
      const answer = seen.afterReadReplyHeader as ReadContext
      assert.equal(answer.request, call, 'the request of the answer')
      assert.equal(seen.beforeReadReplyBody, answer, 'before its body')
      assert.equal(seen.afterReadReplyBody, answer, 'after its body')
      assert.deepEqual([answer.kind, answer.serviceMethod, call.seq, call.request], ['reply', '/echo', answer.seq, undefined], 'fields')
    })
  }

  it('is there for a reply that has hooks where its call had none', async (t) => {
    const requests: unknown[] = []
    const plugin: Plugin = {
      name: 'server',
      beforeWriteReply: ({ request, status }) => void requests.push([request?.serviceMethod, request?.body, status?.code]),
    }
    const { server, session } = await pair(t, transport, { server: { plugins: [plugin] } })
    server.routeCall('/echo', (value: unknown) => value)
    await session.call('/echo', 5)
    await status(session.call('/none', 6))
    assert.deepEqual(requests, [
      ['/echo', 5, undefined],
      ['/none', undefined, 404],
    ])
  })

  it('bytes are those of their message, or none, once it is done with', async (t) => {
    const kept: ReadContext[] = []
    const read: string[] = []
    const late = once()
    const plugin: Plugin = {
      name: 'server',
      afterReadCallBody(message) {
        kept.push(message)
        if (message.body === 'looked at') void message.bytes
      },
      afterWriteReply({ request }) {
        if (request?.body !== 'later') return undefined
        return turn().then(() => {
          read.push(Buffer.from(request.bytes).toString())
          late.resolve()
        })
      },
    }
    const { server, session } = await pair(t, transport, { server: { plugins: [plugin] } })
    server.routeCall('/echo', (value: unknown) => value)
    await Promise.all(['looked at', 'later', 'other', 'yet another'].map((text) => session.call('/echo', text)))
    await late.promise
    assert.deepEqual(read, ['"later"'], 'for a hook that takes its time')
    assert.equal(Buffer.from(kept[0].bytes).toString(), '"looked at"', 'looked at before')
    assert.equal(kept[0].size, 11, 'its size')
    assert.throws(() => kept[2].bytes, /done with/, 'not looked at before')
  })

  it('meta is as it was when the call was made, while a hook takes its time', async (t) => {
    const { server, session } = await pair(t, transport, { client: { plugins: [{ name: 'slow', beforeWriteCall: turn }] } })
    server.routeCall('/n', (_, ctx) => ctx.meta.n)
    const meta: Record<string, string> = {}
    const calls = [0, 1, 2].map((n) => {
      meta.n = String(n)
      return session.call('/n', undefined, { meta })
    })
    assert.deepEqual(await Promise.all(calls), ['0', '1', '2'])
  })

  it('a call that ended while a hook took its time is not sent', async (t) => {
    const gate = once()
    const began = once()
    const plugin: Plugin = {
      name: 'slow',
      beforeWriteCall({ body }) {
        if (body !== 'slow') return undefined
        began.resolve()
        return gate.promise
      },
    }
    const { server, session } = await pair(t, transport, { client: { plugins: [plugin] } })
    const got: unknown[] = []
    server.routeCall('/note', (value: unknown) => void got.push(value))
    const abort = new AbortController()
    const slow = session.call('/note', 'slow', { signal: abort.signal })
    await began.promise
    abort.abort()
    assert.equal((await status(slow))[0], 499)
    gate.resolve()
    await session.call('/note', 'next')
    assert.deepEqual(got, ['next'])
  })

  it('nonsense that hooks put there fails one message, and no other', async (t) => {
    const log = recorder()
    let spoil: (message: never) => void = () => {}
    const run = (message: unknown): void => spoil(message as never)
    const plugin: Plugin = { name: 'server', beforeReadCallBody: run }
    const reply: Plugin = { name: 'reply', beforeWriteReply: run }
    const caller: Plugin = { name: 'client', beforeWriteCall: run }
    const tries: [Plugin, (message: never) => void, number][] = [
      [plugin, (message: { bytes: unknown }) => void (message.bytes = 'text'), 500],
      [plugin, (message: { bytes: Uint8Array }) => void (message.bytes = Buffer.from('{')), 400],
      [reply, (message: { meta: Record<string, unknown> }) => void (message.meta.x = 5), 500],
      [reply, (message: { status: unknown }) => void (message.status = 5), 500],
      [reply, (message: { codec: unknown }) => void (message.codec = 'none'), 0],
      [reply, (message: { body: unknown }) => void (message.body = () => {}), 500],
      [caller, (message: { meta: Record<string, unknown> }) => void (message.meta.x = 5), 104],
      [caller, (message: { codec: unknown }) => void (message.codec = 'none'), 104],
      [caller, (message: { body: unknown }) => void (message.body = 5n), 104],
    ]
    for (const [which, how, code] of tries) {
      const { server, client, session } = await pair(t, transport, {
        server: which === caller ? { log } : { plugins: [which], log },
        client: which === caller ? { plugins: [which], log } : { log },
      })
      server.routeCall('/echo', (value: unknown) => value)
      spoil = how
      const got = await session.call('/echo', 1).then(
        () => 0,
        ({ code }) => code,
      )
      assert.equal(got, code, String(how))
      spoil = () => {}
      assert.equal(await session.call('/echo', 2), 2, String(how))
      await client.close()
      await server.close()
    }
  })

  it('a failure may be told in other words, and stays one', async (t) => {
    let words: StatusError | undefined
    const plugin: Plugin = {
      name: 'words',
      beforeWriteReply(message) {
        message.status = words
      },
    }
    const { server, session } = await pair(t, transport, { server: { plugins: [plugin] } })
    server.routeCall('/echo', (value: unknown) => value)
    assert.deepEqual(await status(session.call('/none')), [404, 'Not Found', ''], 'without words')
    words = new StatusError(1234, 'no', 'never')
    assert.deepEqual(await status(session.call('/none')), [1234, 'no', 'never'], 'other words')
    assert.deepEqual(await status(session.call('/echo', 1)), [1234, 'no', 'never'], 'of a reply that told of none')
    words = undefined
    assert.equal(await session.call('/echo', 2), 2, 'after it')
  })
})
