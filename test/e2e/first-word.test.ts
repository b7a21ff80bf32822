import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { it } from 'node:test'
import { authBearer, authChecker, type EarlySession, type EndpointOptions, MultiClient, type Session } from '../../src/index.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'
import { network, on } from '../support/testing-network.ts'

onEachTransport('a silent client', (transport) => {
  for (const protocol of ['raw', 'json', 'protobuf']) {
    it(`is known to a listener with several protocols, which can speak to it, and is not dropped: ${protocol}`, async (t) => {
      const server = endpoint(t, { transport, limits: { frameTimeout: 300 } })
      const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'json', 'protobuf', 'http'] })
      const client = endpoint(t, { transport, protocol, redial: { minDelay: 1, maxDelay: 20 } })
      for (const dial of [
        () => client.dial(url),
        async () => {
          const many = new MultiClient(client, url, { min: 1, max: 1 })
          t.after(() => many.close())
        },
      ]) {
        const told = once<unknown>()
        client.routePush(`/told/${server.stats.accepted}`, (value: unknown) => told.resolve(value))
        const accepted = event(server, 'session')
        const session = await dial()
        const [peer] = (await accepted) as [Session]
        assert.equal(peer.protocol, protocol)
        await peer.push(`/told/${server.stats.accepted - 1}`, 'news')
        assert.equal(await told.promise, 'news')
        if (session === undefined) continue
        const next = event(server, 'session')
        session.destroy('lost')
        const [again] = (await next) as [Session]
        assert.equal(again.protocol, protocol)
      }
      assert.equal(server.stats.violations, 0)
    })
  }

  it('is known where every message must be filtered', async (t) => {
    const options: EndpointOptions = { transport, protocol: 'raw', requireFilters: ['md5'] }
    const server = endpoint(t, options)
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'json'] })
    const client = endpoint(t, { ...options, requireFilters: [] })
    client.routeCall('/name', () => 'client')
    const accepted = event(server, 'session')
    const session = await client.dial(url)
    const [peer] = (await accepted) as [Session]
    assert.equal(await peer.call('/name', 1, { filters: ['md5'] }), 'client')
    assert.equal(session.state, 'open')
  })
})

/** A server that counts what it reads, and a client. */
async function counted(t: Parameters<typeof network>[0], server: EndpointOptions = {}, client: EndpointOptions = {}) {
  const net = network(t)
  let read = 0
  const counting = { name: 'counting', beforeReadHeader: () => void read++ }
  const listening = on(net, 'server', { ...server, plugins: [counting, ...(server.plugins ?? [])] })
  listening.routeCall('/echo', (value: unknown) => value)
  await net.run(() => listening.listen('tcp://server:1'))
  const session = await net.run(() => on(net, 'client', client).dial('tcp://server:1'))
  const before = read // the hook runs before a message is there
  return { net, session, server: listening, messages: () => read - before }
}

it('one that speaks, or was spoken to, sends nothing of its own', async (t) => {
  const { net, session, messages } = await counted(t, {}, { extensions: true })
  assert.equal(await net.run(session.call('/echo', 1)), 1)
  await net.advance(10_000)
  const { net: other, server, session: spoken, messages: received } = await counted(t)
  const [peer] = server.sessions()
  await other.run(peer.push('/x'))
  await other.advance(10_000)
  assert.equal(spoken.state, 'open')
  // The call; and that the client is one of ours too, which it was asked.
  assert.deepEqual([messages(), received()], [1, 1])
})

it('one that authenticated itself has spoken', async (t) => {
  const bearer = authBearer(async (_, send) => void (await send('secret')), { codec: 'plain' })
  const checker = authChecker(async (_, receive) => void (await receive()), { codec: 'plain' })
  const { net, messages } = await counted(t, { plugins: [checker] }, { plugins: [bearer] })
  await net.advance(10_000)
  assert.equal(messages(), 0)
})

it('without extensions it stays silent', async (t) => {
  const { net, messages } = await counted(t, {}, { extensions: false })
  await net.advance(10_000)
  assert.equal(messages(), 0)
  const { net: other, messages: received } = await counted(t)
  await other.advance(10_000)
  assert.equal(received(), 1)
})

it('is no message to a hook that waits for the first one', async (t) => {
  const greeting = {
    name: 'greeting',
    async afterAccept(session: EarlySession) {
      const asked = await session.earlyReceive({ timeout: 1_000, type: 1 })
      await session.earlyReply(asked, 'welcome')
    },
  }
  const { net, session } = await counted(t, { plugins: [greeting] })
  await net.advance(500)
  assert.equal(await net.run(session.call('/hello', 'me')), 'welcome')
})
