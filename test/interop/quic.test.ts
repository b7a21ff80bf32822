import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Endpoint, insecureAes } from '../../src/index.ts'
import { loadQuiche } from '../../src/transports/js/quic/quiche.ts'
import { certificates } from '../support/certificates.ts'
import { addressOf, GoPeer, type GoServer } from './go-peer.ts'
import { nodeCallsGo } from './node-calls-go.ts'
import { Outcomes } from './outcomes.ts'
import { speaking } from './protocols.ts'
import { aesKey, offerServerRoutes } from './routes.ts'

// DMicro's QUIC in both roles: everything that works over tcp works over it.

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : await loadQuiche().then(() => undefined, String)
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer and QUIC are required: ${missing}`)
const outcomes = new Outcomes()
const { authority, server: own } = certificates()

describe('interop with Go DMicro over QUIC', { skip: missing }, () => {
  const go = peer as GoPeer
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-interop-quic-'))
  const files = ['cert', 'key'].map((name) => join(folder, name))
  writeFileSync(files[0], own.cert)
  writeFileSync(files[1], own.key)
  after(async () => {
    rmSync(folder, { recursive: true })
    await go.dispose()
  })

  for (const transport of ['native', 'js'] as const) {
    for (const { name, flags, rejectUnauthorized } of [
      { name: 'with a certificate of an authority', flags: ['-tls', files.join()], rejectUnauthorized: true },
      { name: 'with the certificate that it makes for itself', flags: [], rejectUnauthorized: false },
    ]) {
      describe(`${transport} client calls Go ${name} over QUIC`, () => {
        let server: GoServer
        before(async () => {
          server = await go.serve('quic', 'raw', ...flags)
        })
        nodeCallsGo(transport, 'raw', () => server.url, outcomes, { tls: { ca: authority.cert, rejectUnauthorized } })
        after(() => server.stop())
      })
    }

    it(`Go client calls ${transport} server over QUIC`, async () => {
      const server = new Endpoint({ ...speaking('raw'), transport, log: false, filters: [insecureAes(aesKey)] })
      offerServerRoutes(server)
      const listener = await server.listen('quic://127.0.0.1:0', { tls: own })
      try {
        const checks = await go.check('quic', 'raw', addressOf(listener.url), '-tls', files.join())
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

  after(() => outcomes.check('quic'))
})
