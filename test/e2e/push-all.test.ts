import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type EndpointOptions, pushAll } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport, status } from '../support/helpers.ts'

type Codec = NonNullable<EndpointOptions['codecs']>[number]

/** A codec that keeps what it was asked to encode, and encodes into the same memory each time. */
function counting(): { codec: Codec; encoded: unknown[] } {
  const encoded: unknown[] = []
  const memory = Buffer.alloc(64)
  const encode = (value: unknown): Uint8Array => {
    encoded.push(value)
    return memory.subarray(0, memory.write(JSON.stringify(value)))
  }
  const decode: Codec['decode'] = (bytes, start, end) => JSON.parse(bytes.toString('utf8', start, end))
  return { encoded, codec: { id: 200, name: 'counting', encode, decode } }
}

/** A server with `count` sessions, over the protocols in turn; `received` resolves when each client has got a push. */
async function audience(t: TestContext, transport: Kind, count: number, options: EndpointOptions = {}) {
  const { codec, encoded } = counting()
  const server = endpoint(t, { transport, codecs: [codec], ...options })
  server.routeCall('/hello', () => null)
  const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'json', 'protobuf'] })
  const news: unknown[] = []
  const received = once<unknown[]>()
  for (let n = 0; n < count; n++) {
    const client = endpoint(t, { transport, codecs: [codec] })
    client.routePush('/news', (value) => void (news.push(value) === count && received.resolve(news)))
    const session = await client.dial(url, { protocol: ['raw', 'json', 'protobuf'][n % 3] })
    await session.call('/hello')
  }
  return { server, encoded, received: received.promise }
}

onEachTransport('a push to many', (transport) => {
  test('each session gets the value, whatever its protocol, and it is encoded once', async (t) => {
    const { server, encoded, received } = await audience(t, transport, 6)
    assert.equal(await pushAll(server.sessions(), '/news', { text: 'hello' }, { codec: 'counting' }), 6)
    assert.deepEqual(await received, Array(6).fill({ text: 'hello' }))
    assert.equal(encoded.length, 1)
  })

  test('what was encoded before is not overwritten by what is encoded next', async (t) => {
    const { server, received } = await audience(t, transport, 1)
    const first = pushAll(server.sessions(), '/news', 'first', { codec: 'counting' })
    const second = pushAll(server.sessions(), '/nobody', 'other', { codec: 'counting' })
    assert.deepEqual(await Promise.all([first, second]), [1, 1])
    assert.deepEqual(await received, ['first'])
  })

  for (const value of ['text', undefined, Buffer.from('"bytes"'), { list: [1, 2] }]) {
    test(`a value as of \`push\`: ${JSON.stringify(value)}`, async (t) => {
      const { server, received } = await audience(t, transport, 3)
      assert.equal(await pushAll(server.sessions(), '/news', value), 3)
      assert.deepEqual(await received, Array(3).fill(value instanceof Buffer ? 'bytes' : value))
    })
  }

  test('hooks see the value itself', async (t) => {
    const seen: unknown[] = []
    const { server, received } = await audience(t, transport, 2, {
      plugins: [{ name: 'seer', beforeWritePush: ({ body }) => void seen.push(body) }],
    })
    assert.equal(await pushAll(server.sessions(), '/news', { text: 'hello' }), 2)
    assert.deepEqual(await received, Array(2).fill({ text: 'hello' }))
    assert.deepEqual(seen, Array(2).fill({ text: 'hello' }))
  })

  test('a session that is closed takes nothing from the others', async (t) => {
    const { server, received } = await audience(t, transport, 3)
    const sessions = [...server.sessions()]
    const gone = endpoint(t, { transport })
    const session = await gone.dial((await server.listen('tcp://127.0.0.1:0')).url)
    await session.close()
    assert.equal(await pushAll([session, ...sessions], '/news', 1), 3)
    assert.deepEqual(await received, [1, 1, 1])
  })

  test('nobody is no error; what is wrong for all is one', async (t) => {
    const { server } = await audience(t, transport, 1)
    assert.equal(await pushAll([], '/news', 1), 0)
    const [session] = server.sessions()
    await assert.rejects(pushAll([session!], 5 as never, 1), TypeError)
    await assert.rejects(pushAll([session!], '/news', 1, { codec: 'none' }), /option codec: no codec is named "none"/)
    await assert.rejects(pushAll([], '/news', 1, { nope: 1 } as object), TypeError)
    const [code] = await status(pushAll([session!], '/news', 1n).then(() => null))
    assert.equal(code, 104)
    assert.equal(session!.isOpen, true)
  })
})
