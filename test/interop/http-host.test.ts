import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { Endpoint, http, type Session } from '../../src/index.ts'
import { status } from '../support/helpers.ts'
import { GoPeer, type Network } from './go-peer.ts'

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

describe('where a call was dialled', { skip: missing }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const transport of ['native', 'js'] as const) {
    const dial = async (url: string, options = {}): Promise<[Endpoint, Session]> => {
      const client = new Endpoint({ transport, log: false, closeTimeout: 200, protocol: 'http', protocols: [http(options)] })
      return [client, await client.dial(url)]
    }

    it(`DMicro has it in no meta once it has answered, on later connections neither (${transport})`, async () => {
      const server = await go.serve('tcp', 'http')
      const [client, session] = await dial(server.url)
      const seen = async (by: Session): Promise<boolean> => 'Host' in (await by.call<Record<string, string>>('/meta/echo', {}))
      try {
        await session.call('/math/add', [1])
        assert.equal(await seen(session), false)
        assert.equal(await seen(await client.dial(server.url)), false)
        const [silent, other] = await dial(server.url, { host: false })
        assert.equal(await seen(other), false)
        await silent.close()
      } finally {
        await client.close()
        await server.stop()
      }
    })

    for (const network of ['tcp', 'tcp6', 'unix'] satisfies Network[]) {
      it(`Go's own HTTP server is told, and answers (${network}, ${transport})`, async () => {
        const server = await go.serveHttp(network)
        const [client, session] = await dial(server.url)
        const host = network === 'unix' ? 'localhost' : server.address
        try {
          for (const path of ['/a', '/hints', '/a?b=c'])
            assert.deepEqual(await session.call(path, { x: 1 }), { host, method: 'POST', body: '{"x":1}' })
          assert.equal(await session.call('/empty'), undefined)
          assert.deepEqual(await status(session.call('/none')), [404, 'Not Found', '404 page not found\n'])
          const many = Array.from({ length: 50 }, (_, i) => session.call<{ body: string }>('/a', i))
          assert.deepEqual(
            (await Promise.all(many)).map(({ body }) => Number(body)),
            [...many.keys()],
          )
        } finally {
          await client.close()
          await server.stop()
        }
      })
    }
  }
})
