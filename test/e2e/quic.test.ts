import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once as eventOnce } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type DialOptions, type EndpointOptions, type ListenOptions, type Session, StatusError } from '../../src/index.ts'
import { loadQuiche } from '../../src/transports/js/quic/quiche.ts'
import { Authority, certificates } from '../support/certificates.ts'
import { endpoint, once, onEachTransport, status } from '../support/helpers.ts'

const { authority, server: own, client: clientOwn } = certificates()
const dial: DialOptions = { tls: { ca: authority.cert } }
const skip = await missing()

async function missing(): Promise<string | false> {
  try {
    await loadQuiche()
    return false
  } catch (error) {
    return (error as Error).message
  }
}

onEachTransport('quic', (transport) => {
  const run = (name: string, body: (t: TestContext) => Promise<void>): void => {
    test(name, { skip, timeout: 20_000 }, body)
  }
  const serve = async (t: TestContext, options: EndpointOptions = {}, listen: ListenOptions = {}) => {
    const server = endpoint(t, { transport, ...options })
    server.routeCall('/size', (text: string) => text.length)
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    const { url } = await server.listen('quic://127.0.0.1:0', { tls: own, ...listen })
    return { server, url, accepted: accepted.promise }
  }

  run('calls pass in both directions, of every size', async (t) => {
    const { url, accepted } = await serve(t)
    assert.match(url, /^quic:\/\/127\.0\.0\.1:[0-9]+$/)
    const client = endpoint(t, { transport })
    client.routeCall('/back', (text: string) => text)
    const session = await client.dial(url, dial)
    // The accepting side speaks first: it need not wait for a message of the one that dialled.
    const peer = await accepted
    assert.equal(await peer.call('/back', 'b'.repeat(100_000)), 'b'.repeat(100_000))
    for (const size of [0, 100, 20_000, 300_000, 3_000_000]) assert.equal(await session.call('/size', 'x'.repeat(size)), size)
    const many = Array.from({ length: 500 }, (_, i) => session.call('/size', 'y'.repeat(i)))
    assert.deepEqual(
      await Promise.all(many),
      many.map((_, i) => i),
    )
  })

  run('pushes arrive in order, and a close ends the session at the other side', async (t) => {
    const { server, url, accepted } = await serve(t)
    const seen: number[] = []
    const all = once<void>()
    server.routePush('/note', (n: number) => {
      if (seen.push(n) === 100) all.resolve()
    })
    const session = await endpoint(t, { transport }).dial(url, dial)
    const peer = await accepted
    const closed = once<string>()
    peer.once('close', (error) => closed.resolve(String(error?.cause)))
    for (let i = 0; i < 100; i++) await session.push('/note', i)
    await all.promise
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, i) => i),
    )
    await session.close()
    assert.equal(await closed.promise, 'closed by the peer')
  })
})
