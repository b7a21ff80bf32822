import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { once as event } from 'node:events'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Endpoint, StatusError } from '../../src/index.ts'
import { TestNetwork } from '../../src/testing/index.ts'
import { status } from '../support/helpers.ts'
import { couple, network, on } from '../support/testing-network.ts'
import { run } from './fixtures/testing-trace.ts'

const fixture = fileURLToPath(new URL('./fixtures/testing-trace.ts', import.meta.url))

it('the same seed gives the same run, here and in another process; another seed another', async () => {
  const [one, two] = [await run('a'), await run('a')]
  assert.deepEqual(two.trace, one.trace)
  assert.equal(two.digest, one.digest)
  assert.ok(one.trace.length > 200, `${one.trace.length} lines`)
  assert.notEqual((await run('b')).digest, one.digest)
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', fixture, 'a'])
  assert.equal(stdout.trim(), one.digest)
})

it('runs that take turns do not change each other', async () => {
  const alone = await run('a')
  const [one, two] = await Promise.all([run('a'), run('b')])
  assert.equal(one.digest, alone.digest)
  assert.equal(two.digest, (await run('b')).digest)
})

it('an endpoint says where it runs, and nothing overrides it', async (t) => {
  process.env.DMICRO_TRANSPORT = 'js'
  t.after(() => delete process.env.DMICRO_TRANSPORT)
  const net = network(t)
  const { transport, clock } = on(net, 'server', { busyPoll: 50, ioThreads: 2 })
  assert.equal(String(transport), 'memory (host server of a TestNetwork)')
  assert.deepEqual([transport.kind, transport.ioThreads], ['memory', 0])
  assert.equal(clock.now(), net.now)
})

it('deadlines, close and hook timeouts take virtual time to the millisecond', async (t) => {
  const net = network(t)
  const stuck = {
    name: 'stuck',
    beforeWriteReply: (out: { serviceMethod: string }) => (out.serviceMethod === '/stuck' ? new Promise(() => {}) : undefined),
  }
  const { session, server, client } = await couple(net, { server: { plugins: [stuck], hookTimeout: 7000 } })
  server.routeCall('/stuck', () => 1)
  const real = performance.now()
  const start = net.now
  assert.equal((await net.run(status(session.call('/never', 1, { timeout: 25_000 }))))[0], 408)
  assert.equal(net.now - start, 25_000)
  assert.equal(await net.run(session.call('/stuck')), 1)
  assert.equal(net.now - start, 32_000)
  const open = status(session.call('/never', 1, { timeout: 0 }))
  await net.run(client.close({ timeout: 600_000 }))
  assert.equal((await open)[0], 102)
  assert.equal(net.now - start, 632_000)
  assert.ok(performance.now() - real < 5000, 'in no real time')
})

it('large filtered messages, which other threads work on, take no virtual time', async (t) => {
  const net = network(t)
  const { session } = await couple(net)
  const text = 'large '.repeat(300_000)
  assert.equal(await net.run(session.call('/echo', text, { filters: ['gzip'], timeout: 1 })), text)
  assert.equal(net.now, 0)
})

it('work outside stops time', async (t) => {
  const net = network(t)
  const { session, server } = await couple(net)
  server.routeCall('/file', async () => (await net.outside(readFile(fixture))).length)
  assert.ok((await net.run(session.call<number>('/file', 1, { timeout: 1 }))) > 100, 'has a length')
  assert.equal(net.now, 0)
  await assert.rejects(net.run(net.outside(readFile('/nowhere'))), { code: 'ENOENT' })
})

it('every protocol and codec runs over it, in pieces', async (t) => {
  for (const protocol of ['raw', 'json', 'protobuf', 'http', 'jsonrpc']) {
    const net = network(t)
    net.faults({ split: true, delay: [0, 3] })
    const { session } = await couple(net, { server: { protocol }, client: { protocol } })
    for (const value of ['x', [1, 2, 3], { a: { b: null } }]) assert.deepEqual(await net.run(session.call('/echo', value)), value, protocol)
  }
})

