import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Proto } from '../../src/index.ts'
import { endpoint, onEachTransport } from '../support/helpers.ts'

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
})
