import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { it } from 'node:test'
import type { StatusError } from '../../src/index.ts'
import type { TestNetwork } from '../../src/testing/index.ts'
import { status } from '../support/helpers.ts'
import { couple, network, on } from '../support/testing-network.ts'

/** What `work` gives, and the virtual milliseconds it took. */
async function timed<T>(net: TestNetwork, work: () => Promise<T>): Promise<[T, number]> {
  const start = net.now
  const result = await net.run(work)
  return [result, net.now - start]
}

it('delay: bytes travel as long as it says, in the directions it says', async (t) => {
  const net = network(t)
  net.faults({ delay: 10 })
  const [{ session, peer }, dialled] = await timed(net, async () => {
    const server = on(net, 'server')
    server.routeCall('/echo', (value: unknown) => value)
    await server.listen('tcp://server:1')
    const client = on(net, 'client')
    client.routeCall('/echo', (value: unknown) => value)
    const accepted = event(server, 'session')
    const dialling = await client.dial('tcp://server:1')
    return { session: dialling, peer: (await accepted)[0] }
  })
  assert.equal(dialled, 20)
  assert.deepEqual(await timed(net, () => session.call('/echo', 1)), [1, 20])
  net.faults({ delay: 100 }, { from: 'client', to: 'server' })
  assert.deepEqual(await timed(net, () => session.call('/echo', 2)), [2, 110])
  assert.deepEqual(await timed(net, () => peer.call('/echo', 3)), [3, 110])
  net.faults({ delay: () => 1.5 }, { from: 'client' })
  assert.deepEqual(await timed(net, () => session.call('/echo', 4)), [4, 11.5])
  net.faults({}, { from: 'client' })
  net.faults({}, { from: 'client', to: 'server' })
  net.links[0].faults({ delay: [3, 4] })
  const [, range] = await timed(net, () => session.call('/echo', 5))
  assert.ok(range >= 6 && range <= 8, `${range} ms`)
})

it('bytes never overtake each other, whatever their delay', async (t) => {
  const net = network(t)
  net.faults({ delay: [0, 100], split: true, loss: 0.2 })
  const { session, server } = await couple(net)
  const came: number[] = []
  server.routePush('/n', (n: number) => void came.push(n))
  await net.run(async () => {
    for (let n = 0; n < 200; n++) {
      await session.push('/n', n)
      if (n % 3 === 0) await net.sleep(1)
    }
    while (came.length < 200) await net.sleep(100)
  })
  assert.deepEqual(
    came,
    Array.from({ length: 200 }, (_, n) => n),
  )
})

it('split: writes come in pieces, and a large message whole', async (t) => {
  const net = network(t)
  const { session } = await couple(net)
  net.faults({ split: true })
  const text = 'äöü'.repeat(200_000)
  assert.equal(await net.run(session.call('/echo', text)), text)
  const pieces = net.trace.filter((line) => line.includes(' arrive '))
  assert.ok(pieces.length > 50, `${pieces.length} pieces`)
})

it('loss: what is lost comes 200 ms later, 400 more when it is lost again', async (t) => {
  const net = network(t, { seed: 'loss' })
  const { session } = await couple(net)
  net.faults({ loss: 0.3 })
  const times = new Set<number>()
  for (let n = 0; n < 40; n++) times.add((await timed(net, () => session.call('/echo', n)))[1])
  assert.ok(times.has(0) && times.has(200), `took ${[...times].join(', ')} ms`)
  for (const time of times) assert.equal(time % 200, 0, `took ${time} ms`)
})

it('stall: what was sent waits, then comes in order', async (t) => {
  const net = network(t)
  const { session } = await couple(net)
  net.faults({ stall: { chance: 1, ms: [500, 600] } }, { from: 'client' })
  const [, one] = await timed(net, () => session.call('/echo', 1))
  assert.ok(one >= 500 && one <= 600, `${one} ms`)
  net.faults({}, { from: 'client' })
  net.links[0].stall(50, 'server')
  assert.deepEqual(await timed(net, () => session.call('/echo', 2)), [2, 50])
})

