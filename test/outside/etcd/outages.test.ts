import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { it } from 'node:test'
import { service } from '../../unit/rpc/registry/contract.ts'
import { suite } from '../support/suite.ts'
import { EtcdServer } from './servers.ts'
import { eventually, MATH, nodeValue, portsOf, proxyOf, registryOf, Watcher } from './support.ts'
import { versions } from './versions.ts'

for (const [version, prepare] of Object.entries(versions)) {
  await suite(`etcd ${version} and its outages`, prepare, (binary) => {
    for (const end of ['stop', 'kill'] as const) {
      it(`a watch and a node outlive a restart of etcd (${end})`, async (t) => {
        const server = await EtcdServer.start(t, binary)
        const registry = registryOf(t, server)
        const watcher = new Watcher(t, registry, 'math')
        await registry.register(service('math', [1]), { ttl: 6_000 })
        await watcher.ports(1)
        await server[end]()
        await assert.rejects(registryOf(t, server, { timeout: 300 }).getService('math'), { code: 503 })
        await server.start()
        await server.put(`${MATH}x`, nodeValue('math', 2))
        await watcher.ports(1, 2)
        await registry.register(service('math', [3]))
        await watcher.ports(1, 2, 3)
        assert.deepEqual(portsOf(await registry.getService('math')), [1, 2, 3])
        assert.equal(watcher.error, undefined)
        assert.deepEqual(
          watcher.seen.filter((ports) => ports !== ''),
          ['1', '1,2', '1,2,3'],
        )
        assert.equal(registry.stats.rewrites, 0)
      })
    }

    it('a watch gets what it missed, also when that has been compacted', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const { proxy, endpoint } = await proxyOf(t, server)
      const registry = registryOf(t, { endpoint })
      const watcher = new Watcher(t, registry, 'math')
      await server.put(`${MATH}1`, nodeValue('math', 1))
      await server.put(`${MATH}2`, nodeValue('math', 2))
      await watcher.ports(1, 2)
      proxy.refuse()
      proxy.reset()
      await server.delete(`${MATH}1`)
      await server.put(`${MATH}3`, nodeValue('math', 3))
      proxy.refuse(false)
      await watcher.ports(2, 3)
      assert.equal(registry.stats.resyncs, 0)
      proxy.refuse()
      proxy.reset()
      await server.delete(`${MATH}2`)
      await server.put(`${MATH}4`, nodeValue('math', 4))
      await server.compact()
      proxy.refuse(false)
      await watcher.ports(3, 4)
      assert.equal(registry.stats.resyncs, 1)
      await server.put(`${MATH}5`, nodeValue('math', 5))
      await watcher.ports(3, 4, 5)
    })

    it('a node comes back after an outage that was longer than its time to live', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const { proxy, endpoint } = await proxyOf(t, server)
      const registry = registryOf(t, { endpoint })
      const watcher = new Watcher(t, registryOf(t, server), 'math')
      await registry.register(service('math', [1]), { ttl: 1_000 })
      await watcher.ports(1)
      proxy.stall('up', 'down')
      await watcher.ports()
      proxy.calm()
      await watcher.ports(1)
      assert.ok(registry.stats.rewrites >= 1)
      await registry.deregister(service('math', [1]))
      await watcher.ports()
      await eventually(async () => (await server.leases()).length === 0, 'no lease is left')
    })

    it('a node comes back whose lease somebody has revoked, or whose key somebody has deleted', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const registry = registryOf(t, server)
      const watcher = new Watcher(t, registry, 'math')
      await registry.register(service('math', [1]), { ttl: 2_000 })
      await watcher.ports(1)
      const [{ key, lease }] = await server.read(MATH)
      await server.delete(key)
      await watcher.ports()
      await watcher.ports(1)
      assert.equal((await server.read(MATH))[0].lease, lease)
      await server.ask('kv/lease/revoke', { ID: lease })
      await watcher.ports()
      await watcher.ports(1)
      assert.notEqual((await server.read(MATH))[0].lease, lease)
    })

    it('etcd that was set up anew gets its nodes again, and watches see it', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const registry = registryOf(t, server)
      const watcher = new Watcher(t, registry, 'math')
      await registry.register(service('math', [1]), { ttl: 3_000 })
      for (let i = 0; i < 20; i++) await server.put(`${MATH}2`, nodeValue('math', 2))
      await watcher.ports(1, 2)
      await server.kill()
      server.wipe()
      await server.start()
      await watcher.ports(1)
      await server.put(`${MATH}3`, nodeValue('math', 3))
      await watcher.ports(1, 3)
      assert.ok(registry.stats.resyncs >= 1)
    })

    it('etcd that hangs is noticed', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const registry = registryOf(t, server, { timeout: 500 })
      const watcher = new Watcher(t, registry, 'math')
      await watcher.ports()
      server.freeze()
      const began = performance.now()
      await assert.rejects(registry.getService('math'), { code: 503 })
      await assert.rejects(registry.register(service('math', [1])), { code: 503 })
      assert.ok(performance.now() - began < 4_000)
      server.thaw()
      await registry.register(service('math', [2]))
      await watcher.ports(2)
    })

    it('the nodes of a process that was killed are gone when their time to live is over', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const watcher = new Watcher(t, registryOf(t, server), 'math')
      const program = join(import.meta.dirname, 'registers.ts')
      const child = spawn(process.execPath, ['--import', 'tsx', program, server.endpoint], { stdio: 'inherit' })
      t.after(() => child.kill('SIGKILL'))
      await watcher.ports(1)
      const began = performance.now()
      await eventually(() => performance.now() - began > 4_000, 'twice the time to live is over')
      assert.deepEqual(watcher.seen.at(-1), '1')
      child.kill('SIGKILL')
      await once(child, 'exit')
      await watcher.ports()
    })

    it('deregistering takes out the key and the lease, and no node of another process', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const [old, young] = [registryOf(t, server), registryOf(t, server)]
      const watcher = new Watcher(t, young, 'math')
      await old.register(service('math', [1]))
      await watcher.ports(1)
      await young.register(service('math', [1], { version: '2' }))
      await old.deregister(service('math', [1]))
      assert.deepEqual(
        (await young.getService('math')).map((each) => each.version),
        ['2'],
      )
      assert.equal((await server.leases()).length, 1)
      await young.deregister(service('math', [1]))
      await watcher.ports()
      assert.deepEqual(await server.leases(), [])
      // One that nobody here has registered.
      await server.put(`${MATH}math-127.0.0.1:2`, nodeValue('math', 2))
      await watcher.ports(2)
      await young.deregister(service('math', [2]))
      await watcher.ports()
    })

    it('a process that starts writes its nodes, whatever is there; later only what changes', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const first = registryOf(t, server)
      await first.register(service('math', [1]))
      await first.close()
      const second = registryOf(t, server)
      const revision = async () =>
        Number(((await server.ask('kv/range', { key: 'eA==' })) as { header: { revision: string } }).header.revision)
      const before = await revision()
      await second.register(service('math', [1]))
      assert.equal(await revision(), before + 1)
      await second.register(service('math', [1]))
      assert.equal(await revision(), before + 1)
      await second.register(service('math', [1], { version: '2' }))
      assert.equal(await revision(), before + 2)
      assert.equal((await second.getService('math'))[0].version, '2')
    })
  })
}
