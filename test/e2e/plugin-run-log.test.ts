import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bytes, type Logger, type Plugin, type ReadContext, runLog, StatusError } from '../../src/index.ts'
import { type PrometheusPlugin, prometheus } from '../../src/observe/metrics/index.ts'
import { once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

onEachTransport('plugin run-log', (transport) => {
  it('has a line for each message, and nothing of what is in it', async (t) => {
    const [mine, theirs] = [recorder(), recorder()]
    const { server, session, peer } = await pair(t, transport, {
      server: { plugins: [runLog({ log: theirs, slow: 20 })] },
      client: { plugins: [runLog({ log: mine })] },
    })
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/slow', () => new Promise((resolve) => setTimeout(resolve, 30)))
    const pushed = once()
    server.routePush('/push', () => pushed.resolve())
    const secret = { meta: { note: 'hidden' } }
    await session.call('/echo', 'hidden', secret)
    await session.call('/slow', 'hidden', secret)
    await assert.rejects(session.call('/none', 'hidden', secret), { code: 404 })
    await session.push('/push', 'hidden', { meta: { 'X-Real-IP': '1.2.3.4' } })
    await pushed.promise
    await session.call('/echo', 'hidden')
    const shape = (text: string): string => text.replace(/[\d.]+:\d+/, 'peer').replace(/ [\d.]+ms/, ' cost')
    const ours = mine.lines.map(({ text }) => shape(text))
    assert.deepEqual(ours, [
      'CALL-> peer(real:-) cost(-) "/echo" SEND({}) RECV({"size":8})',
      'CALL-> peer(real:-) cost(-) "/slow" SEND({}) RECV({"size":0})',
      'CALL-> peer(real:-) cost(-) "/none" SEND({}) RECV({"size":0,"status":{"code":404,"msg":"Not Found","cause":""}})',
      'PUSH-> peer(real:1.2.3.4) cost(-) "/push" SEND({})',
      'CALL-> peer(real:-) cost(-) "/echo" SEND({}) RECV({"size":8})',
    ])
    const answered = theirs.lines.map(({ text }) => shape(text)).slice(0, 4)
    assert.deepEqual(answered, [
      'CALL<- peer(real:-) cost(fast) "/echo" RECV({"size":8}) SEND({})',
      'CALL<- peer(real:-) cost(slow) "/slow" RECV({"size":8}) SEND({})',
      'CALL<- peer(real:-) cost(fast) "/none" RECV({"size":8}) SEND({"status":{"code":404,"msg":"Not Found","cause":""}})',
      'PUSH<- peer(real:1.2.3.4) cost(fast) "/push" RECV({"size":8})',
    ])
    assert.ok(mine.lines[0].text.startsWith(`CALL-> ${session.remoteAddress}(`))
    assert.ok(theirs.lines[0].text.startsWith(`CALL<- ${peer.remoteAddress}(`))
    assert.ok([...mine.lines, ...theirs.lines].every(({ level }) => level === 'debug'))
    const [, cost] = /\) ([\d.]+)ms\(slow\)/.exec(theirs.lines[1].text) as RegExpExecArray
    assert.ok(Number(cost) >= 25, cost)
  })

  it('shows bodies and meta when asked to, cut, without secrets (P11, T8)', async (t) => {
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { plugins: [runLog({ log, detail: true, maxDetail: 60 })] } })
    server.routeCall('/login', () => ({ ok: true, sessionToken: 'S3CRET' }))
    server.setUnknownCall(() => Buffer.from('S3CRET'))
    const meta = { Authorization: 'Bearer S3CRET', 'X-Api-Key': 'S3CRET', note: 'seen' }
    await session.call('/login', { user: 'ann', password: 'S3CRET', deep: [{ secret: { a: { b: 'S3CRET' }, c: 'S3CRET' } }] }, { meta })
    await session.call('/login', { user: 'ann', password: 'S3CRET' }, { codec: 'msgpack' })
    await session.call('/login', 'user=ann&password=S3CRET&token="S3CRET"', { codec: 'plain', acceptCodec: 'json' })
    await session.call('/login', 'x'.repeat(1000))
    await session.call('/unknown', 'S3CRET', { result: bytes })
    const texts = log.lines.map(({ text }) => text)
    assert.equal(texts.length, 5)
    assert.deepEqual(
      texts.filter((text) => text.includes('S3CRET')),
      [],
    )
    assert.match(texts[0], /"meta":\{"Authorization":"\*\*\*","X-Api-Key":"\*\*\*","note":"seen"\}/)
    assert.match(texts[0], /"body":"\{\\"user\\":\\"ann\\",\\"password\\":\\"\*\*\*\\"/)
    assert.match(texts[1], /ann.*\*\*\*/)
    assert.match(texts[2], /user=ann&password=\*\*\*/)
    assert.ok(texts.every((text) => text.length < 600))
  })

  it('a redact and a logger of one’s own may fail: no call does', async (t) => {
    const log = recorder()
    const broken = (): never => {
      throw new Error('broken')
    }
    const first = { plugins: [runLog({ log, detail: true, redact: broken })] }
    const second = { plugins: [runLog({ log: { debug: broken, info: broken, warn: broken, error: broken }, detail: true })] }
    const { server, session } = await pair(t, transport, { server: first, client: second })
    server.routeCall('/echo', (value: unknown) => value)
    assert.equal(await session.call('/echo', 'S3CRET'), 'S3CRET')
    assert.equal(log.lines.filter(({ level }) => level === 'debug').length, 1)
    assert.ok(log.lines.every(({ text }) => !text.includes('S3CRET')))
    assert.throws(() => runLog({ slow: -1 }), RangeError)
    assert.throws(() => runLog({ redact: 5 as never }), TypeError)
  })

  it('a hook of a reply sees its CALL, also when the handler took its time', async (t) => {
    const seen: unknown[] = []
    const look = {
      name: 'look',
      beforeWriteReply: (out: { request?: ReadContext | undefined }) => void seen.push(Buffer.from(out.request?.bytes ?? []).toString()),
    }
    const reply = {
      name: 'reply',
      afterReadReplyHeader: (message: ReadContext) => void seen.push([message.status?.code, message.request?.serviceMethod]),
      beforeWriteCall: () => {},
    }
    const { server, session } = await pair(t, transport, {
      server: { plugins: [look, { name: 'n', afterReadCallBody: () => {} }] },
      client: { plugins: [reply] },
    })
    server.routeCall('/later', async (value: string) => {
      await new Promise((resolve) => setTimeout(resolve, value === 'first' ? 20 : 1))
      if (value === 'second') throw new StatusError(1001)
    })
    const second = session.call('/later', 'first')
    await Promise.allSettled([second, session.call('/later', 'second')])
    assert.deepEqual(seen, ['"second"', [1001, '/later'], '"first"', [undefined, '/later']])
  })
})

onEachTransport('the access log', (transport) => {
  it('has a line with fields for each request that was served, with or without metrics, whichever comes first', async (t) => {
    const metrics = (): Plugin => prometheus({ service: 'x' })
    const make = (log: Logger): Plugin => runLog({ access: true, log })
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
    const plugins = [runLog({ access: true, sample: 0, slow: 20, log })]
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
    assert.throws(() => runLog({ access: true, sample: 2 }), /option sample/)
  })
})
