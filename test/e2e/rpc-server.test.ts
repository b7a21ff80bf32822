import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { once, onEachTransport, recorder, status } from '../support/helpers.ts'
import { mathServer, over, ownRegistry, rpcClient, rpcServer, schemes, urlToListen } from '../support/rpc.ts'

onEachTransport('a service', (transport) => {
  test('is registered as Go registers it, and called by its name', async (t) => {
    const registry = ownRegistry(t)
    const server = await mathServer(t, transport, registry, { metadata: { zone: 'a' } })
    const address = server.url.slice('tcp://'.length)
    assert.deepEqual(await registry.getService('math'), [
      {
        name: 'math',
        version: '1.0.0',
        metadata: {},
        nodes: [
          {
            id: `math-${address}`,
            address,
            paths: ['/math/add', '/math/who'],
            metadata: { registry: 'memory', server: 'math', zone: 'a' },
          },
        ],
      },
    ])
    const client = rpcClient(t, transport, registry)
    assert.equal(await client.call('/math/add', [1, 2, 3]), 6)
    assert.equal(await client.call('/math/who', undefined, { idempotent: true, key: 'user-7' }), server.url)
    assert.equal((await client.callReply<number>('/math/add', [1])).body, 1)
  })

  test('is registered when it listens and is ready, and deregistered before it closes', async (t) => {
    const memory = ownRegistry(t)
    const log: string[] = []
    const registry = over(memory, {
      async register(service) {
        log.push(`register ${service.nodes.length}`)
        await memory.register(service)
      },
      async deregister(service) {
        log.push('deregister')
        await memory.deregister(service)
      },
    })
    const ready = once()
    const server = rpcServer(t, transport, { registry, ready: () => ready.promise })
    server.on('state', (state) => log.push(state))
    assert.throws(() => server.url, /does not listen/)
    const started = server.start()
    while (server.urls.length === 0) await new Promise(setImmediate)
    log.push('listens')
    ready.resolve()
    await started
    assert.equal(server.registered, true)
    await Promise.all([server.close(), server.close()])
    assert.deepEqual(log, ['starting', 'listens', 'register 1', 'running', 'closing', 'deregister', 'closed'])
    assert.deepEqual(await memory.getService('math'), [])
    assert.equal((await status(server.start()))[0], 102)
  })

  test('publishes routes that come later, once for all of one turn', async (t) => {
    const registry = ownRegistry(t)
    const server = await mathServer(t, transport, registry)
    let registrations = 0
    server.on('registered', () => registrations++)
    server.routeCall('/math/sub', ([a, b]: number[]) => a - b)
    server.routePush('/math/tell', () => {})
    server.group('/more').routeCall('x', () => 1)
    await event(server, 'registered')
    const [{ nodes }] = await registry.getService('math')
    assert.deepEqual(nodes[0].paths, ['/math/add', '/math/who', '/math/sub', '/math/tell', '/more/x'])
    assert.equal(registrations, 1)
  })

  test('registers in the background while the registry is away, and says so once', async (t) => {
    const memory = ownRegistry(t)
    const log = recorder()
    let isAway = true
    let attempts = 0
    const registry = over(memory, {
      async register(service) {
        attempts++
        if (isAway) throw new Error('no leader')
        await memory.register(service)
      },
    })
    const server = await mathServer(t, transport, registry, { log })
    assert.equal(server.state, 'running')
    assert.equal(server.registered, false)
    const [failure] = await event(server, 'registrationFailed')
    assert.match(String(failure), /no leader/)
    isAway = false
    await event(server, 'registered')
    assert.equal(server.registered, true)
    assert.ok(attempts >= 3)
    assert.deepEqual(
      log.lines.filter(({ level }) => level !== 'debug').map(({ level, text }) => `${level} ${text}`),
      ['warn not registered, will be tried again', 'info registered again'],
    )
  })

  test('renews its record, and puts it in again when an older server of its address takes it out', async (t) => {
    const registry = ownRegistry(t)
    const renewed = await mathServer(t, transport, registry, { leasesInterval: 5, ttl: 1_000 })
    await event(renewed, 'registered')
    await renewed.close()
    const advertise = '10.1.2.3:4000'
    const older = await mathServer(t, transport, registry, { advertise })
    const newer = await mathServer(t, transport, registry, { advertise, version: '2' })
    const again = event(newer, 'registered')
    // The newer one has seen its record.
    await new Promise(setImmediate)
    await older.close()
    await again
    const [{ version, nodes }] = await registry.getService('math')
    assert.equal(version, '2')
    assert.deepEqual(
      nodes.map(({ id, address }) => [id, address]),
      [[`math-${advertise}`, advertise]],
    )
  })

  test('closes in time though its registry hangs', async (t) => {
    const memory = ownRegistry(t)
    const log = recorder()
    const registry = over(memory, { deregister: () => Promise.reject(new Error('etcd is away')) })
    const server = await mathServer(t, transport, registry, { log })
    await server.close()
    assert.equal(server.state, 'closed')
    assert.match(String(log.lines.find(({ text }) => text === 'not deregistered')?.fields.error), /etcd is away/)
  })

  test('serves without a registry, and on several addresses', async (t) => {
    const server = rpcServer(t, transport, { listen: ['tcp://127.0.0.1:0', { url: 'tcp://0.0.0.0:0', protocols: ['json'] }] })
    server.routeCall('/math/add', ([a, b]: number[]) => a + b)
    await server.start()
    assert.equal(server.registered, false)
    assert.equal(server.urls.length, 2)
    assert.doesNotMatch(server.urls[1], /0\.0\.0\.0/)
    const { staticRegistry } = await import('../../src/rpc/registry/static.ts')
    const client = rpcClient(t, transport, staticRegistry([server.url]))
    assert.equal(await client.call('/math/add', [1, 2]), 3)
    const other = rpcClient(t, transport, staticRegistry([server.urls[1]]), { dial: { protocol: 'json' } })
    assert.equal(await other.call('/math/add', [1, 2]), 3)
  })

  test('that cannot listen may be started again', async (t) => {
    const first = await mathServer(t, transport, ownRegistry(t))
    const registry = ownRegistry(t)
    const second = rpcServer(t, transport, { registry, listen: ['tcp://127.0.0.1:0', first.url] })
    await assert.rejects(second.start(), { code: 'EADDRINUSE' })
    assert.equal(second.state, 'new')
    assert.deepEqual(second.urls, [])
    assert.deepEqual(await registry.getService('math'), [])
    await first.close()
    await second.start()
    assert.equal(second.urls.length, 2)
  })

  for (const scheme of schemes)
    test(`pushes to its clients, and calls them (${scheme})`, async (t) => {
      const registry = ownRegistry(t)
      const server = await mathServer(t, transport, registry, { listen: urlToListen(t, scheme) })
      const client = rpcClient(t, transport, registry)
      const told = once<string>()
      client.routePush('/client/tell', (text: string) => told.resolve(text))
      client.routeCall('/client/name', () => 'ann')
      const session = event(server, 'session')
      assert.equal(await client.call('/math/add', [1, 2]), 3)
      const [{ nodes }] = await registry.getService('math')
      assert.match(nodes[0].address, { tcp: /^127\.0\.0\.1:\d+$/, unix: /^\/.*\.sock$/, ws: /^ws:\/\/127\.0\.0\.1:\d+\/rpc$/ }[scheme])
      await session
      for (const each of server.sessions()) {
        await each.push('/client/tell', 'news')
        assert.equal(await each.call('/client/name'), 'ann')
      }
      assert.equal(await told.promise, 'news')
      assert.equal(server.sessionCount, 1)
    })
})
