import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import dnsPacket, { type Answer } from 'dns-packet'
import { realClock } from '../../../../../src/base/time/clock.ts'
import { cachedRegistry } from '../../../../../src/rpc/index.ts'
import { mdnsRegistry } from '../../../../../src/rpc/registry/mdns/index.ts'
import { readPacket } from '../../../../../src/rpc/registry/mdns/read-packet.ts'
import { settle } from '../../../../support/fake-clock.ts'
import { addresses, contract, next, open, service, until } from '../contract.ts'
import { MemoryNetwork } from './network.ts'

contract('mdnsRegistry', async (t, services) => {
  const net = new MemoryNetwork()
  // Probes without gaps, and short waits.
  const quick = { clock: { ...realClock, random: () => 0 }, timeout: 60, quiet: 10 }
  // The registry's own timers keep no process alive.
  const alive = setInterval(() => {}, 1_000)
  t.after(() => clearInterval(alive))
  const { registry } = net.registry(t, quick)
  const { registry: server } = net.registry(t, quick)
  for (const given of services) await server.register(given)
  return { registry, add: (given) => server.register(given), remove: (given) => server.deregister(given), paths: false, metadata: false }
})

/** What a packet says, shortly: its questions and records. */
function summary(packet: Buffer): string {
  const { type, id, questions = [], answers = [], authorities = [] } = dnsPacket.decode(packet)
  const records = (list: Answer[]): string => list.map((each) => each.type).join(' ')
  return [type, id, questions.map(({ name }) => name).join(), records(answers), records(authorities)].join('|')
}

const MATH = service('math', [1])
const NAME = 'math-127.0.0.1:1.math.dmicro'
const PROBE = `query|0|${NAME}||SRV TXT`
const NEWS = 'response|0||SRV A TXT|'

test('a node is probed three times, announced after 0, 1 and 3 seconds, and each minute from then on', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  await registry.register(MATH)
  await settle()
  await net.clock.advance(0)
  assert.deepEqual(net.take('announce').map(summary), [PROBE, PROBE, PROBE, NEWS])
  for (const gap of [1_000, 2_000, 60_000, 60_000]) {
    await net.clock.advance(gap - 1)
    assert.deepEqual(net.take('announce'), [])
    await net.clock.advance(1)
    assert.deepEqual(net.take('announce').map(summary), [NEWS])
  }
})

test('deregistering says goodbye at once, in the middle of probing too, and gives the network back', async (t) => {
  const net = new MemoryNetwork()
  const { registry, medium } = net.registry(t)
  await registry.register(MATH)
  net.take('announce')
  await registry.deregister(MATH)
  const [goodbye, ...others] = net.take('announce')
  assert.equal(others.length, 0)
  assert.ok(readPacket(goodbye)?.records.every((record) => 'ttl' in record && record.ttl === 0))
  assert.equal(medium.handler, undefined)
  assert.equal(net.clock.timers, 0)
})

test('a renewal sends nothing, a change is announced', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  await registry.register(MATH)
  await net.clock.advance(5_000)
  net.take('announce')
  await registry.register(MATH)
  assert.deepEqual(net.take('announce'), [])
  await registry.register({ ...MATH, version: '1.0.1' })
  assert.deepEqual(net.take('announce').map(summary), [NEWS])
  await net.clock.advance(3_000)
  assert.deepEqual(net.take('announce').map(summary), [NEWS, NEWS])
  await registry.deregister(MATH)
  assert.equal(net.clock.timers, 0)
})

