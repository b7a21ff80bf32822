import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Endpoint, insecureAes } from '../../src/index.ts'
import { addressOf, GoPeer, type GoServer } from './go-peer.ts'
import { nodeCallsGo } from './node-calls-go.ts'
import { Outcomes } from './outcomes.ts'
import { speaking } from './protocols.ts'
import { aesKey, offerServerRoutes } from './routes.ts'

// DMicro's KCP in both roles: everything that works over tcp works over it.

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)
const outcomes = new Outcomes()

// At the same time, since a Go peer waits most of it: it acknowledges every 100 ms.
describe('interop with Go DMicro over KCP', { skip: missing, concurrency: true }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const transport of ['native', 'js'] as const) {
    for (const kcp of [undefined, 'fast'] as const) {
      describe(`${transport} client calls Go over KCP with ${kcp ?? 'default'} options`, () => {
        let server: GoServer
        before(async () => {
          server = await go.serve('kcp', 'raw')
        })
        nodeCallsGo(transport, 'raw', () => server.url, outcomes, { kcp })
        after(() => server.stop())
      })
    }

    it(`Go client calls ${transport} server over KCP`, async () => {
      const server = new Endpoint({ ...speaking('raw'), transport, log: false, filters: [insecureAes(aesKey)] })
      offerServerRoutes(server)
      const listener = await server.listen('kcp://127.0.0.1:0')
      try {
        const checks = await go.check('kcp', 'raw', addressOf(listener.url))
        outcomes.addOfGo(checks, 'raw', transport)
        assert.deepEqual(
          checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`),
          [],
        )
        assert.ok(checks.length > 20, `only ${checks.length} checks ran`)
      } finally {
        await server.close()
      }
    })
  }

  after(() => outcomes.check('kcp'))
})
