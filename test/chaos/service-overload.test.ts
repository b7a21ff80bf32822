import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { StatusError } from '../../src/index.ts'
import type { RpcClient } from '../../src/rpc/client.ts'
import { staticRegistry } from '../../src/rpc/registry/static.ts'
import type { RpcServer } from '../../src/rpc/server.ts'
import { type Kind, transports } from '../support/helpers.ts'
import { rpcClient, rpcServer } from '../support/rpc.ts'
import { limit, long, Samples, scaled, until } from './support.ts'

// What a client adds to the load of nodes that fail, and what a slow node adds to the time of calls.

const CALLS = scaled(1_000, 20_000)
const CALLS_PER_SECOND = 1_000
/** Milliseconds of a handler, and how many times slower one node is. */
const HANDLED = 2
const SLOWER = 50
/** Milliseconds with and without a slow node. */
const PHASE = scaled(2_500, 4_500)

/** Makes calls at the rate until `isOver`, and resolves when all are settled: to the milliseconds that each took. */
async function traffic(client: RpcClient, isOver: (made: number) => boolean): Promise<Samples> {
  const took = new Samples()
  const open: Promise<void>[] = []
  const began = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (const due = ((performance.now() - began) * CALLS_PER_SECOND) / 1000; open.length < due; ) {
        if (isOver(open.length)) {
          clearInterval(timer)
          resolve()
          return
        }
        const at = performance.now()
        const settled = (): void => took.add(performance.now() - at)
        open.push(client.call('/math/work', 0, { idempotent: true }).then(settled, settled))
      }
    }, 1)
  })
  await Promise.all(open)
  return took
}

/** Servers whose one route is `work`. */
async function servers(
  t: TestContext,
  transport: Kind,
  count: number,
  work: (i: number, server: RpcServer) => unknown,
): Promise<RpcServer[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const server = rpcServer(t, transport)
      server.routeCall('/math/work', () => work(i, server))
      await server.start()
      return server
    }),
  )
}

for (const transport of scaled(transports.slice(0, 1), transports))
  describe(`nodes that fail (${transport})`, () => {
    const failures: Record<string, (server: RpcServer) => void> = {
      'refuse all calls': () => {
        throw new StatusError(503, undefined, 'busy', { retryAfter: 1 })
      },
      'answer all calls with a failure': () => {
        throw new StatusError(503, undefined, 'broken')
      },
      'lose the connection at each call': (server) => {
        for (const session of server.sessions()) session.destroy('a bad day')
      },
    }
    for (const [what, fail] of Object.entries(failures))
      test(`that ${what} get at most a tenth more of them (L3)`, limit, async (t) => {
        let arrived = 0
        const all = await servers(t, transport, 3, (_, server) => {
          arrived++
          fail(server)
        })
        const client = rpcClient(t, transport, staticRegistry(all.map(({ url }) => url)))
        const { count } = await traffic(client, (made) => made === CALLS)
        assert.equal(count, CALLS)
        // And a few, by which the client learns that the nodes fail.
        assert.ok(arrived <= 1.1 * CALLS + 30, `${arrived} calls of ${CALLS} arrived`)
        t.diagnostic(`${(arrived / CALLS).toFixed(3)} times the calls arrived`)
      })

    test('that lose the connection at each of calls that follow each other get at most a tenth more of them (L3)', limit, async (t) => {
      let arrived = 0
      const all = await servers(t, transport, 3, (_, server) => {
        arrived++
        for (const session of server.sessions()) session.destroy('a bad day')
      })
      const client = rpcClient(t, transport, staticRegistry(all.map(({ url }) => url)))
      for (let calls = 0; calls < 500; calls++) await assert.rejects(client.call('/math/work', 0, { idempotent: true }), { code: 102 })
      // And the budget's floor of ten for each second.
      assert.ok(arrived <= 1.1 * 500 + 30, `${arrived} calls of 500 arrived`)
      t.diagnostic(`${(arrived / 500).toFixed(3)} times the calls arrived`)
    })

    test('that do not listen are dialled a few times a second, however many calls there are (L3)', limit, async (t) => {
      const all = await servers(t, transport, 3, () => 0)
      const urls = all.map(({ url }) => url)
      await Promise.all(all.map((server) => server.close()))
      let dials = 0
      const plugin = { name: 'dials', beforeDial: () => void dials++ }
      const client = rpcClient(t, transport, staticRegistry(urls), { plugins: [plugin] })
      const began = performance.now()
      await traffic(client, (made) => made === CALLS)
      const expected = 3 * (6 + (performance.now() - began) / 100)
      assert.ok(dials <= expected, `${dials} dials, expected ${expected}`)
      t.diagnostic(`${dials} dials for ${CALLS} calls`)
    })

    test(`one of five nodes that is ${SLOWER} times slower is ejected, and returns by itself (L4)`, limit, async (t) => {
      let slow = -1
      const handle = (i: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, HANDLED * (i === slow ? SLOWER : 1)))
      const all = await servers(t, transport, 5, handle)
      const client = rpcClient(t, transport, staticRegistry(all.map(({ url }) => url)))
      const lasting = (ms: number): (() => boolean) => {
        const end = performance.now() + ms
        return () => performance.now() > end
      }
      await traffic(client, lasting(500))
      const healthy = await traffic(client, lasting(PHASE))
      slow = 2
      const began = performance.now()
      const candidate = client.selector.candidates('math').find(({ node }) => all[2].url.endsWith(node.address))
      const ejected = until(() => candidate?.isEjected === true).then(() => performance.now() - began)
      const isOver = lasting(PHASE)
      const sick = await traffic(client, () => candidate?.isEjected === true && isOver())
      const after = await ejected
      slow = -1
      await traffic(client, () => candidate?.isEjected === false)
      const returned = performance.now() - began
      t.diagnostic(
        `p99 ${healthy.percentile(0.99).toFixed(1)} ms, with a slow node ${sick.percentile(0.99).toFixed(1)} ms; ` +
          `ejected after ${after.toFixed()} ms, back after ${returned.toFixed()} ms`,
      )
      assert.ok(after <= 5_000, `ejected after ${after} ms`)
      // On a machine that others use too, the p99 of a few milliseconds says little but that few calls were slow.
      const bound = Math.max(2 * healthy.percentile(0.99), long ? 0 : (HANDLED * SLOWER) / 2)
      assert.ok(sick.percentile(0.99) <= bound, `p99 ${sick.percentile(0.99)} ms, ${healthy.percentile(0.99)} ms without the slow node`)
      assert.ok(returned <= 20_000, `back after ${returned} ms`)
    })
  })
