import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { it, type TestContext } from 'node:test'
import { type Endpoint, type EndpointOptions, MultiClient, type Session, StatusError } from '../../src/index.ts'
import type { TestNetwork } from '../../src/testing/index.ts'
import { network, on } from '../support/testing-network.ts'

const MAX_DELAY = 1950
const STRANGER = 'a server of another protocol'

/** Virtual times at which connections were dialled. */
function dials(net: TestNetwork): number[] {
  return net.trace.filter((line) => line.endsWith(' dial')).map((line) => Number.parseFloat(line))
}

/** Of the dials in the last `windows` × `MAX_DELAY` ms. */
function lately(net: TestNetwork, windows: number): number {
  return dials(net).filter((time) => time > net.now - windows * MAX_DELAY).length
}

/** What takes connections and drops them, in all the ways it can. */
const refusers: Record<string, (net: TestNetwork) => Promise<unknown>> = {
  'a full server': async (net) => {
    const server = on(net, 'server', { limits: { maxSessions: 1 } })
    await server.listen('tcp://server:1')
    return await on(net, 'squatter').dial('tcp://server:1')
  },
  'a server that closes what it accepts': (net) => {
    const server = on(net, 'server')
    server.on('session', (session) => session.destroy())
    return server.listen('tcp://server:1')
  },
  'a server that closes gracefully what it accepts': (net) => {
    const server = on(net, 'server')
    server.on('session', (session) => void session.close())
    return server.listen('tcp://server:1')
  },
  'a server that greets and then closes': (net) => {
    const server = on(net, 'server')
    server.on('session', (session) => {
      void session.push('/greeting')
      void session.close()
    })
    return server.listen('tcp://server:1')
  },
  'a server whose afterAccept refuses': (net) => {
    const refusing = {
      name: 'refusing',
      afterAccept: () => {
        throw new StatusError(403)
      },
    }
    return on(net, 'server', { plugins: [refusing] }).listen('tcp://server:1')
  },
  [STRANGER]: (net) => {
    const server = on(net, 'server', { protocol: 'http' })
    return server.listen('tcp://server:1')
  },
}

async function client(t: TestContext, refuse: (net: TestNetwork) => Promise<unknown>, options: EndpointOptions = {}) {
  const net = network(t)
  net.host('squatter')
  await net.run(() => refuse(net))
  return { net, client: on(net, 'client', { redial: true, ...options }) }
}

/** Speaks first, as its users do, and again whenever it has a connection. */
function speaks(session: Session): void {
  const speak = (): void => void session.call('/hello', 1, { timeout: 1000 }).catch(() => {})
  session.on('redialed', speak)
  speak()
}

for (const [name, refuse] of Object.entries(refusers)) {
  for (const talks of [false, true]) {
    if (!talks && name === STRANGER) continue // it waits for a first request, and so do we
    it(`${name} is dialled once in maxDelay, ${talks ? 'by one that calls' : 'by a silent one'}; and times ends it`, async (t) => {
      const { net, client: caller } = await client(t, refuse)
      const session = await net.run(() => caller.dial('tcp://server:1'))
      if (talks) speaks(session)
      await net.advance(60_000)
      const tried = lately(net, 10)
      assert.ok(tried >= 9 && tried <= 11, `${tried} dials in ten times maxDelay`)
      await net.run(session.close({ timeout: 0 }))
      const few = await net.run(() => caller.dial('tcp://server:1', { redial: { times: 3 } }))
      if (talks) speaks(few)
      const before = dials(net).length
      const closed = event(few, 'close')
      await net.run(closed)
      assert.equal(dials(net).length - before, 3)
    })
  }

  it(`${name} is dialled once in maxDelay by a MultiClient, with redial or without`, async (t) => {
    for (const redial of [false, true]) {
      const { net, client: caller } = await client(t, refuse)
      const many = new MultiClient(caller, 'tcp://server:1', { min: 1, max: 1, dial: { redial } })
      for (let n = 0; n < 120; n++) {
        void many.call('/hello', 1, { timeout: 1000 }).catch(() => {})
        await net.advance(500)
      }
      const tried = lately(net, 10)
      assert.ok(tried >= 4 && tried <= 11, `${tried} dials in ten times maxDelay, redial ${redial}`)
      await net.run(many.close({ timeout: 0 }))
    }
  })
}

it('when a connection has held it begins anew: an answered call is enough, or some seconds', async (t) => {
  const net = network(t)
  const server = on(net, 'server')
  server.routeCall('/echo', (value: unknown) => value)
  await net.run(() => server.listen('tcp://server:1'))
  const peers: Session[] = []
  server.on('session', (session) => peers.push(session))
  const session = await net.run(() => on(net, 'client', { redial: { times: 2 } }).dial('tcp://server:1'))
  for (const hold of ['call', 'call', 'call', 'time', 'time', 'time']) {
    if (hold === 'call') assert.equal(await net.run(session.call('/echo', 1)), 1)
    else await net.advance(5000)
    const back = event(session, 'redialed')
    const since = net.now
    peers.at(-1)?.destroy()
    await net.run(back)
    assert.ok(net.now - since <= 101, `${hold}: back after ${net.now - since} ms`)
  }
  assert.equal(session.state, 'open')
})

it('sessions that reach their age have failed nobody', async (t) => {
  const net = network(t)
  const server = on(net, 'server')
  await net.run(() => server.listen('tcp://server:1'))
  const session = await net.run(() => on(net, 'client', { redial: { times: 1 }, sessionAge: 1000 }).dial('tcp://server:1'))
  await net.advance(20_000)
  assert.equal(session.state, 'open')
  assert.ok(dials(net).length > 15)
})

it('a full server and a thousand that redial: each tries once in maxDelay, evenly, and all are in 2 s after there is room', async (t) => {
  const count = 1000
  const net = network(t)
  net.host('squatter')
  const server = on(net, 'server', { limits: { maxSessions: count } })
  server.routeCall('/echo', (value: unknown) => value)
  await net.run(() => server.listen('tcp://server:1'))
  const squatter = on(net, 'squatter')
  await net.run(() => Promise.all(Array.from({ length: count }, () => squatter.dial('tcp://server:1'))))
  const clients: Endpoint[] = Array.from({ length: 4 }, () => on(net, 'client', { redial: true }))
  const sessions = await net.run(() =>
    Promise.all(clients.flatMap((one) => Array.from({ length: count / 4 }, () => one.dial('tcp://server:1')))),
  )
  await net.advance(10 * MAX_DELAY)
  assert.equal(lately(net, 4), 4 * count)
  const bins = Array.from({ length: 10 }, () => 0)
  for (const time of dials(net)) if (time > net.now - MAX_DELAY) bins[Math.floor(((net.now - time) / MAX_DELAY) * 10)]++
  assert.ok(Math.max(...bins) < 1.5 * (count / 10), String(bins))
  const refused = server.stats.refused
  await net.run(squatter.close())
  const since = net.now
  await net.advance(2000)
  t.diagnostic(`${refused} refused; of each tenth of a window ${bins.join(' ')}; ${server.sessionCount} back after ${net.now - since} ms`)
  assert.equal(server.sessionCount, count)
  const answers = await net.run(Promise.all(sessions.map((session, n) => session.call('/echo', n))))
  assert.deepEqual(answers, [...sessions.keys()])
})
