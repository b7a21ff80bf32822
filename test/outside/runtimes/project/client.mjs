// Checks a server of server.mjs and itself; writes one line of JSON for each check, and ends by itself.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { aesGcm, brotli, bytes, Endpoint, MultiClient, StatusError } from 'dmicro'
import { TestNetwork } from 'dmicro/testing'
import protobuf from 'protobufjs'
import { key, proto } from './shared.mjs'

const served = JSON.parse(process.argv[2])
const Query = protobuf.parse(proto).root.lookupType('Query')
const client = new Endpoint({ log: false, timeout: 10_000, filters: [brotli(), aesGcm({ keys: { 1: key }, current: 1 })] })
const drops = []
client.routePush('/drop-of-flood', (i) => void drops.push(i))
client.routeCall('/name', () => 'client')
const session = await client.dial(served.url)
const refused = (promise) => promise.then(assert.fail, ({ code, message, cause }) => [code, message, cause])

const checks = {
  async 'a call'() {
    assert.deepEqual(await session.call('/echo', { a: [1, 'ä', null] }), { a: [1, 'ä', null] })
  },
  async '2,000 calls at once'() {
    const numbers = Array.from({ length: 2000 }, (_, i) => i)
    assert.deepEqual(await Promise.all(numbers.map((i) => session.call('/echo', i))), numbers)
  },
  async 'bodies of a mebibyte, eight at once'() {
    const body = new Uint8Array(1 << 20).map((_, i) => i * 31)
    for (const answer of await Promise.all(Array.from({ length: 8 }, () => session.call('/bytes', body, { result: bytes }))))
      assert.equal(Buffer.compare(answer, body), 0)
  },
  async 'errors of handlers'() {
    assert.deepEqual(await refused(session.call('/fail')), [4711, 'not today', 'it rains'])
    assert.deepEqual((await refused(session.call('/broken'))).slice(0, 1), [500])
    await assert.rejects(session.call('/none'), (error) => error instanceof StatusError && error.code === 404)
  },
  async 'a deadline'() {
    assert.equal((await refused(session.call('/never', null, { timeout: 30 })))[0], 408)
  },
  async 'a cancelled call, which its handler hears of'() {
    const controller = new AbortController()
    const call = refused(session.call('/slow', 'cancelled', { signal: controller.signal }))
    await session.call('/echo', 1)
    controller.abort()
    assert.equal((await call)[0], 499)
    while (!(await session.call('/cancelled')).includes('cancelled'));
  },
  async meta() {
    assert.equal((await session.callReply('/meta', null, { meta: { question: 'why' } })).meta.answer, 'why!')
  },
  async 'pushes of the server, in order'() {
    await session.call('/flood', 1000)
    assert.deepEqual(
      drops,
      Array.from({ length: 1000 }, (_, i) => i),
    )
  },
  async 'calls of the server'() {
    assert.equal(await session.call('/ask'), 'client')
  },
  async 'contexts of handlers'() {
    const names = Array.from({ length: 100 }, (_, i) => `n${i}`)
    assert.deepEqual(await Promise.all(names.map((name) => session.call('/context', name))), names)
  },
  async codecs() {
    for (const codec of ['json', 'msgpack', 'cbor'])
      assert.deepEqual(await session.call('/echo', { a: [1, 'x'] }, { codec }), { a: [1, 'x'] })
    assert.equal(await session.call('/echo', 'text', { codec: 'plain' }), 'text')
    assert.deepEqual({ ...(await session.call('/echo', { a: 'b c' }, { codec: 'form' })) }, { a: 'b c' })
    assert.equal((await session.call('/query', { id: 1 }, { codec: 'protobuf', arg: Query, result: Query })).id, 2)
    assert.match(JSON.stringify(await session.call('/echo', { doc: { a: 'b' } }, { codec: 'xml' })), /"b"/)
  },
  async filters() {
    const text = 'again and '.repeat(20_000)
    for (const filter of ['gzip', 'md5', 'brotli', 'aes-gcm']) assert.equal(await session.call('/echo', text, { filters: [filter] }), text)
  },
  async protocols() {
    for (const protocol of ['http', 'jsonrpc', 'json']) {
      const other = await client.dial(protocol === 'json' ? served.json : served.url, { protocol })
      assert.deepEqual(await Promise.all([other.call('/echo', [1]), other.call('/echo', [2])]), [[1], [2]])
      assert.equal((await refused(other.call('/fail')))[0], 4711)
      await other.close()
    }
  },
  async 'a command of redis'() {
    const socket = connect(new URL(served.url).port, '127.0.0.1')
    socket.write('*3\r\n$4\r\nJOIN\r\n$1\r\na\r\n$1\r\nb\r\n')
    const [answer] = await once(socket, 'data')
    assert.equal(String(answer), '$3\r\na b\r\n')
    socket.destroy()
  },
  async fetch() {
    const answer = await fetch(`${served.url.replace('tcp:', 'http:')}/echo`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '[1]',
    })
    assert.deepEqual([answer.status, await answer.json()], [200, [1]])
  },
  async 'a Unix socket'() {
    const other = await client.dial(served.unix)
    assert.equal(await other.call('/echo', 5), 5)
    await other.close()
  },
  async redial() {
    const other = await client.dial(served.url, { redial: { minDelay: 1 } })
    const redialed = new Promise((resolve) => other.once('redialed', resolve))
    await other.call('/drop').catch(() => {})
    await redialed
    assert.equal(await other.call('/echo', 6), 6)
    await other.close()
  },
  async 'a pool'() {
    const pool = new MultiClient(client, served.url, { max: 3 })
    assert.deepEqual(await Promise.all([1, 2, 3].map((i) => pool.call('/echo', i))), [1, 2, 3])
    await pool.close()
  },
  async 'a port where nobody listens'() {
    assert.equal((await refused(client.dial('tcp://127.0.0.1:1')))[0], 105)
  },
  async 'a network in memory'() {
    const net = new TestNetwork({ seed: 1 })
    const at = (name) => new Endpoint({ transport: net.host(name).transport, log: false })
    const server = at('server')
    server.routeCall('/echo', (value) => value)
    const answer = await net.run(async () => {
      await server.listen('tcp://server:1')
      return (await at('client').dial('tcp://server:1')).call('/echo', 7)
    })
    assert.equal(answer, 7)
    await net.close()
  },
}

console.log(JSON.stringify({ transport: [client.transport.kind, client.transport.reason] }))
for (const [name, check] of Object.entries(checks)) {
  const late = new Promise((_, reject) => setTimeout(reject, 15_000, new Error('not settled in 15 s')).unref())
  const detail = await Promise.race([check(), late]).then(
    () => '',
    (error) => String(error?.stack ?? error) || 'failed',
  )
  console.log(JSON.stringify({ name, detail }))
}
await client.close()