it('Unix sockets, ports that are chosen, and addresses that a host has for itself', async (t) => {
  const net = network(t)
  const server = on(net, 'server')
  server.routeCall('/id', (_: unknown, ctx) => [ctx.session.localAddress, ctx.session.remoteAddress])
  const one = await net.run(server.listen('tcp://server:0'))
  const two = await net.run(server.listen('tcp://:0'))
  assert.deepEqual([one.url, two.url], ['tcp://server:49152', 'tcp://server:49153'])
  await net.run(server.listen('unix:///run/x.sock'))
  const own = await net.run(server.dial('unix:///run/x.sock'))
  assert.deepEqual(await net.run(own.call('/id')), ['/run/x.sock', '@'])
  const local = await net.run(server.dial('tcp://127.0.0.1:49152'))
  assert.deepEqual(await net.run(local.call('/id')), ['server:49152', 'server:49154'])
  const client = on(net, 'client')
  assert.match((await net.run(status(client.dial('unix:///run/x.sock'))))[2], /ENOENT/)
  assert.match((await net.run(status(client.dial('tcp://127.0.0.1:49152'))))[2], /ECONNREFUSED/)
})

it('unknown hosts, addresses in use or of others, and closed listeners are told as the system tells them', async (t) => {
  const net = network(t)
  const server = on(net, 'server')
  const client = on(net, 'client')
  const listener = await net.run(server.listen('tcp://server:1'))
  await assert.rejects(net.run(server.listen('tcp://server:1')), { code: 'EADDRINUSE' })
  await assert.rejects(net.run(server.listen('tcp://client:2')), { code: 'EADDRNOTAVAIL' })
  await assert.rejects(net.run(server.listen('tcp://server:3', { reusePort: true })), /reusePort/)
  const [code, , cause] = await net.run(status(client.dial('tcp://nowhere:1')))
  assert.equal(code, 105)
  assert.match(cause, /ENOTFOUND nowhere/)
  await net.run(listener.close())
  assert.match((await net.run(status(client.dial('tcp://server:1'))))[2], /ECONNREFUSED tcp:\/\/server:1/)
  await net.run(server.listen('tcp://server:1'))
})

it('bad options and faults are refused by name', async (t) => {
  const net = network(t)
  assert.throws(() => new TestNetwork({ seed: {} as never }), /seed/)
  assert.throws(() => new TestNetwork({ highWater: 0 }), /highWater/)
  assert.throws(() => new TestNetwork({ maxTrace: -1 }), /maxTrace/)
  for (const [faults, name] of [
    [{ delay: -1 }, /delay/],
    [{ delay: [5, 1] }, /delay/],
    [{ delay: [1] }, /delay/],
    [{ delay: Number.NaN }, /delay/],
    [{ delay: 'x' }, /delay/],
    [{ loss: 2 }, /loss/],
    [{ split: -0.1 }, /split/],
    [{ stall: 5 }, /stall/],
    [{ stall: { chance: 0.5 } }, /stall.ms/],
    [{ stall: { ms: 5 } }, /stall.chance/],
    [{ reset: '1' }, /reset/],
    [{ latency: 5 }, /latency/],
    [null, /object/],
  ] as const)
    assert.throws(() => net.faults(faults as never), name)
  assert.throws(() => net.faults({}, { from: 'nobody' }), /nobody/)
  assert.throws(() => net.partition('client', 'nobody'), /nobody/)
  assert.throws(() => net.host(''), /name/)
  await assert.rejects(net.advance(-1), /milliseconds/)
  await assert.rejects(net.run(Promise.resolve(), { limit: Number.NaN }), /milliseconds/)
  assert.throws(() => new Endpoint({ transport: {} as never }), /transport/)
  assert.throws(() => new Endpoint({ transport: null as never }), /transport/)
  await assert.rejects(net.sleep(-1), /milliseconds/)
})

it('a function for a delay that throws, or gives no time, ends the run with its error', async (t) => {
  const net = network(t)
  const { session } = await couple(net)
  net.faults({ delay: () => -5 })
  await assert.rejects(net.run(session.call('/echo')), /-5/)
  net.faults({
    delay: () => {
      throw new Error('mine')
    },
  })
  await assert.rejects(net.run(session.call('/echo')), /mine/)
})

it('only one lets time pass', async (t) => {
  const net = network(t)
  const { session, server } = await couple(net)
  server.routeCall('/advance', () => net.advance(5))
  const first = net.advance(10)
  await assert.rejects(net.advance(5), /time passes already, by advance/)
  await assert.rejects(net.run(Promise.resolve()), /time passes already/)
  assert.throws(() => net.start(), /time passes already/)
  await first
  assert.equal(net.now, 10)
  assert.equal((await net.run(status(session.call('/advance'))))[0], 500)
  net.start()
  await assert.rejects(net.advance(5), /by start/)
  assert.equal(await session.call('/echo', 'by itself'), 'by itself')
  await net.sleep(100_000)
  await net.stop()
  assert.ok(net.now >= 100_010, `${net.now} ms`)
  await net.advance(5)
})