test('a question is answered with one datagram for each node, which repeats the question', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  await registry.register(service('math', [1, 2]))
  await registry.register(service('text', [3]))
  net.take('reply')
  const ask = (name: string, type: 'PTR' | 'SRV' | 'TXT' | 'A', klass = 1): string[] => {
    const packet = dnsPacket.encode({ type: 'query', id: 7, flags: 0, questions: [{ name, type, class: 'IN' }] })
    packet.writeUInt16BE(klass, packet.length - 2)
    net.deliver({ way: 'query', packet, from: '10.0.0.1' })
    net.take('query')
    return net.take('reply').map(summary)
  }
  assert.deepEqual(ask('math.dmicro', 'PTR'), Array(2).fill('response|0|math.dmicro|PTR SRV A TXT|'))
  assert.deepEqual(ask('math.dmicro', 'PTR', 0x8001), Array(2).fill('response|7|math.dmicro|PTR SRV A TXT|'))
  assert.deepEqual(ask('_services.dmicro', 'PTR'), Array(2).fill('response|0|_services.dmicro|PTR SRV A TXT|'))
  assert.deepEqual(ask('_services._dns-sd._udp.dmicro', 'PTR'), Array(3).fill('response|0|_services._dns-sd._udp.dmicro|PTR|'))
  assert.deepEqual(ask(NAME, 'SRV'), [`response|0|${NAME}|SRV A|`])
  assert.deepEqual(ask(NAME, 'TXT'), [`response|0|${NAME}|TXT|`])
  // As in Go.
  assert.deepEqual(ask(NAME, 'PTR'), [])
  assert.deepEqual(ask('Math.dmicro', 'PTR'), [])
  assert.deepEqual(ask('xmath.dmicro', 'PTR'), [])
})

test('a response that repeats a question is not taken for a question', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  await registry.register(MATH)
  const packet = dnsPacket.encode({ type: 'response', questions: [{ name: 'math.dmicro', type: 'PTR', class: 'IN' }] })
  net.deliver({ way: 'announce', packet, from: '10.0.0.9' })
  assert.deepEqual(net.take('reply'), [])
})

test('a lookup ends soon after the last answer, and without an answer it asks three times and ends with the timeout', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const { registry: server } = net.registry(t)
  await server.register(MATH)
  let found: string[] | undefined
  void registry.getService('math').then((services) => (found = addresses(services)))
  await net.clock.advance(199)
  assert.equal(found, undefined)
  await net.clock.advance(1)
  assert.deepEqual(found, ['127.0.0.1:1'])
  net.take('query')
  found = undefined
  void registry.getService('text').then((services) => (found = addresses(services)))
  await net.clock.advance(999)
  assert.equal(found, undefined)
  await net.clock.advance(1)
  assert.deepEqual(found, [])
  assert.equal(net.take('query').length, 3)
})

test('lookups of one name at the same time ask once, and one beside a watch asks nobody', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const { registry: server } = net.registry(t)
  await server.register(MATH)
  const lookups = Promise.all([registry.getService('math'), registry.getService('math')])
  await net.clock.advance(200)
  await lookups
  assert.equal(net.take('query').length, 1)
  const watch = open(registry, 'math')
  const first = next(watch)
  await net.clock.advance(200)
  assert.deepEqual(addresses(await first), ['127.0.0.1:1'])
  net.take('query')
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  assert.equal(net.take('query').length, 0)
  await watch.return?.()
})

test('a node that never announces itself again is kept as long as it answers, and is gone 120 seconds after it does not', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const { registry: server } = net.registry(t)
  await server.register(MATH)
  const watch = open(registry, 'math')
  const first = next(watch)
  await net.clock.advance(200)
  await first
  await net.clock.advance(3_600_000)
  const waiting = next(watch)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  await server.close()
  await net.clock.advance(79_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  await net.clock.advance(41_000)
  assert.deepEqual(await waiting, [])
  await watch.return?.()
})

test('nodes outlive a time in which the process stood still, because it could not hear of them', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const { registry: server } = net.registry(t)
  await server.register(MATH)
  const watch = open(registry, 'math')
  const first = next(watch)
  await net.clock.advance(200)
  await first
  net.isDown = true
  net.clock.standstill = 600_000
  await net.clock.advance(40_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  await net.clock.advance(121_000)
  assert.deepEqual(await registry.getService('math'), [])
  await watch.return?.()
})

test('a watch asks ever less often, every 40 seconds in the end', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const watch = open(registry, 'math')
  const first = next(watch)
  await net.clock.advance(1_000)
  await first
  net.take('query')
  await net.clock.advance(60_000)
  assert.equal(net.take('query').length, 6)
  await net.clock.advance(400_000)
  assert.ok([10, 11].includes(net.take('query').length))
  await watch.return?.()
  assert.equal(net.clock.timers, 0)
})

