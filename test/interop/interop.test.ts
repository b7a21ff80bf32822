import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Endpoint, insecureAes } from '../../src/index.ts'
import { addressOf, GoPeer, type GoServer, type Network, urlOf } from './go-peer.ts'
import { nodeCallsGo } from './node-calls-go.ts'
import { aesKey, offerServerRoutes } from './routes.ts'

// The suite names its transports itself.
delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

const networks: Network[] = ['tcp', 'tcp6', 'unix']
const transports = ['native', 'js'] as const

describe('interop with Go DMicro', { skip: missing }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  it('has a Go server that passes the Go client', async () => {
    const server = await go.serve('tcp')
    try {
      assertAllOk(await go.check('tcp', server.address, '-peer-is-go'))
    } finally {
      await server.stop()
    }
  })

  for (const transport of transports) {
    for (const network of networks) {
      describe(`${transport} client calls Go over ${network}`, () => {
        let server: GoServer
        before(async () => {
          server = await go.serve(network)
        })
        nodeCallsGo(transport, () => server.url)
        after(() => server.stop()) // hooks run in this order: the client leaves first
      })

      it(`Go client calls ${transport} server over ${network}`, async () => {
        const server = new Endpoint({ transport, log: false, filters: [insecureAes(aesKey)] })
        assert.equal(server.transport.kind, transport)
        offerServerRoutes(server)
        const listener = await server.listen(urlOf(network, go.freeAddress(network)))
        try {
          assertAllOk(await go.check(network, addressOf(listener.url)))
        } finally {
          await server.close()
        }
      })
    }
  }
})

function assertAllOk(checks: { name: string; ok: boolean; detail: string }[]): void {
  const failed = checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.detail}`)
  assert.deepEqual(failed, [])
  assert.ok(checks.length > 20, `only ${checks.length} checks ran`)
}
