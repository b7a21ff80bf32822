import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Proto } from '../../src/index.ts'
import { endpoint, onEachTransport, recorder } from '../support/helpers.ts'

// Options of WebSockets that cannot be kept are refused, and do not wait for the first message that breaks.

const URL = 'ws://127.0.0.1:0/rpc'

onEachTransport('WebSocket options', (transport) => {
  test('websocket.text is refused for protocols whose messages are not text', { timeout: 20_000 }, async (t) => {
    const made = endpoint(t, { transport })
    const websocket = { text: true }
    for (const protocol of ['raw', 'protobuf', 'http', 'redis']) {
      const message = `option websocket.text: messages of the protocol ${protocol} are not text`
      await assert.rejects(made.listen(URL, { protocols: [protocol], websocket }), { name: 'TypeError', message })
      await assert.rejects(made.dial('ws://127.0.0.1:1/', { protocol, websocket }), { name: 'TypeError', message })
    }
    await assert.rejects(made.listen(URL, { protocols: ['json', 'raw'], websocket }), TypeError)
    await assert.rejects(made.listen('tcp://127.0.0.1:0', { websocket: { path: '/', text: true } }), TypeError)
  })

  test('websocket.text carries any text in protocols that allow it', { timeout: 20_000 }, async (t) => {
    for (const protocol of ['json', 'jsonrpc']) {
      const server = endpoint(t, { transport })
      server.routeCall('/echo', (value: unknown) => value)
      const websocket = { text: true }
      const { url } = await server.listen(URL, { protocols: [protocol], websocket })
      const session = await endpoint(t, { transport }).dial(url, { protocol, websocket })
      for (const text of ['', 'a', 'é'.repeat(300), '\u{1f600}\ud800']) assert.equal(await session.call('/echo', text), text)
    }
  })

  test('websocket.text is allowed for an own protocol of a stream', { timeout: 20_000 }, async (t) => {
    const lines: Proto = { id: 200, name: 'lines', framing: 'stream', open: () => assert.fail('nobody connects') }
    await endpoint(t, { transport, protocols: [lines] }).listen(URL, { protocols: ['lines'], websocket: { text: true } })
  })

  test('websocket.headers must be a plain object: a Map, Headers or text would do nothing', { timeout: 20_000 }, async (t) => {
    const made = endpoint(t, { transport })
    for (const headers of [new Headers({ a: 'b' }), new Map([['a', 'b']]), [['a', 'b']], 'abc', null, 5]) {
      const websocket = { headers: headers as never }
      const refused = { name: 'TypeError', message: /^option websocket\.headers must be a plain object, got / }
      await assert.rejects(made.dial('ws://127.0.0.1:1/', { websocket }), refused)
    }
    const websocket = { headers: { a: 5 as never } }
    await assert.rejects(made.dial('ws://127.0.0.1:1/', { websocket }), { name: 'TypeError', message: /websocket\.headers/ })
  })

  test('authorize that returns neither a text nor undefined admits nobody, and the log says so', { timeout: 20_000 }, async (t) => {
    for (const result of [false, true, null, 0, { user: 1 }]) {
      for (const authorize of [() => result, async () => result]) {
        const log = recorder()
        const server = endpoint(t, { transport, log })
        const { url } = await server.listen(URL, { websocket: { authorize } })
        const refused = { code: 105, cause: 'the server answered 403 in place of 101' }
        await assert.rejects(endpoint(t, { transport }).dial(url), refused)
        assert.match(JSON.stringify(log.lines), /authorize must return a text or undefined/)
        assert.equal(server.sessionCount, 0)
      }
    }
  })
})
