import assert from 'node:assert/strict'
import { once as eventOnce } from 'node:events'
import { test } from 'node:test'
import { StatusError } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'

const URL = 'ws://127.0.0.1:0/rpc'

onEachTransport('WebSocket', (transport) => {
  test('calls and pushes go both ways, in every size', { timeout: 20_000 }, async (t) => {
    const { server, client, session, peer, listener } = await pair(t, transport, { url: URL })
    assert.match(listener.url, /^ws:\/\/127\.0\.0\.1:\d+\/rpc$/)
    server.routeCall('/echo', (text: string) => text)
    client.routeCall('/back', (n: number) => n * 2)
    const pushed = once<string>()
    client.routePush('/note', (text: string) => pushed.resolve(text))
    for (const size of [0, 1, 40, 60, 125, 126, 127, 1000, 65_400, 65_535, 65_536, 300_000, 5_000_000]) {
      const text = 'x'.repeat(size)
      assert.equal(await session.call('/echo', text), text)
    }
    assert.deepEqual(
      await Promise.all(Array.from({ length: 500 }, (_, n) => session.call('/echo', `${n}é`))),
      Array.from({ length: 500 }, (_, n) => `${n}é`),
    )
    assert.equal(await peer.call('/back', 21), 42)
    await peer.push('/note', 'hello')
    assert.equal(await pushed.promise, 'hello')
    assert.deepEqual(await status(session.call('/nowhere')), [404, 'Not Found', ''])
  })

  test('closing ends both sides at once, without an error', { timeout: 20_000 }, async (t) => {
    const { session, peer } = await pair(t, transport, { url: URL })
    const ended = eventOnce(peer, 'close')
    await session.close()
    await ended
    const again = await pair(t, transport, { url: URL })
    const gone = eventOnce(again.session, 'close')
    await again.peer.close()
    await gone
  })

  test('a session knows the request it began with: path, query and headers', { timeout: 20_000 }, async (t) => {
    const seen: unknown[] = []
    const server = endpoint(t, {
      transport,
      plugins: [
        {
          name: 'look',
          afterAccept: ({ request }) => void seen.push(request?.path, request?.query.get('token'), request?.headers['x-user']),
        },
      ],
    })
    const { url } = await server.listen(URL)
    const client = endpoint(t, { transport })
    const session = await client.dial(`${url}?token=a%20b`, { websocket: { headers: { 'X-User': 'me' } } })
    assert.deepEqual(seen, ['/rpc', 'a b', 'me'])
    assert.equal(session.request, undefined)
  })

  test('authorize refuses with 401 or 403 before the session, and names it', { timeout: 20_000 }, async (t) => {
    const server = endpoint(t, { transport })
    const { url } = await server.listen(URL, {
      websocket: {
        authorize: async ({ query }) => {
          await null
          if (query.get('token') === null) throw new StatusError(401, 'no token')
          if (query.get('token') !== 'good') throw new Error('secret')
          return 'user-7'
        },
      },
    })
    const client = endpoint(t, { transport })
    assert.deepEqual(await status(client.dial(url)), [105, 'Dial Failed', 'the server answered 401 in place of 101'])
    assert.deepEqual(await status(client.dial(`${url}?token=bad`)), [105, 'Dial Failed', 'the server answered 403 in place of 101'])
    const accepted = eventOnce(server, 'session')
    await client.dial(`${url}?token=good`)
    const [peer] = await accepted
    assert.equal(peer.id, 'user-7')
    assert.equal(server.sessionCount, 1)
  })
})

for (const protocol of ['json', 'protobuf', 'jsonrpc', 'http'] as const) {
  onEachTransport(`WebSocket, ${protocol}`, (transport) => {
    test('calls, errors and meta pass, in every size', { timeout: 20_000 }, async (t) => {
      const { server, session } = await pair(t, transport, { url: URL, server: { protocol }, client: { protocol } })
      server.routeCall('/echo', (text: string, ctx) => {
        ctx.setMeta('seen', ctx.meta.key ?? '')
        return text
      })
      server.routeCall('/none', () => undefined)
      server.routeCall('/fail', () => {
        throw new StatusError(1234, 'no luck', 'at all')
      })
      for (const text of ['', 'a "quoted" \\ text\n é 你', 'x'.repeat(200), 'y'.repeat(70_000), 'z'.repeat(3_000_000)]) {
        assert.equal(await session.call('/echo', text), text)
      }
      const { body, meta } = await session.callReply('/echo', 'm', { meta: { key: 'value' } })
      assert.deepEqual([body, meta.seen], ['m', 'value'])
      assert.equal((await session.call('/none')) ?? null, null)
      const failure = await status(session.call('/fail'))
      assert.equal(failure[1], 'no luck')
      if (protocol === 'json' || protocol === 'protobuf') assert.deepEqual(failure, [1234, 'no luck', 'at all'])
      assert.equal((await status(session.call('/nowhere')))[0], 404)
      const many = await Promise.all(Array.from({ length: 200 }, (_, n) => session.call('/echo', `${n}`)))
      assert.deepEqual(
        many,
        Array.from({ length: 200 }, (_, n) => `${n}`),
      )
    })
  })
}
