import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { it } from 'node:test'
import type { Endpoint } from '../../src/index.ts'
import { MessageType } from '../../src/message/message.ts'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'
import { speakers } from '../support/hostile-protocols.ts'

/** What a page can have its browser send: it chooses the target and the body. */
function page(method: string, target: string, body: Buffer): Buffer {
  const head =
    `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\nUser-Agent: Mozilla/5.0\r\n` +
    'Content-Type: text/plain;charset=UTF-8\r\nAccept: */*\r\nOrigin: http://evil.example\r\nSec-Fetch-Mode: no-cors\r\n\r\n'
  return Buffer.concat([Buffer.from(head), body])
}

const calls = {
  raw: frame({ type: MessageType.Call, method: '/echo', body: '1' }),
  json: speakers.json.call('1'),
  protobuf: speakers.protobuf.call('1'),
  jsonrpc: speakers.jsonrpc.call('1'),
  redis: speakers.redis.call('1'),
}
type Name = keyof typeof calls

const listeners: readonly Name[][] = [
  ['jsonrpc'],
  ['redis'],
  ['json'],
  ['protobuf'],
  ['raw'],
  ['raw', 'jsonrpc', 'redis'],
  ['json', 'redis'],
  ['protobuf', 'jsonrpc'],
]

onEachTransport('a page that talks to another protocol', (transport) => {
  /** Sends `parts`, each when the one before was answered, and waits for the end of the connection. */
  async function talk(server: Endpoint, protocols: readonly Name[], ...parts: Buffer[]): Promise<void> {
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols })
    const socket = connect(Number(new URL(url.replace('tcp:', 'http:')).port), '127.0.0.1')
    const closed = once()
    socket.on('data', () => {
      const next = parts.shift()
      if (next !== undefined) socket.write(next)
    })
    socket.on('error', () => {})
    socket.once('close', () => closed.resolve())
    socket.write(parts.shift() as Buffer)
    await closed.promise
  }

  for (const protocols of listeners) {
    for (const name of protocols) {
      it(`runs nothing: ${name} behind the head of a POST, where ${protocols} is offered`, { timeout: 20_000 }, async (t) => {
        let ran = 0
        // Sizes are bytes of the head to protocols that begin with one: this is the largest limit there can be.
        const server = endpoint(t, { transport, limits: { maxMessage: 2 ** 31 - 1, maxFilters: 255, frameTimeout: 300 } })
        for (const route of ['/echo', '/redis/echo', '/redis/get']) server.routeCall(route, () => ++ran)
        await talk(server, protocols, page('POST', '/', calls[name]))
        assert.equal(ran, 0)
      })

      it(`runs nothing: the same behind a first message in ${name}, where ${protocols} is offered`, { timeout: 20_000 }, async (t) => {
        let ran = 0
        const server = endpoint(t, { transport })
        for (const route of ['/echo', '/redis/echo', '/redis/get']) server.routeCall(route, () => ++ran)
        await talk(server, protocols, calls[name], page('POST', '/', calls[name]))
        assert.equal(ran, 1)
      })
    }
  }

  it('runs nothing for a GET of which redis would make a command', { timeout: 20_000 }, async (t) => {
    let ran = 0
    const server = endpoint(t, { transport })
    server.routeCall('/redis/get', () => ++ran)
    await talk(server, ['redis'], page('GET', '/key', Buffer.alloc(0)))
    assert.equal(ran, 0)
  })

  it('runs nothing for TLS that carries lines of its own', { timeout: 20_000 }, async (t) => {
    for (const name of ['jsonrpc', 'redis'] as const) {
      let ran = 0
      const server = endpoint(t, { transport })
      server.routeCall('/echo', () => ++ran)
      server.routeCall('/redis/echo', () => ++ran)
      await talk(server, [name], Buffer.concat([Buffer.from('\x16\x03\x01\x02\x00ticket:\n', 'latin1'), calls[name]]))
      assert.equal(ran, 0, name)
    }
  })
})
