import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { disposeGoEtcd, GoEtcd, goEtcdMissing } from '../interop/etcd-peer.ts'
import { EtcdServer } from '../outside/etcd/servers.ts'
import { transports } from '../support/helpers.ts'
import { NODE_TTL, ServiceClient, type ServiceNode, startNode } from './service.ts'
import { limit, scaled } from './support.ts'

// Services that find each other through etcd, while their nodes and etcd itself fail.

const NODES = 3
const CALLS_PER_SECOND = scaled(2_000, 5_000)
const RESTART_CALLS_PER_SECOND = scaled(1_000, 2_000)
const ROUNDS = scaled(3, 20)
/** Milliseconds that etcd is down. */
const DOWN = scaled(5_000, 60_000)
/** Milliseconds after which calls go only to live nodes. */
const AWARE = 1_000
/** Milliseconds under load between two events. */
const BETWEEN = scaled(1_000, 5_000)

const loaded = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const some = scaled(transports.slice(0, 1), transports)
const skip = spawnSync('which', ['etcd']).status !== 0 && 'etcd is not installed (Debian: etcd-server)'
if (skip !== false && process.env.CI) throw new Error(skip)
const missing = (await goEtcdMissing()) ?? false

describe('a service in etcd', { skip, concurrency: scaled(2, 1) }, () => {
  for (const transport of some) {
    test(`no idempotent call fails when a node is killed, etcd is down, and both at once: ${transport}`, limit, async (t) => {
      const etcd = await EtcdServer.start(t, 'etcd')
      const endpoints = [etcd.endpoint]
      const nodes = await Promise.all(Array.from({ length: NODES }, () => startNode(t, transport, endpoints)))
      const calls = new ServiceClient(t, transport, { endpoints })
      await calls.knows(nodes)
      calls.start(CALLS_PER_SECOND, () => true)
      await loaded(BETWEEN)

      /** Kills a node and looks at where calls go after the second in which the client may notice. */
      const kill = async (node: ServiceNode, watched: number, probes: number): Promise<void> => {
        await node.child.kill()
        await loaded(AWARE)
        const since = performance.now()
        const answered = calls.answers.get(node.address)
        await loaded(watched)
        // A node that is still registered is probed after 5, 10, 20 … seconds, each time by one call.
        const dials = calls.dialsOf(node.address, since)
        assert.ok(dials <= probes, `${dials} dials to a dead node`)
        assert.equal(calls.answers.get(node.address), answered)
      }

      await kill(nodes[0], BETWEEN, 1)
      await calls.knows([nodes[1], nodes[2]])
      nodes[0] = await startNode(t, transport, endpoints)
      await calls.answered(nodes[0].address, 1)

      await etcd.kill()
      await loaded(DOWN)
      await etcd.start()
      await loaded(BETWEEN)
      await calls.knows(nodes)

      await etcd.kill()
      await kill(nodes[1], DOWN, Math.ceil(Math.log2(DOWN / 5_000 + 1)))
      await etcd.start()
      await calls.knows([nodes[0], nodes[2]])
      nodes[1] = await startNode(t, transport, endpoints)
      await calls.answered(nodes[1].address, 1)

      await calls.end()
      assert.deepEqual(
        calls.failures.slice(0, 10).map(({ text }) => text),
        [],
        `${calls.failures.length} of ${calls.made} failed`,
      )
      const { retry } = calls.client
      t.diagnostic(`${calls.made} calls, ${retry?.stats.retries} retries of the budget, ${calls.dials.length} dials`)
    })

    test(`no call fails while each of ${NODES} servers is restarted ${ROUNDS} times: ${transport}`, { timeout: 600_000 }, async (t) => {
      const etcd = await EtcdServer.start(t, 'etcd')
      const endpoints = [etcd.endpoint]
      const nodes = await Promise.all(Array.from({ length: NODES }, () => startNode(t, transport, endpoints)))
      const calls = new ServiceClient(t, transport, { endpoints })
      await calls.knows(nodes)
      calls.start(RESTART_CALLS_PER_SECOND, () => false)
      for (let round = 0; round < ROUNDS; round++) {
        for (let i = 0; i < NODES; i++) {
          assert.equal(await nodes[i].child.kill('SIGTERM'), 0)
          nodes[i] = await startNode(t, transport, endpoints)
          await calls.answered(nodes[i].address, 20)
        }
      }
      await calls.end()
      assert.deepEqual(
        calls.failures.slice(0, 10).map(({ text }) => text),
        [],
        `${calls.failures.length} of ${calls.made} failed`,
      )
      t.diagnostic(`${calls.made} calls, ${NODES * ROUNDS} restarts`)
    })
  }

  test(`one of ${NODES} servers is one of Go, restarted ${ROUNDS} times with the others: no call fails but what Go drops`, {
    timeout: 600_000,
    skip: missing,
  }, async (t) => {
    t.after(disposeGoEtcd)
    const [transport] = transports
    const etcd = await EtcdServer.start(t, 'etcd')
    const endpoints = [etcd.endpoint]
    const nodes = await Promise.all(Array.from({ length: NODES - 1 }, () => startNode(t, transport, endpoints)))
    const go = await GoEtcd.start(t, etcd.endpoint)
    const calls = new ServiceClient(t, transport, { endpoints })
    /** Starts Go's server, at another port each time, and resolves to its address. */
    const startGo = async (): Promise<string> => {
      go.tell('serve math 1.0.0')
      await calls.knows(NODES)
      calls.start(RESTART_CALLS_PER_SECOND, (id) => id % 2 === 0)
      await calls.answered('go', 20)
      const ours = nodes.map(({ address }) => address)
      return calls.known.find((address) => !ours.includes(address)) as string
    }
    const goes = [await startGo()]
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < NODES - 1; i++) {
        assert.equal(await nodes[i].child.kill('SIGTERM'), 0)
        nodes[i] = await startNode(t, transport, endpoints)
        await calls.answered(nodes[i].address, 20)
      }
      await go.ask('stop')
      await calls.knows(nodes)
      goes.push(await startGo())
    }
    await calls.end()
    const ofOurs = calls.failures.filter(({ node, code, idempotent }) => idempotent || code !== 102 || !goes.includes(node ?? ''))
    assert.deepEqual(ofOurs.slice(0, 10), [], `${ofOurs.length} of ${calls.made} failed`)
    t.diagnostic(`${calls.made} calls, ${NODES * ROUNDS} restarts, ${calls.failures.length} calls dropped by Go`)
  })

  test('no call fails when a cluster of three loses its leader, and nodes come and go all the same', limit, async (t) => {
    const [transport] = transports
    const cluster = await EtcdServer.startCluster(t, 'etcd', 3)
    const endpoints = cluster.map(({ endpoint }) => endpoint)
    const nodes = await Promise.all([0, 1].map(() => startNode(t, transport, endpoints)))
    const calls = new ServiceClient(t, transport, { endpoints })
    await calls.knows(nodes)
    calls.start(RESTART_CALLS_PER_SECOND, () => true)
    for (const end of scaled(['kill'] as const, ['kill', 'freeze', 'stop', 'kill'] as const)) {
      const leader = await leaderOf(cluster)
      await leader[end]()
      const [first] = nodes
      await first.child.kill()
      nodes.shift()
      const began = performance.now()
      nodes.push(await startNode(t, transport, endpoints))
      await calls.answered(nodes[1].address, 20)
      await calls.knows(nodes)
      t.diagnostic(`${end}: the new node is called and the dead one forgotten after ${(performance.now() - began).toFixed()} ms`)
      assert.ok(performance.now() - began < NODE_TTL + 20_000)
      if (end === 'freeze') leader.thaw()
      else await leader.start()
    }
    await calls.end()
    assert.deepEqual(
      calls.failures.slice(0, 10).map(({ text }) => text),
      [],
      `${calls.failures.length} of ${calls.made} failed`,
    )
  })
})

async function leaderOf(servers: readonly EtcdServer[]): Promise<EtcdServer> {
  for (;;) {
    for (const server of servers) if (await server.isLeader().catch(() => false)) return server
  }
}
