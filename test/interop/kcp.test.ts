import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type DialOptions, Endpoint, insecureAes, type ListenOptions } from '../../src/index.ts'
import { certificates } from '../support/certificates.ts'
import { addressOf, GoPeer, type GoServer } from './go-peer.ts'
import { nodeCallsGo } from './node-calls-go.ts'
import { Outcomes } from './outcomes.ts'
import { speaking } from './protocols.ts'
import { aesKey, offerServerRoutes } from './routes.ts'

// DMicro's KCP in both roles, without and with its TLS: everything that works over tcp works over it.

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)
const outcomes = new Outcomes()
const { authority, server: own } = certificates()
const folder = mkdtempSync(join(tmpdir(), 'dmicro-interop-kcp-'))
const files = ['cert', 'key'].map((name) => join(folder, name))
writeFileSync(files[0], own.cert)
writeFileSync(files[1], own.key)

interface Cell {
  readonly name: string
  readonly dial: DialOptions
  readonly listen: ListenOptions
  readonly flags: readonly string[]
}
const cells: readonly Cell[] = [
  { name: 'KCP', dial: {}, listen: {}, flags: [] },
  { name: 'KCP with the preset fast', dial: { kcp: 'fast' }, listen: { kcp: 'fast' }, flags: [] },
  { name: 'KCP with TLS', dial: { tls: { ca: authority.cert } }, listen: { tls: own }, flags: ['-tls', files.join()] },
]

// At the same time, since they wait most of it: a Go peer acknowledges every 100 ms.
describe('interop with Go DMicro over KCP', { skip: missing, concurrency: true }, () => {
  const go = peer as GoPeer
  after(async () => {
    rmSync(folder, { recursive: true })
    await go.dispose()
  })

  for (const transport of ['native', 'js'] as const) {
    for (const { name, dial, listen, flags } of cells) {
      describe(`${transport} client calls Go over ${name}`, { concurrency: 1 }, () => {
        let server: GoServer
        before(async () => {
          server = await go.serve('kcp', 'raw', ...flags)
        })
        nodeCallsGo(transport, 'raw', () => server.url, outcomes, dial)
        after(() => server.stop())
      })

      it(`Go client calls ${transport} server over ${name}`, async () => {
        const server = new Endpoint({ ...speaking('raw'), transport, log: false, filters: [insecureAes(aesKey)] })
        offerServerRoutes(server)
        const listener = await server.listen('kcp://127.0.0.1:0', listen)
        try {
          const checks = await go.check('kcp', 'raw', addressOf(listener.url), ...flags)
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
  }

  after(() => outcomes.check('kcp'))
})
