import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { it } from 'node:test'
import { type Endpoint, heartbeatPing, heartbeatPong, type Session, StatusError } from '../../src/index.ts'
import type { TestNetwork } from '../../src/testing/index.ts'
import { once, status } from '../support/helpers.ts'
import { couple, network, on } from '../support/testing-network.ts'

/** Virtual times at which connections were dialled. */
function dials(net: TestNetwork): number[] {
  return net.trace.filter((line) => line.endsWith(' dial')).map((line) => Number.parseFloat(line))
}

function serve(net: TestNetwork): Promise<Endpoint> {
  const server = on(net, 'server')
  server.routeCall('/echo', (value: unknown) => value)
  return net.run(async () => {
    await server.listen('tcp://server:1')
    return server
  })
}

it('attempts are spread over windows that double to their maximum, by the seed', async (t) => {
  const runs: number[][] = []
  for (const seed of [1, 1, 2]) {
    const net = network(t, { seed })
    const { session } = await couple(net, { client: { redial: { minDelay: 100, maxDelay: 5000 } } })
    const lost = event(session, 'redialing')
    net.host('server').crash()
    await net.run(lost)
    await net.advance(600_000)
    runs.push(dials(net))
    assert.equal(session.state, 'redialing')
  }
  const [one, two, three] = runs
  assert.deepEqual(one, two)
  assert.notDeepEqual(one, three)
  const gaps = one.slice(2).map((time, n) => time - one[n + 1])
  gaps.forEach((gap, n) => {
    assert.ok(gap <= Math.min(5000, 100 * 2 ** (n + 1)) + 1, `attempt ${n + 1} after ${gap} ms`)
  })
  const steady = gaps.slice(8)
  assert.ok(steady.length > 100 && steady.every((gap) => Math.abs(gap - 5000) <= 1), `${steady.length} attempts, ${steady} ms between them`)
})

it('calls and pushes made meanwhile are answered when the server is back, or fail at their deadline', async (t) => {
  const net = network(t)
  net.faults({ delay: [1, 20] })
  const { session } = await couple(net, { client: { redial: true } })
  const lost = event(session, 'redialing')
  net.host('server').crash()
  const [reason] = await net.run(lost)
  assert.ok(reason instanceof StatusError && reason.code === 102, String(reason))
  const start = net.now
  const ends = new Map<number, number>()
  const end = (timeout: number) => (): void => void ends.set(timeout, net.now - start)
  const short = status(session.call('/echo', 1, { timeout: 7000 }).finally(end(7000)))
  const long = session.call('/echo', 2, { timeout: 60_000 }).finally(end(60_000))
  const pushed = once<unknown>()
  const push = session.push('/late', 'x')
  await net.advance(20_000)
  assert.equal((await short)[0], 408)
  const took = ends.get(7000) as number
  assert.ok(took >= 7000 && took <= 7001, `${took} ms`)
  const server = await serve(net)
  server.routePush('/late', (value: unknown) => pushed.resolve(value))
  assert.equal(await net.run(long), 2)
  await net.run(push)
  assert.equal(await net.run(pushed.promise), 'x')
  assert.ok(net.now - start < 23_000, `back after ${net.now - start - 20_000} ms`)
  assert.equal(session.state, 'open')
})

it('a first connection is tried while the server is cut off, and made when it is there again', async (t) => {
  const net = network(t)
  await serve(net)
  const client = on(net, 'client')
  net.partition('server')
  const dialled = client.dial('tcp://server:1', { redial: true, timeout: 100_000 })
  const late = status(client.dial('tcp://server:1', { redial: true, timeout: 5000 }))
  await net.advance(30_000)
  assert.equal((await late)[0], 105)
  net.heal('server')
  assert.equal(await net.run(async () => await (await dialled).call('/echo', 1)), 1)
  assert.equal(net.now, 30_000)
})

it('an attempt that hangs is given up after the dial timeout, and the next one follows', async (t) => {
  const net = network(t)
  const { session } = await couple(net, { client: { redial: true, dialTimeout: 1000 } })
  net.links[0].reset()
  net.partition('client')
  await net.advance(10_000)
  const tried = dials(net).length
  assert.ok(tried >= 4 && tried <= 11, `${tried} dials`)
  net.heal()
  if (session.state !== 'open') await net.run(event(session, 'redialed'))
  assert.equal(await net.run(session.call('/echo', 'x')), 'x')
})

it('a heartbeat finds a silent drop within two intervals, and redial mends it', async (t) => {
  const net = network(t)
  const { session } = await couple(net, { client: { redial: true, plugins: [heartbeatPing({ interval: 4000 })] } })
  await net.advance(60_000)
  assert.equal(session.state, 'open')
  net.links[0].drop()
  const start = net.now
  const open = status(session.call('/never', 1, { timeout: 0 }))
  const [, cause] = [await net.run(open), net.now - start]
  assert.ok(cause <= 2.25 * 4000 + 1, `after ${cause} ms`)
  if (session.state !== 'open') await net.run(event(session, 'redialed'))
  assert.equal(await net.run(session.call('/echo', 'again')), 'again')
})

it('a pong closes the session of a peer that went silent, in a partition too', async (t) => {
  const net = network(t)
  const { peer } = await couple(net, {
    server: { plugins: [heartbeatPong()] },
    client: { plugins: [heartbeatPing({ interval: 3000 })] },
  })
  await net.advance(30_000)
  assert.equal(peer.state, 'open')
  net.partition('client', 'server', { oneWay: true })
  const start = net.now
  const [reason] = (await net.run(event(peer, 'close'))) as [StatusError]
  assert.match(reason.cause, /silent/)
  assert.ok(net.now - start <= 7500, `after ${net.now - start} ms`)
})

it('hundreds of sessions that lose their server come back, each once, after one restart after the other', async (t) => {
  const net = network(t, { seed: 'herd' })
  net.faults({ delay: [1, 50], split: 0.1 })
  let server = await serve(net)
  const clients = Array.from({ length: 20 }, (_, n) => on(net, `client${n}`, { redial: true }))
  const sessions: Session[] = await net.run(() =>
    Promise.all(clients.flatMap((client) => Array.from({ length: 10 }, () => client.dial('tcp://server:1')))),
  )
  for (let round = 0; round < 3; round++) {
    const lost = Promise.all(sessions.map((session) => event(session, 'redialing')))
    const back = Promise.all(sessions.map((session) => event(session, 'redialed')))
    net.host('server').crash()
    await net.run(lost)
    await net.advance(3000)
    server = await serve(net)
    await net.run(back)
    const answers = await net.run(Promise.all(sessions.map((session, n) => session.call('/echo', n))))
    assert.deepEqual(answers, [...sessions.keys()])
    assert.equal(server.sessionCount, sessions.length)
    assert.equal(net.links.length, sessions.length)
  }
})
