import assert from 'node:assert/strict'
import { it } from 'node:test'
import { service } from '../../unit/rpc/registry/contract.ts'
import { suite } from '../support/suite.ts'
import { EtcdServer } from './servers.ts'
import { MATH, nodeValue, portsOf, registryOf, Watcher } from './support.ts'
import { versions } from './versions.ts'

const limit = { timeout: 60_000 }

for (const [version, prepare] of Object.entries(versions)) {
  await suite(`a cluster of etcd ${version}`, prepare, (binary) => {
    it('calls, nodes and watches go on when the leader is lost, in whatever way', limit, async (t) => {
      const servers = await EtcdServer.startCluster(t, binary, 3)
      const endpoints = servers.map(({ endpoint }) => endpoint)
      const registries = endpoints.map((_, i) =>
        registryOf(t, servers[i], { endpoints: [...endpoints.slice(i), ...endpoints.slice(0, i)] }),
      )
      const watchers = registries.map((registry) => new Watcher(t, registry, 'math'))
      await registries[0].register(service('math', [1]), { ttl: 20_000 })
      for (const watcher of watchers) await watcher.ports(1)
      let port = 1
      for (const end of ['freeze', 'kill', 'stop'] as const) {
        const leader = await leaderOf(servers)
        await leader[end]()
        const began = performance.now()
        await registries[0].register(service('math', [++port]))
        assert.ok(performance.now() - began < 5_000, `${end}: ${performance.now() - began} ms`)
        const expected = Array.from({ length: port }, (_, i) => i + 1)
        for (const registry of registries) assert.deepEqual(portsOf(await registry.getService('math')), expected)
        for (const watcher of watchers) await watcher.ports(...expected)
        assert.ok(performance.now() - began < 15_000, `${end}: ${performance.now() - began} ms`)
        if (end === 'freeze') leader.thaw()
        else await leader.start()
      }
      for (const { seen, error } of watchers) {
        assert.equal(error, undefined)
        assert.equal(seen.at(-1), '1,2,3,4')
      }
    })

    it('without a quorum what one server has is taken, and nothing is written', limit, async (t) => {
      const servers = await EtcdServer.startCluster(t, binary, 3)
      const endpoints = servers.map(({ endpoint }) => endpoint)
      const registry = registryOf(t, servers[0], { endpoints, timeout: 1_500 })
      const watcher = new Watcher(t, registry, 'math')
      await registry.register(service('math', [1]), { ttl: 60_000 })
      await watcher.ports(1)
      await servers[1].kill()
      await servers[2].kill()
      assert.deepEqual(portsOf(await registry.getService('math')), [1])
      assert.equal(registry.stats.staleReads, 1)
      // Nobody can say whether there is one.
      await assert.rejects(registry.getService('other'), { code: 503 })
      await assert.rejects(registry.register(service('math', [2])), { code: 503 })
      await Promise.all([servers[1].start(), servers[2].start()])
      await registry.register(service('math', [3]))
      await servers[1].put(`${MATH}4`, nodeValue('math', 4))
      await watcher.ports(1, 3, 4)
      assert.equal(watcher.error, undefined)
    })
  })
}

async function leaderOf(servers: readonly EtcdServer[]): Promise<EtcdServer> {
  for (;;) {
    for (const server of servers) if (await server.isLeader().catch(() => false)) return server
  }
}
