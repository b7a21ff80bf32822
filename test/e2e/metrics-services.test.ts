import assert from 'node:assert/strict'
import { it } from 'node:test'
import { request } from 'undici'
import { StatusError } from '../../src/index.ts'
import { console as consolePages, prometheus } from '../../src/observe/metrics/index.ts'
import { bulkhead, rateLimit, staticRegistry } from '../../src/rpc/index.ts'
import { endpoint, once, onEachTransport, pair } from '../support/helpers.ts'
import { checkHistograms, valuesOf } from '../support/metrics-page.ts'
import { mathServer, over, ownRegistry, rpcClient } from '../support/rpc.ts'

onEachTransport('metrics of services', (transport) => {
  it('count nodes, picks, retries, failovers and breakers of a client, and stay when it is closed', async (t) => {
    const registry = ownRegistry(t)
    const server = await mathServer(t, transport, registry)
    let refused = 0
    server.routeCall('/math/once', () => {
      if (refused++ > 0) return 'done'
      throw new StatusError(503, 'not yet')
    })
    server.routeCall('/math/bad', () => Promise.reject(new StatusError(500)))
    const metrics = prometheus({ service: 'shop' })
    const other = endpoint(t, { transport, plugins: [metrics] }) // so that the plugin stays open
    const client = rpcClient(t, transport, registry, { plugins: [metrics], breaker: { kind: 'classic', minVolume: 100 } })
    const values = (family: string) => valuesOf(metrics, family)
    assert.equal(await client.call('/math/add', [1, 2]), 3)
    assert.equal(await client.call('/math/once', 1, { idempotent: true }), 'done')
    await assert.rejects(client.call('/math/bad'), { code: 500 })
    assert.deepEqual(await values('dmicro_nodes'), { 'service=math,state=in_use': 1, 'service=math,state=ejected': 0 })
    assert.deepEqual(await values('dmicro_registry_up'), { 'service=math': 1 })
    assert.deepEqual(await values('dmicro_node_picks_total'), { 'service=math': client.selector.stats('math')?.picks })
    assert.ok((client.selector.stats('math')?.picks ?? 0) >= 4)
    assert.equal((await values('dmicro_node_changes_total'))['service=math,change=came'], 1)
    assert.equal((await values('dmicro_retries_total'))['service=math,kind=retry'], 1)
    assert.equal((await values('dmicro_retries_refused_total'))['service=math,reason=final'], 1)
    assert.ok((await values('dmicro_retry_budget'))['service=math'] > 0)
    const breakers = await values('dmicro_breaker_calls_total')
    assert.equal(breakers['service=math,result=allowed'], 4)
    assert.equal(breakers['service=math,result=failed'], 2)
    assert.equal((await values('dmicro_breakers'))['service=math,state=closed'], 3)
    for (const each of client.breakers ?? []) each.open()
    await assert.rejects(client.call('/math/add', [1]), { code: 503 })
    assert.deepEqual(await values('dmicro_breakers'), {
      'service=math,state=closed': 0,
      'service=math,state=open': 3,
      'service=math,state=half_open': 0,
    })
    assert.equal((await values('dmicro_breaker_calls_total'))['service=math,result=rejected'], 1)
    assert.equal((await values('dmicro_breaker_openings_total'))['service=math'], 3)

    const before = await values('dmicro_node_picks_total')
    await other.listen('tcp://127.0.0.1:0')
    await client.close()
    assert.deepEqual(await values('dmicro_node_picks_total'), before)
    assert.equal((await values('dmicro_retries_total'))['service=math,kind=retry'], 1)
    for (const gauge of ['dmicro_nodes', 'dmicro_registry_up', 'dmicro_breakers']) assert.deepEqual(await values(gauge), {})
  })

  it('count a node that dies: failovers, its ejection, and calls that no node could take', async (t) => {
    const metrics = prometheus()
    const dead = await endpoint(t, { transport }).listen('tcp://127.0.0.1:0')
    const address = new URL(dead.url).host
    await dead.close()
    const node = await endpoint(t, { transport })
    node.routeCall('/math/add', () => 3)
    const { url } = await node.listen('tcp://127.0.0.1:0')
    const client = rpcClient(t, transport, staticRegistry([address, new URL(url).host]), {
      plugins: [metrics],
      strategy: 'roundRobin',
      health: { consecutiveFailures: 1, panicThreshold: 0 },
    })
    for (let i = 0; i < 4; i++) assert.equal(await client.call('/math/add'), 3)
    const values = (family: string) => valuesOf(metrics, family)
    assert.deepEqual(await values('dmicro_nodes'), { 'service=math,state=in_use': 1, 'service=math,state=ejected': 1 })
    assert.deepEqual(await values('dmicro_node_health_changes_total'), {
      'service=math,change=ejected': 1,
      'service=math,change=returned': 0,
    })
    assert.equal((await values('dmicro_retries_total'))['service=math,kind=failover'], 1)
    const none = rpcClient(t, transport, ownRegistry(t), { plugins: [metrics] })
    await assert.rejects(none.call('/math/add', 1, { timeout: 1_000 }), { code: 503 })
    assert.equal((await values('dmicro_unavailable_total'))['service=math'], 1)
  })

  it('count hedges, and the calls that the hedge answered first', async (t) => {
    const registry = ownRegistry(t)
    const metrics = prometheus()
    let calls = 0
    for (let i = 0; i < 2; i++) {
      const server = await mathServer(t, transport, registry)
      server.routeCall('/math/slow', () => (calls++ === 0 ? new Promise(() => {}) : 'fast'))
      server.routeCall('/math/fails', () => Promise.reject(new StatusError(500)))
    }
    const client = rpcClient(t, transport, registry, {
      plugins: [metrics],
      strategy: 'roundRobin',
      hedge: { delay: 200 },
      fallback: () => 'given',
    })
    for (let i = 0; i < 2; i++) await client.call('/math/add', [1]) // both nodes have a session
    assert.equal(await client.call('/math/slow', 1, { idempotent: true }), 'fast')
    assert.equal(await client.call('/math/fails'), 'given')
    await assert.rejects(client.call('/math/none'), { code: 404 })
    assert.equal((await valuesOf(metrics, 'dmicro_retries_total'))['service=math,kind=hedge'], 1)
    assert.deepEqual(await valuesOf(metrics, 'dmicro_hedge_wins_total'), { 'service=math': 1 })
    assert.deepEqual(await valuesOf(metrics, 'dmicro_fallbacks_total'), {
      'service=math,result=handled': 1,
      'service=math,result=passed': 1,
    })
  })

  it('tell of an outage of the registry on both sides, and of its end', async (t) => {
    const memory = ownRegistry(t)
    let isAway = false
    const cut = new Set<() => void>()
    const registry = over(memory, {
      async register(...args) {
        if (isAway) throw new Error('away')
        await memory.register(...args)
      },
      async *watch(name, options) {
        if (isAway) throw new Error('away')
        const lost = once()
        cut.add(lost.resolve)
        const lists = memory.watch(name, options)[Symbol.asyncIterator]()
        for (;;) {
          const next = await Promise.race([lists.next(), lost.promise.then(() => undefined)])
          if (next === undefined) throw new Error('away')
          if (next.done) return
          yield next.value
        }
      },
    })
    const [served, made] = [prometheus(), prometheus()]
    const server = await mathServer(t, transport, registry, { plugins: [served] })
    const lines: string[] = []
    const wait = new Map<string, () => void>()
    const line = (text: string): void => {
      lines.push(text)
      wait.get(text)?.()
    }
    const log = { debug: line, info: line, warn: line, error: line }
    const client = rpcClient(t, transport, registry, { plugins: [made], log })
    assert.equal(await client.call('/math/add', [1, 2]), 3)
    assert.deepEqual(await valuesOf(served, 'dmicro_registered'), { 'service=math': 1 })
    assert.equal((await valuesOf(served, 'dmicro_registrations_total'))['service=math,result=success'], 1)

    isAway = true
    const lost = new Promise<void>((resolve) => wait.set('registry lost, the nodes known last are used', resolve))
    const failed = new Promise((resolve) => server.once('registrationFailed', resolve))
    for (const end of cut) end()
    server.routeCall('/math/more', () => 1)
    await Promise.all([lost, failed])
    assert.deepEqual(await valuesOf(made, 'dmicro_registry_up'), { 'service=math': 0 })
    assert.deepEqual(await valuesOf(made, 'dmicro_registry_outages_total'), { 'service=math': 1 })
    assert.deepEqual(await valuesOf(made, 'dmicro_nodes'), { 'service=math,state=in_use': 1, 'service=math,state=ejected': 0 })
    assert.deepEqual(await valuesOf(served, 'dmicro_registered'), { 'service=math': 0 })
    assert.ok((await valuesOf(served, 'dmicro_registrations_total'))['service=math,result=failure'] >= 1)

    const before = (await valuesOf(made, 'dmicro_registry_updates_total'))['service=math']
    const again = new Promise((resolve) => server.once('registered', resolve))
    isAway = false
    await again
    while (!client.selector.isConnected('math')) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(await valuesOf(made, 'dmicro_registry_up'), { 'service=math': 1 })
    assert.ok((await valuesOf(made, 'dmicro_registry_updates_total'))['service=math'] > before)
    assert.deepEqual(await valuesOf(served, 'dmicro_registered'), { 'service=math': 1 })
  })

  it('count what rate limits and bulkheads do, those of routes too, once for each plugin', async (t) => {
    const metrics = prometheus({ service: 'x' })
    const limit = rateLimit({ rate: 1, burst: 2, by: 'route', name: 'quo"ta' })
    const { server, session } = await pair(t, transport, { server: { plugins: [metrics, limit] } })
    const second = endpoint(t, { transport, plugins: [metrics, limit] })
    await second.listen('tcp://127.0.0.1:0')
    const [called, open] = [once(), once()]
    server.routeCall(
      '/one',
      () => {
        called.resolve()
        return open.promise
      },
      { plugins: [bulkhead({ max: 1, maxQueued: 1, queueTimeout: 60_000 })] },
    )
    const first = session.call('/one')
    await called.promise
    const waiting = session.call('/one')
    await assert.rejects(session.call('/one'), { code: 503 })
    const values = (family: string) => valuesOf(metrics, family)
    const messages = await values('dmicro_limiter_messages_total')
    assert.equal(messages['limiter=quo\\ta,result=allowed'], 2)
    assert.equal(messages['limiter=quo\\ta,result=refused'], 1)
    assert.equal(messages['limiter=quo\\ta,result=would_refuse'], 0)
    assert.equal(messages['limiter=bulkhead,result=passed'], 1)
    assert.equal(messages['limiter=bulkhead,result=queued'], 1)
    assert.deepEqual(await values('dmicro_limiter_running'), { 'limiter=bulkhead': 1 })
    assert.deepEqual(await values('dmicro_limiter_queued'), { 'limiter=bulkhead': 1 })
    assert.deepEqual(await values('dmicro_limiter_keys'), { 'limiter=quo\\ta': 1 })
    open.resolve()
    await Promise.all([first, waiting])
    await server.close()
    const after = await values('dmicro_limiter_messages_total')
    assert.equal(after['limiter=bulkhead,result=passed'], 1)
    assert.equal(after['limiter=quo\\ta,result=refused'], 1)
    const third = endpoint(t, { transport, plugins: [metrics] })
    third.group('/again', limit)
    await third.listen('tcp://127.0.0.1:0')
    await second.close()
    assert.equal((await values('dmicro_limiter_messages_total'))['limiter=quo\\ta,result=refused'], 1)
  })

  it('are those that the console shows, of endpoints that have it as a plugin', async (t) => {
    const registry = ownRegistry(t)
    const [pages, metrics] = [consolePages(), prometheus()]
    const plugins = [pages, metrics]
    const server = await mathServer(t, transport, registry, { plugins })
    server.routeCall('/math/few', () => 1, { plugins: [rateLimit({ rate: 1, name: 'rare' }), bulkhead({ max: 7, name: 'few' })] })
    const client = rpcClient(t, transport, registry, { plugins, breaker: true, hedge: true, retry: false })
    await client.call('/math/few')
    await assert.rejects(client.call('/math/few'), { code: 429 })
    const shown = async (path: string): Promise<string> => (await request(`${pages.url}${path}`)).body.text()
    const services = await shown('/services')
    const { picks } = client.selector.stats('math') ?? {}
    assert.match(services, new RegExp(`<dt>picks</dt><dd>${picks}</dd>`))
    assert.deepEqual(await valuesOf(metrics, 'dmicro_node_picks_total'), { 'service=math': picks })
    for (const text of ['failovers', 'Hedges', 'Breakers', 'math: served here', '>registered<', '<dt>succeeded</dt>'])
      assert.ok(services.includes(text), text)
    const limits = await shown('/limits')
    assert.match(limits, /<h3>few<\/h3>.*<dt>passed<\/dt><dd>1<\/dd>/s)
    assert.match(limits, /<h3>rare<\/h3>.*<dt>refused<\/dt><dd>1<\/dd>/s)
    assert.equal((await valuesOf(metrics, 'dmicro_limiter_messages_total'))['limiter=rare,result=refused'], 1)
    checkHistograms((await metrics.page()).body.toString())
  })
})