it('drop: nobody is told, calls fail at their deadline', async (t) => {
  const net = network(t)
  const { session, peer } = await couple(net, { client: { timeout: 5000 } })
  net.faults({ drop: 1 }, { from: 'server' })
  const [[code], took] = await timed(net, () => status(session.call('/echo', 1)))
  assert.deepEqual([code, took], [408, 5000])
  net.faults({}, { from: 'server' })
  const [[later], again] = await timed(net, () => status(session.call('/echo', 1)))
  assert.deepEqual([later, again], [408, 5000])
  assert.deepEqual([session.state, peer.state], ['open', 'open'])
  assert.equal(net.links[0].dropped, true)
})

it('reset: both sides are told, and open calls fail with 102', async (t) => {
  const net = network(t)
  const { session, peer } = await couple(net)
  const closed = Promise.all([event(session, 'close'), event(peer, 'close')])
  net.faults({ reset: 1 }, { to: 'server' })
  const [[code, , cause], took] = await timed(net, () => status(session.call('/echo', 1)))
  assert.deepEqual([code, took], [102, 0])
  assert.match(cause, /ECONNRESET/)
  for (const [reason] of await net.run(closed)) assert.match((reason as StatusError).cause, /ECONNRESET/)
  assert.deepEqual(net.links, [])
})

it('a connection can be reset and half closed by hand', async (t) => {
  const net = network(t)
  const { session, client } = await couple(net)
  net.links[0].halfClose('server')
  const [reason] = (await net.run(event(session, 'close'))) as [StatusError]
  assert.match(reason.cause, /peer/)
  const next = await net.run(client.dial('tcp://server:1'))
  net.links[0].reset()
  net.links[0].reset()
  const [again] = (await net.run(event(next, 'close'))) as [StatusError]
  assert.match(again.cause, /ECONNRESET/)
})

it('halfClose: the peer sees the end behind what was written', async (t) => {
  const net = network(t)
  const { session } = await couple(net)
  net.faults({ halfClose: 1 }, { from: 'server' })
  assert.equal(await net.run(session.call('/echo', 'last')), 'last')
  if (session.state !== 'closed') await net.run(event(session, 'close'))
  assert.equal(session.state, 'closed')
})

it('refuse: who dials is told so', async (t) => {
  const net = network(t)
  const { client } = await couple(net)
  net.faults({ refuse: 1, delay: 5 })
  const [[code, , cause], took] = await timed(net, () => status(client.dial('tcp://server:1')))
  assert.deepEqual([code, took], [105, 10])
  assert.match(cause, /ECONNREFUSED/)
})

it('a partition holds up what is sent and who dials until it heals', async (t) => {
  const net = network(t)
  const { session, client } = await couple(net, { client: { dialTimeout: 3000 } })
  net.partition('client', 'server')
  const call = session.call('/echo', 1)
  const [[code], took] = await timed(net, () => status(client.dial('tcp://server:1')))
  assert.deepEqual([code, took], [105, 3000])
  const dialled = client.dial('tcp://server:1')
  await net.advance(1000)
  net.heal()
  assert.equal(await net.run(call), 1)
  assert.equal(await net.run((await net.run(dialled)).call('/echo', 2)), 2)
  assert.equal(net.now, 4000)
})

it('a partition may be one way, of one host, and heal in part', async (t) => {
  const net = network(t)
  const { session, server } = await couple(net)
  const came: unknown[] = []
  server.routePush('/note', (value: unknown) => void came.push(value))
  net.partition('server', 'client', { oneWay: true })
  assert.equal((await net.run(status(session.call('/echo', 1, { timeout: 100 }))))[0], 408)
  await net.run(session.push('/note', 'one way'))
  await net.advance(1)
  assert.deepEqual(came, ['one way'])
  net.partition('server')
  await net.run(session.push('/note', 'held'))
  net.heal('server', 'client')
  await net.advance(1000)
  assert.deepEqual(came, ['one way'])
  net.heal('server')
  await net.advance(0)
  assert.deepEqual(came, ['one way', 'held'])
})

