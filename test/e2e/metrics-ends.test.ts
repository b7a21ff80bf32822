import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SpanKind } from '@opentelemetry/api'
import type { Plugin } from '../../src/index.ts'
import { prometheus } from '../../src/observe/metrics/index.ts'
import { once, onEachTransport, pair } from '../support/helpers.ts'
import { valuesOf } from '../support/metrics-page.ts'
import { spans } from '../support/spans.ts'

const { CONSUMER } = SpanKind

/** No plugin, and one whose hooks send requests another way. */
const hooked: readonly Plugin[] = [{ name: 'none' }, { name: 'hooks', afterReadCallBody() {}, afterReadPushBody() {} }]

onEachTransport('each request is counted at its end', (transport) => {
  it('a push whose handler rejects after its time', async (t) => {
    for (const plugin of hooked) {
      const [served, traced] = [prometheus(), spans({ steps: false })]
      const { server, session } = await pair(t, transport, {
        server: { handlerTimeout: 20, plugins: [served, traced.plugin, plugin] },
      })
      const late = once()
      server.routeCall('/done', () => {})
      server.routePush('/late', (_, { signal }) => {
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('late'))
            late.resolve()
          })
        })
      })
      await session.push('/late')
      await late.promise
      await session.call('/done')
      assert.deepEqual(await valuesOf(served, 'dmicro_pushes_received_failed_total'), { 'path=/late': 1 }, plugin.name)
      assert.equal(traced.one('/late', CONSUMER).attributes['rpc.status_code'], '500')
    }
  })
})
