import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { StatusError } from '../../src/index.ts'
import { RpcClient, rateLimit, staticRegistry } from '../../src/rpc/index.ts'
import { endpoint, onEachTransport } from '../support/helpers.ts'

onEachTransport('contexts of calls that are made again', (transport) => {
  for (const [name, limits] of Object.entries({ alone: [], 'beside a rate limit': [rateLimit({ rate: 1e6, direction: 'out' })] }))
    test(`hooks of each attempt run in the context of the caller: ${name}`, async (t) => {
      const als = new AsyncLocalStorage<string>()
      const seen: (string | undefined)[] = []
      const seeing = { name: 'seeing', beforeWriteCall: () => void seen.push(als.getStore()) }
      let left = 1
      const addresses = await Promise.all(
        [0, 1].map(async () => {
          const server = endpoint(t, { transport })
          server.routeCall('/a', () => {
            if (left-- > 0) throw new StatusError(503, 'busy', '', { retryAfter: 1 })
            return 'done'
          })
          const { url } = await server.listen('tcp://127.0.0.1:0')
          return url.slice('tcp://'.length)
        }),
      )
      const registry = staticRegistry({ service: addresses })
      const client = new RpcClient('service', { transport, registry, plugins: [...limits, seeing] })
      t.after(() => client.close())
      assert.equal(await als.run('caller', () => client.call('/a')), 'done')
      assert.deepEqual(seen, ['caller', 'caller'])
    })
})