test('a node on all addresses is where its packets come from, whatever else arrives from it', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const { registry: server } = net.registry(t, { advertise: '0.0.0.0' })
  const { registry: again } = net.registry(t, { advertise: '0.0.0.0' })
  const any = { ...MATH, nodes: [{ ...MATH.nodes[0], address: '0.0.0.0:7' }] }
  const watch = open(registry, 'math')
  await server.register(any)
  const first = next(watch)
  await net.clock.advance(200)
  await settle()
  await net.clock.advance(200)
  assert.deepEqual(addresses(await first), ['10.0.0.2:7'])
  // The same node from another of its addresses.
  await again.register(any)
  await net.clock.advance(5_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['10.0.0.2:7'])
  await watch.return?.()
})

test('an address without a host gets one of this host, and a scheme survives', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const { registry: server } = net.registry(t)
  const [node] = MATH.nodes
  const at = ['0.0.0.0:1', '[::]:2', ':3', 'tcp://10.0.0.9:4', 'tls://[fd00::9]:5']
  await server.register({ ...MATH, nodes: at.map((address, index) => ({ ...node, id: `n${index}`, address })) })
  const lookup = registry.getService('math')
  await net.clock.advance(200)
  const found = await lookup
  assert.deepEqual(addresses(found), ['10.0.0.2:1', '10.0.0.2:2', '10.0.0.2:3', '10.0.0.9:4', 'tls://[fd00::9]:5'])
  for (const { metadata } of found[0].nodes) assert.deepEqual(metadata, node.metadata)
})

test('behind a cache the first lookup asks once, and later ones ask nobody and take no time', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const { registry: server } = net.registry(t)
  const cached = cachedRegistry(registry, { clock: net.clock, log: false })
  t.after(() => cached.close())
  await server.register(MATH)
  const lookup = cached.getService('math')
  await net.clock.advance(200)
  assert.deepEqual(addresses(await lookup), ['127.0.0.1:1'])
  assert.equal(net.take('query').length, 1)
  assert.deepEqual(addresses(await cached.getService('math')), ['127.0.0.1:1'])
  assert.equal(net.take('query').length, 0)
  await server.register(service('math', [2]))
  await net.clock.advance(0)
  assert.deepEqual(addresses(await cached.getService('math')), ['127.0.0.1:1', '127.0.0.1:2'])
})

test('what mDNS cannot carry is refused', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const [node] = MATH.nodes
  for (const address of ['localhost:1', '/run/app.sock', '10.0.0.1', '10.0.0.1:0', '10.0.0.1:65536', '10.0.0.1:1e3', '[fe80::1%eth0]:1'])
    await assert.rejects(registry.register({ ...MATH, nodes: [{ ...node, address }] }), TypeError, address)
  for (const id of ['a b', `${'x'.repeat(64)}`, 'a..b', 'ü', 'a"b', `${'x.'.repeat(130)}x`])
    await assert.rejects(registry.register({ ...MATH, nodes: [{ ...node, id }] }), TypeError, id)
  await assert.rejects(registry.register(service('_services', [1])), TypeError)
  await assert.rejects(registry.getService('a b'), TypeError)
  const random = randomBytes(6_000).toString('base64')
  await assert.rejects(registry.register({ ...MATH, nodes: [{ ...node, metadata: { random } }] }), TypeError)
  assert.equal(net.sent.length, 0)
})

test('nodes that others will not find are warned of', async (t) => {
  const net = new MemoryNetwork()
  const { registry } = net.registry(t)
  const random = randomBytes(1_000).toString('base64')
  await registry.register({ ...MATH, version: '', nodes: [{ ...MATH.nodes[0], metadata: { random } }] })
  assert.equal(net.log.lines.length, 2)
})