it('a reset is lost in a partition: who was not told learns it when he writes', async (t) => {
  const net = network(t)
  const { session, peer } = await couple(net)
  net.partition('client')
  peer.destroy()
  await net.advance(60_000)
  net.heal()
  // The end of the stream is sent again; a session that waits learns of it.
  await net.run(event(session, 'close'))

  const { session: other } = await (async () => {
    const next = on(net, 'client')
    return { session: await net.run(next.dial('tcp://server:1')) }
  })()
  await net.advance(1000) // it said what it speaks, and is silent from then on
  net.partition('client')
  net.host('server').crash()
  await net.advance(60_000)
  net.heal()
  await net.advance(60_000)
  assert.equal(other.state, 'open')
  const [[code], took] = await timed(net, () => status(other.call('/echo', 1)))
  assert.deepEqual([code, took], [102, 0])
})

it('a crashed host loses its listeners and connections; its peers are told', async (t) => {
  const net = network(t)
  const { session, peer, client } = await couple(net)
  const closed = Promise.all([event(session, 'close'), event(peer, 'close')])
  net.host('server').crash()
  const [[reason]] = await net.run(closed)
  assert.match((reason as StatusError).cause, /ECONNRESET/)
  assert.equal((await net.run(status(client.dial('tcp://server:1'))))[0], 105)
  const again = on(net, 'server')
  again.routeCall('/echo', () => 'again')
  await net.run(again.listen('tcp://server:1'))
  const next = await net.run(client.dial('tcp://server:1'))
  assert.equal(await net.run(next.call('/echo')), 'again')
})

it('a peer that does not read is felt: what is sent fills the pipe, then waits, then is refused', async (t) => {
  const net = network(t, { highWater: 1000 })
  const { server, client } = await couple(net, { server: { limits: { maxUnsent: 10_000, writeTimeout: 7000 } } })
  const accepted = event(server, 'session')
  const raw = await net.run(net.host('client').connect('tcp://server:1'))
  const [slow] = await net.run(accepted)
  const codes: number[] = []
  for (let n = 0; n < 30; n++) {
    const [code] = await status(slow.push('/n', 'x'.repeat(500)).then(() => Promise.reject(Object.assign(new Error(), { code: 0 }))))
    codes.push(code)
    await net.advance(10)
  }
  assert.equal(codes[0], 0)
  assert.equal(codes.at(-1), 104)
  const [link] = net.links.slice(-1)
  assert.ok(link.unread('server') > 1000, `${link.unread('server')} bytes`)
  raw.resume()
  await net.advance(10)
  assert.equal(link.unread('server'), 0)
  await net.run(slow.push('/n', 'goes on'))
  raw.pause()
  for (let n = 0; n < 10; n++) await net.run(slow.push('/n', 'x'.repeat(500)))
  const start = net.now
  const [reason] = await net.run(event(slow, 'close'))
  assert.match(reason.cause, /does not read/)
  assert.ok(net.now - start >= 7000 && net.now - start < 12_000, `${net.now - start} ms`)
  assert.equal(client.sessionCount, 1)
})

it('frames that are begun and not ended time out, on every protocol', async (t) => {
  for (const protocol of ['raw', 'json', 'http']) {
    const net = network(t)
    const { server } = await couple(net, { server: { protocol, limits: { frameTimeout: 3000 } }, client: { protocol } })
    const accepted = event(server, 'session')
    const raw = await net.run(net.host('client').connect('tcp://server:1'))
    const [session] = await net.run(accepted)
    raw.write(protocol === 'http' ? 'POST /echo HT' : Buffer.from([0, 0, 0, 50]))
    const start = net.now
    await net.run(event(session, 'close'))
    assert.ok(net.now - start >= 3000 && net.now - start < 6000, `${protocol}: ${net.now - start} ms`)
    assert.equal(server.stats.violations, 1)
  }
})
