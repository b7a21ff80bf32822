import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Endpoint, insecureAes } from '../../src/index.ts'
import { certificates } from '../support/certificates.ts'
import { addressOf, GoPeer, type GoServer } from './go-peer.ts'
import { nodeCallsGo } from './node-calls-go.ts'
import { Outcomes } from './outcomes.ts'
import { speaking } from './protocols.ts'
import { aesKey, offerServerRoutes } from './routes.ts'

// DMicro's own TLS in both roles: everything that works over tcp works over it.

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)
const outcomes = new Outcomes()
const { authority, server: own } = certificates()

describe('interop with Go DMicro over TLS', { skip: missing }, () => {
  const go = peer as GoPeer
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-interop-tls-'))
  const files = ['cert', 'key'].map((name) => join(folder, name))
  writeFileSync(files[0], own.cert)
  writeFileSync(files[1], own.key)
  after(async () => {
    rmSync(folder, { recursive: true })
    await go.dispose()
  })

  for (const protocol of ['raw', 'json'] as const) {
    for (const transport of ['native', 'js'] as const) {
      describe(`${transport} client calls Go in ${protocol} over TLS`, () => {
        let server: GoServer
        before(async () => {
          server = await go.serve('tcp', protocol, '-tls', files.join())
        })
        const url = (): string => server.url.replace('tcp:', 'tls:')
        nodeCallsGo(transport, protocol, url, outcomes, { tls: { ca: authority.cert } })
        after(() => server.stop())
      })

      it(`Go client calls ${transport} server in ${protocol} over TLS`, async () => {
        const server = new Endpoint({ ...speaking(protocol), transport, log: false, filters: [insecureAes(aesKey)] })
        assert.equal(server.transport.tls, transport === 'native' ? 'native' : 'node:tls')
        offerServerRoutes(server)
        const listener = await server.listen('tls://127.0.0.1:0', { tls: { ...own, ALPNProtocols: ['http/1.1'] } })
        try {
          const checks = await go.check('tcp', protocol, addressOf(listener.url), '-tls', files.join())
          outcomes.addOfGo(checks, protocol, transport)
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

  it('found what the compatibility page says', () => {
    outcomes.check('tls')
  })
})
