import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Endpoint, insecureAes } from '../../src/index.ts'
import { addressOf, type GoCheck, GoPeer, type GoServer, type Network, urlOf } from './go-peer.ts'
import { nodeCallsGo } from './node-calls-go.ts'
import { Outcomes } from './outcomes.ts'
import { type ProtocolName, protocols, speaking, spoken } from './protocols.ts'
import { aesKey, offerServerRoutes } from './routes.ts'

// The suite names its transports itself.
delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

/** A protocol knows nothing of the network below, so one of them is run on all. */
const networksOf = (protocol: ProtocolName): Network[] => (protocol === 'raw' ? ['tcp', 'tcp6', 'unix'] : ['tcp'])
const transports = ['native', 'js'] as const
const outcomes = new Outcomes()

describe('interop with Go DMicro', { skip: missing }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const protocol of protocols) {
    it(`has a Go server that passes the Go client in ${protocol}`, async () => {
      const server = await go.serve('tcp', protocol)
      try {
        assertAllOk(await go.check('tcp', protocol, server.address, '-peer-is-go'))
      } finally {
        await server.stop()
      }
    })
  }

  for (const protocol of spoken) {
    for (const transport of transports) {
      for (const network of networksOf(protocol)) {
        describe(`${transport} client calls Go in ${protocol} over ${network}`, () => {
          let server: GoServer
          before(async () => {
            server = await go.serve(network, protocol)
          })
          nodeCallsGo(transport, protocol, () => server.url, outcomes)
          after(() => server.stop()) // hooks run in this order: the client leaves first
        })

        it(`Go client calls ${transport} server in ${protocol} over ${network}`, async () => {
          const server = new Endpoint({ ...speaking(protocol), transport, log: false, filters: [insecureAes(aesKey)] })
          assert.equal(server.transport.kind, transport)
          offerServerRoutes(server)
          const listener = await server.listen(urlOf(network, go.freeAddress(network)))
          try {
            const checks = await go.check(network, protocol, addressOf(listener.url))
            outcomes.addOfGo(checks, protocol, transport)
            assertAllOk(checks)
          } finally {
            await server.close()
          }
        })
      }
    }
  }

  it('found what the compatibility page says', () => {
    outcomes.check('sockets')
  })
})

function assertAllOk(checks: GoCheck[]): void {
  const failed = checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.detail}`)
  assert.deepEqual(failed, [])
  assert.ok(checks.filter((check) => check.skipped === undefined).length > 20, `only ${checks.length} checks ran`)
}
