import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { after, describe, it } from 'node:test'
import { RpcClient } from '../../src/rpc/client.ts'
import { memoryRegistry } from '../../src/rpc/registry/memory.ts'
import { staticRegistry } from '../../src/rpc/registry/static.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { status } from '../support/helpers.ts'
import { addressOf, GoPeer } from './go-peer.ts'
import { offerServerRoutes } from './routes.ts'

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

describe('services with Go DMicro', { skip: missing }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const transport of ['native', 'js'] as const) {
    const own = { transport, log: false, closeTimeout: 200 } as const

    it(`${transport}: a Go RpcClient calls our RpcServer, is called back, and keeps its session by heartbeats`, async (t) => {
      const registry = memoryRegistry()
      const server = new RpcServer('math', { ...own, registry, listen: 'tcp://127.0.0.1:0', drainDelay: 0 })
      t.after(() => server.close({ timeout: 0 }))
      offerServerRoutes(server.endpoint)
      await server.start()
      const [{ nodes }] = await registry.getService('math')
      assert.equal(nodes[0].address, addressOf(server.url))
      assert.equal(nodes[0].paths?.[0], '/math/add')
      let sessions = 0
      server.on('session', () => sessions++)
      const checks = await go.checkRpc(nodes[0].address)
      assert.deepEqual(
        checks.filter(({ ok }) => !ok),
        [],
      )
      assert.equal(checks.length, 5)
      assert.equal(sessions, 1)
    })

    it(`${transport}: our RpcClient calls Go RpcServers, is called back, and goes on when one is killed`, async (t) => {
      const [first, second] = await Promise.all([go.serveRpc(), go.serveRpc()])
      t.after(() => Promise.all([first.kill(), second.kill()]))
      const registry = staticRegistry({ math: [first.address, second.address] })
      const heartbeat = { interval: 20 }
      const client = new RpcClient('math', { ...own, registry, heartbeat, strategy: 'roundRobin', timeout: 5_000 })
      t.after(() => client.close({ timeout: 0 }))
      const notes: string[] = []
      client.routeCall('/client/double', (n: number) => 2 * n)
      client.routePush('/client/note', (note: string) => void notes.push(note))
      for (let calls = 0; calls < 4; calls++) assert.equal(await client.call('/call/back', calls), 2 * calls)
      assert.equal(client.sessionCount, 2)
      assert.equal(await client.call('/push/back', 1), 1)
      await client.push('/note', 'from us')
      const failure = status(client.call('/status/fail', { code: 1001, msg: 'no', cause: 'because' }))
      assert.deepEqual(await failure, [1001, 'no', 'because'])
      const sessions = [...client.endpoint.sessions()]
      const lost = sessions.find(({ remoteAddress }) => remoteAddress === first.address)
      const closed = event(lost as (typeof sessions)[number], 'close')
      const load = Promise.all(Array.from({ length: 50 }, (_, n) => client.call('/math/add', [n, 1], { idempotent: true })))
      await first.kill()
      await closed
      assert.deepEqual(
        await load,
        Array.from({ length: 50 }, (_, n) => n + 1),
      )
      for (let calls = 0; calls < 10; calls++) assert.equal(await client.call('/math/add', [calls]), calls)
      assert.equal(client.sessionCount, 1)
    })
  }
})
