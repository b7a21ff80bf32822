import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once as event } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Service } from '../../src/rpc/registry/registry.ts'
import { staticRegistry } from '../../src/rpc/registry/static.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'
import { load, mathServer, over, ownRegistry, rpcClient, schemes, urlToListen } from '../support/rpc.ts'

onEachTransport('a service of several nodes', (transport) => {
  for (const scheme of schemes)
    test(`is restarted node by node without a failed call, none of them idempotent (${scheme})`, async (t) => {
      const registry = ownRegistry(t)
      const start = () => mathServer(t, transport, registry, { closeTimeout: 5_000, listen: urlToListen(t, scheme) })
      const servers = await Promise.all([1, 2, 3].map(start))
      const client = rpcClient(t, transport, registry, { slowStart: 0 })
      const calls = load(async () => assert.equal(await client.call('/math/add', [1, 2]), 3))
      await calls.more(200)
      for (let round = 0; round < 6; round++) {
        const next = await start()
        await calls.more(50)
        servers.push(next)
        await servers.shift()?.close()
        await calls.more(50)
      }
      assert.deepEqual(await calls.end(), [])
      assert.equal(client.selector.candidates('math').length, 3)
    })

  test('answers all idempotent calls though one of its nodes is killed', async (t) => {
    const registry = ownRegistry(t)
    const nodes = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = fork(join(import.meta.dirname, 'fixtures/rpc-node.ts'), [String(transport)], { execArgv: ['--import', 'tsx'] })
        t.after(() => child.kill('SIGKILL'))
        const [service] = (await event(child, 'message')) as [Service]
        await registry.register(service)
        return child
      }),
    )
    const client = rpcClient(t, transport, registry)
    const calls = load(async () => assert.equal(await client.call('/math/add', [1, 2], { idempotent: true }), 3))
    await calls.more(300)
    nodes[0].kill('SIGKILL')
    await event(nodes[0], 'exit')
    // The registry goes on naming the dead node, until its time to live is over.
    await calls.more(2_000)
    assert.deepEqual(await calls.end(), [])
    assert.equal(client.selector.candidates('math').length, 3)
    // What was lost with the connection is made again without the budget of retries, and nothing else was sent to the dead.
    assert.ok(client.retry !== undefined && client.retry.stats.retries <= 5, `${client.retry?.stats.retries} retries`)
  })

  test('is called during an outage of the registry, and found again after it', async (t) => {
    const memory = ownRegistry(t)
    let isAway = false
    const registry = over(memory, {
      async *watch(name, options) {
        if (isAway) throw new Error('registry away')
        for await (const services of memory.watch(name, options)) {
          if (isAway) throw new Error('registry away')
          yield services
        }
      },
    })
    const first = await mathServer(t, transport, registry)
    const client = rpcClient(t, transport, registry)
    assert.equal(await client.call('/math/who'), first.url)
    isAway = true
    const second = await mathServer(t, transport, memory)
    for (let calls = 0; calls < 10; calls++) assert.equal(await client.call('/math/who'), first.url)
    isAway = false
    const urls = new Set<string>()
    while (!urls.has(second.url)) urls.add(await client.call<string>('/math/who'))
    assert.equal(urls.size, 2)
  })

  test('answers all calls that waited for a session with a node that is closing, however many and none idempotent', async (t) => {
    const good = await mathServer(t, transport, ownRegistry(t))
    const closing = endpoint(t, { transport, closeTimeout: 2_000 })
    // Calls that arrive together with the connection come before the session can say that it closes.
    closing.routeCall('/math/add', ([a, b]: number[]) => a + b)
    const { url } = await closing.listen('tcp://127.0.0.1:0')
    const busy = once()
    closing.on('session', (session) => {
      // It closes when its client has answered this.
      session.call('/client/wait').catch(() => {})
      void closing.close()
    })
    const client = rpcClient(t, transport, staticRegistry([url, good.url]), { strategy: 'roundRobin' })
    client.routeCall('/client/wait', () => busy.promise)
    await client.selector.loaded('math')
    const calls = Array.from({ length: 300 }, (_, n) => client.call('/math/add', [n, 1]))
    await Promise.race(calls)
    busy.resolve()
    const answers = await Promise.all(calls)
    assert.deepEqual(
      answers,
      Array.from({ length: 300 }, (_, n) => n + 1),
    )
  })
})
