import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Logger, type Plugin, StatusError } from '../../src/index.ts'
import { accessLog } from '../../src/observe/logs/index.ts'
import { type PrometheusPlugin, prometheus } from '../../src/observe/metrics/index.ts'
import { once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

onEachTransport('the access log', (transport) => {
  it('has a line with fields for each request that was served, with or without metrics, whichever comes first', async (t) => {
    const metrics = (): Plugin => prometheus({ service: 'x' })
    const make = (log: Logger): Plugin => accessLog({ log })
    const orders = [(log: Logger) => [make(log)], (log: Logger) => [make(log), metrics()], (log: Logger) => [metrics(), make(log)]]
    for (const plugins of orders) {
      const log = recorder()
      const given = plugins(log)
      const { server, session, peer } = await pair(t, transport, { server: { plugins: given } })
      const pushed = once()
      server.routeCall('/echo', async (value: unknown) => value)
      server.routeCall('/fail', () => Promise.reject(new StatusError(1001, 'secret')))
      server.routePush('/note', () => pushed.resolve())
      await session.call('/echo', 'secret', { meta: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } })
      await status(session.call('/fail'))
      await status(session.call('/none'))
      await session.push('/note', 1)
      await pushed.promise
      await session.call('/echo')
      assert.deepEqual(
        log.lines.map(({ level, text, fields: { kind, method, code, trace_id } }) => [level, text, kind, method, code, trace_id]),
        [
          ['info', 'request', 'call', '/echo', 0, '4bf92f3577b34da6a3ce929d0e0e4736'],
          ['info', 'request', 'call', '/fail', 1001, undefined],
          ['info', 'request', 'call', '_OTHER', 404, undefined],
          ['info', 'request', 'push', '/note', 0, undefined],
          ['info', 'request', 'call', '/echo', 0, undefined],
        ],
      )
      for (const { fields } of log.lines) {
        assert.equal(fields.session, peer.id)
        assert.ok((fields.ms as number) >= 0 && (fields.ms as number) < 5_000)
      }
      assert.doesNotMatch(JSON.stringify(log.lines), /secret/)
      const [page] = given.filter((plugin): plugin is PrometheusPlugin => 'page' in plugin)
      if (page !== undefined)
        assert.match((await page.page()).body.toString(), /dmicro_server_calls_total\{name="x",path="\/echo",code="0"\} 2/)
    }
  })

  it('leaves out a share of what succeeds, and nothing that fails or is slow', async (t) => {
    const log = recorder()
    const plugins = [accessLog({ sample: 0, slow: 20, log })]
    const { server, session } = await pair(t, transport, { server: { plugins } })
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/slow', () => new Promise((resolve) => setTimeout(resolve, 30)))
    for (let i = 0; i < 10; i++) await session.call('/echo')
    await session.call('/slow')
    await status(session.call('/none'))
    assert.deepEqual(
      log.lines.map(({ fields }) => [fields.method, fields.code]),
      [
        ['/slow', 0],
        ['_OTHER', 404],
      ],
    )
    assert.throws(() => accessLog({ sample: 2 }), /option sample/)
  })
})