test('the network is opened for as long as there is a node, a lookup or a watch', async (t) => {
  const net = new MemoryNetwork()
  const { registry, medium } = net.registry(t)
  assert.equal(medium.opens, 0)
  await registry.register(MATH)
  const watch = open(registry, 'text')
  const first = next(watch)
  const lookup = registry.getService('math')
  await net.clock.advance(1_000)
  await Promise.all([first, lookup])
  assert.equal(medium.opens, 1)
  await registry.deregister(MATH)
  assert.notEqual(medium.handler, undefined)
  await watch.return?.()
  assert.equal(medium.handler, undefined)
})

test('without a network everything rejects, and works when there is one again', async (t) => {
  const net = new MemoryNetwork()
  const { registry, medium } = net.registry(t)
  medium.failure = new Error('EADDRINUSE')
  const lost = { code: 503, cause: 'registry mdns: EADDRINUSE' }
  await assert.rejects(registry.register(MATH), lost)
  await assert.rejects(registry.getService('math'), lost)
  await assert.rejects(open(registry, 'math').next(), lost)
  medium.failure = undefined
  medium.works = false
  await assert.rejects(registry.getService('math'), { code: 503 })
  await assert.rejects(registry.listServices(), { code: 503 })
  await assert.rejects(open(registry, 'math').next(), { code: 503 })
  assert.equal(medium.handler, undefined)
  medium.works = true
  await registry.register(MATH)
  const lookup = registry.getService('math')
  await net.clock.advance(200)
  assert.deepEqual(addresses(await lookup), ['127.0.0.1:1'])
})

test('a watch whose network is lost ends by an error', async (t) => {
  const net = new MemoryNetwork()
  const { registry, medium } = net.registry(t)
  const watch = open(registry, 'math')
  const first = next(watch)
  await net.clock.advance(1_000)
  await first
  const waiting = assert.rejects(watch.next(), { code: 503 })
  medium.works = false
  await net.clock.advance(1_000)
  await waiting
  assert.equal(medium.handler, undefined)
})

test('a lookup that was given up, and a watch that was left at once, give the network back', async (t) => {
  const net = new MemoryNetwork()
  const { registry, medium } = net.registry(t)
  const controller = new AbortController()
  const lookup = assert.rejects(registry.getService('math', { signal: controller.signal }), /enough/)
  const watch = open(registry, 'math')
  const first = watch.next()
  await watch.return?.()
  assert.equal((await first).done, true)
  controller.abort(new Error('enough'))
  await lookup
  await net.clock.advance(1_000)
  assert.equal(medium.handler, undefined)
  assert.equal(net.clock.timers, 0)
})

test('two registries on real sockets find each other', async (t) => {
  // A port and a domain of its own, so that nothing else on this machine takes part.
  const options = { port: 40_000 + (process.pid % 20_000), domain: `t${process.pid}`, log: false } as const
  const server = mdnsRegistry(options)
  const client = mdnsRegistry({ ...options, timeout: 5_000 })
  t.after(() => Promise.all([server.close(), client.close()]))
  const alive = setInterval(() => {}, 1_000)
  t.after(() => clearInterval(alive))
  try {
    await server.register(MATH)
  } catch (error) {
    return t.skip(`no multicast here: ${error}`)
  }
  assert.deepEqual(addresses(await client.getService('math')), ['127.0.0.1:1'])
  assert.deepEqual(
    (await client.listServices()).map(({ name }) => name),
    ['math'],
  )
  const watch = open(client, 'math')
  await until(watch, ['127.0.0.1:1'])
  await server.register(service('math', [2]))
  await until(watch, ['127.0.0.1:1', '127.0.0.1:2'])
  await server.deregister(service('math', [1, 2]))
  await until(watch, [])
  await watch.return?.()
})

test('bad options are refused', () => {
  for (const bad of [{ domain: 'a b' }, { advertise: 'localhost' }, { hostName: '' }, { group: '' }, { log: {} }])
    assert.throws(() => mdnsRegistry(bad as object), TypeError, JSON.stringify(bad))
  for (const bad of [{ port: 0 }, { timeout: 0 }, { quiet: 0 }]) assert.throws(() => mdnsRegistry(bad), RangeError)
})