it('a run that cannot end says what is open', async (t) => {
  const net = network(t, { seed: 'stuck' })
  const { session, client } = await couple(net, { client: { timeout: 0, dialTimeout: 100 } })
  const call = status(session.call('/never'))
  await assert.rejects(net.run(call), (error: Error) => {
    assert.match(error.message, /nothing is left that could happen/)
    assert.match(error.message, /seed stuck/)
    assert.match(error.message, /#1 open: client:49152 \(1 calls without a reply\) > server:1 \(1 handlers running\)/)
    return true
  })
  net.partition('client', 'server')
  void session.push('/lost')
  await assert.rejects(net.run(call), /cut: client>server, server>client/)
  const tick = (): void => void net.clock.setTimeout(tick, 1000)
  tick()
  await assert.rejects(net.run(call, { limit: 60_000 }), /has not settled in 60000 virtual ms/)
  assert.equal(client.sessionCount, 1)
})

it('errors of the work, and of timers, come out of run', async (t) => {
  const net = network(t)
  await assert.rejects(
    net.run(() => {
      throw new StatusError(404)
    }),
    { code: 404 },
  )
  net.clock.setTimeout(() => {
    throw new Error('a timer threw')
  }, 5)
  await assert.rejects(net.advance(10), /a timer threw/)
  await net.advance(10)
})

it('code that asks for turn after turn gets many, but time goes on', async (t) => {
  const net = network(t)
  let rounds = 0
  let immediate: NodeJS.Immediate
  const again = (): void => {
    rounds++
    immediate = setImmediate(again)
  }
  again()
  await net.advance(10)
  clearImmediate(immediate!)
  assert.ok(rounds > 100, `${rounds} rounds`)
})

it('timers keep the async context they were set in', async (t) => {
  const net = network(t)
  const { session, server } = await couple(net)
  const store = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  server.routeCall('/context', async () => {
    seen.push(store.getStore())
    await store.run(
      'handler',
      () => new Promise<void>((resolve) => net.clock.setTimeout(() => resolve(void seen.push(store.getStore())), 5)),
    )
  })
  await store.run('outside', () => net.run(session.call('/context')))
  assert.deepEqual(seen, [undefined, 'handler'])
})

it('closing the network ends sessions and dials, and endpoints can be closed without time', async (t) => {
  const net = network(t)
  const { session, peer, client, server } = await couple(net, { client: { redial: true } })
  const call = status(session.call('/never'))
  net.partition('client', 'server')
  const dial = status(client.dial('tcp://server:1', { redial: false }))
  const waits = status(session.call('/never'))
  const gone = event(peer, 'close')
  await net.advance(10)
  await net.close()
  assert.equal((await dial)[0], 105)
  assert.match((await dial)[2], /ENETDOWN/)
  assert.equal((await call)[0], 102)
  assert.match((await gone)[0].cause, /ENETDOWN/)
  await client.close()
  await server.close()
  assert.equal((await waits)[0], 102)
  assert.equal(session.state, 'closed')
  await assert.rejects(net.advance(1), /closed/)
  await assert.rejects(net.run(Promise.resolve()), /closed/)
  await net.close()
  const late = on(net, 'client')
  await assert.rejects(late.listen('tcp://client:1'), { code: 'ENETDOWN' })
  await assert.rejects(late.dial('tcp://server:1'), { code: 105 })
})

it('closing the network while it runs ends the run', async (t) => {
  const net = network(t)
  const { session } = await couple(net)
  const running = net.run(session.call('/never', 1, { timeout: 0 }).catch(() => new Promise(() => {})))
  await assert.rejects(Promise.all([running, net.close()]), /closed while run waited/)
})

it('keeps as many lines of the trace as it may, and a digest of all', async (t) => {
  const digests = []
  for (const maxTrace of [0, 5, 1000]) {
    const net = network(t, { maxTrace })
    const { session } = await couple(net)
    for (let n = 0; n < 10; n++) await net.run(session.call('/echo', n))
    assert.equal(net.trace.length, Math.min(maxTrace, 43))
    digests.push(net.digest)
  }
  assert.equal(new Set(digests).size, 1)
})
