import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { endpoint, once, onEachTransport, pair, status } from '../support/helpers.ts'

onEachTransport('sessions', (transport) => {
  test('both ends are named by the client address, as in Go', async (t) => {
    const { server, client, session, peer } = await pair(t, transport)
    assert.equal(session.id, session.localAddress)
    assert.equal(peer.id, session.id)
    assert.equal(peer.remoteAddress, session.localAddress)
    assert.equal(session.remoteAddress, peer.localAddress)
    assert.equal(server.session(peer.id), peer)
    assert.equal(client.session(session.id), session)
  })

  test('setId moves a session in the table and closes the one it displaces', async (t) => {
    const { server, client, listener, peer } = await pair(t, transport)
    const accepted = once<typeof peer>()
    server.once('session', accepted.resolve)
    await client.dial(listener.url)
    const second = await accepted.promise
    const old = peer.id
    peer.setId('alice')
    assert.equal(server.session('alice'), peer)
    assert.equal(server.session(old), undefined)
    const closed = once()
    peer.on('close', () => closed.resolve())
    second.setId('alice')
    await closed.promise
    assert.equal(server.session('alice'), second, 'the displaced session must not take the entry with it')
    assert.equal(server.sessionCount, 1)
  })

  test('the next session over a Unix socket takes the same work, however many there are', async (t) => {
    const path = join(tmpdir(), `dmicro-ids-${process.pid}-${transport}.sock`)
    const { server, client, listener } = await pair(t, transport, { url: `unix://${path}` })
    let looks = 0
    const { has } = Map.prototype
    t.after(() => {
      Map.prototype.has = has
    })
    Map.prototype.has = function (key) {
      if (typeof key === 'string') looks++
      return has.call(this, key)
    }
    const count = 300
    const all = once()
    server.on('session', () => server.sessionCount === count && all.resolve())
    for (let n = 1; n < count; n++) await client.dial(listener.url)
    await all.promise
    Map.prototype.has = has
    assert.equal(new Set([...server.sessions()].map(({ id }) => id)).size, count)
    assert.equal(new Set([...client.sessions()].map(({ id }) => id)).size, count)
    assert.ok(looks < 10 * count, `${looks} look-ups`) // two ends, and what else asks tables; a search would take 90,000
  })

  test('swap data belongs to the session', async (t) => {
    const { server, session, peer } = await pair(t, transport)
    server.routeCall('/login', (name: string, ctx) => void ctx.session.data.set('name', name))
    server.routeCall('/who', (_: unknown, ctx) => ctx.session.data.get('name'))
    await session.call('/login', 'ann')
    assert.equal(await session.call('/who'), 'ann')
    assert.equal(peer.data.get('name'), 'ann')
  })

  test('the table holds exactly the open sessions', async (t) => {
    const { server, client, listener } = await pair(t, transport)
    const sessions = await Promise.all(Array.from({ length: 50 }, () => client.dial(listener.url)))
    for (const session of sessions) await status(session.call('/none'))
    assert.equal(server.sessionCount, 51)
    assert.equal([...server.sessions()].length, 51)
    await Promise.all(sessions.map((session) => session.close()))
    assert.equal(client.sessionCount, 1)
  })

  test('a session listener that throws does not cost the session', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/ok', () => 'ok')
    server.on('session', () => {
      throw new Error('listener')
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = await endpoint(t, { transport }).dial(url)
    assert.equal(await session.call('/ok'), 'ok')
  })

  test('the server calls and pushes to a client that only dialled', async (t) => {
    const { client, peer } = await pair(t, transport)
    const news = once<string>()
    client.routePush('/news', (text: string) => news.resolve(text))
    client.routeCall('/name', () => 'client')
    await peer.push('/news', 'hello')
    assert.equal(await news.promise, 'hello')
    assert.equal(await peer.call('/name'), 'client')
  })
})
