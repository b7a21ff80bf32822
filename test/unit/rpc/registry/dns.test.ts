import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type DnsRegistryOptions, dnsRegistry, type Registry } from '../../../../src/rpc/index.ts'
import type { Service } from '../../../../src/rpc/registry/registry.ts'
import { DnsServer } from '../../../support/dns-server.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { addresses, contract, next, open, until } from './contract.ts'

const SRV = '_dmicro._tcp.math.test'

contract('dnsRegistry', async (t, services) => {
  const server = await DnsServer.start(t)
  const targets = new Map<string, number[]>()
  const write = (name: string, ports: number[]): void => {
    targets.set(name, ports)
    server.setTargets(
      `_dmicro._tcp.${name}.test`,
      ports.map((port) => ({ target: 'pod.test', port })),
    )
  }
  const portsOf = ({ nodes }: Service): number[] => nodes.map(({ address }) => Number(address.split(':')[1]))
  const add = async (given: Service): Promise<void> => write(given.name, [...(targets.get(given.name) ?? []), ...portsOf(given)])
  const remove = async (given: Service): Promise<void> =>
    write(
      given.name,
      (targets.get(given.name) ?? []).filter((port) => !portsOf(given).includes(port)),
    )
  server.setAddresses('A', 'pod.test', ['127.0.0.1'])
  for (const given of services) await add(given)
  const registry = dnsRegistry({ domain: 'test', servers: [server.address], interval: 10 })
  t.after(() => registry.close())
  return { registry, add, remove, lists: false, paths: false, metadata: false, details: false }
})

async function make(t: TestContext, options: DnsRegistryOptions = {}): Promise<{ server: DnsServer; registry: Registry }> {
  const server = await DnsServer.start(t)
  const registry = dnsRegistry({ domain: 'test', servers: [server.address], ...options })
  t.after(() => registry.close())
  return { server, registry }
}

test('with a port every A and AAAA record of the name is a node', async (t) => {
  const { server, registry } = await make(t, { port: 9000, scheme: 'tls', version: '2' })
  server.setAddresses('A', 'math.test', ['10.0.0.2', '10.0.0.1'])
  server.setAddresses('AAAA', 'math.test', ['fd00::1'])
  const [found] = await registry.getService('math')
  assert.equal(found.version, '2')
  assert.deepEqual(addresses([found]), ['tls://10.0.0.1:9000', 'tls://10.0.0.2:9000', 'tls://[fd00::1]:9000'])
  assert.equal(found.nodes[0].id, 'math-10.0.0.1:9000')
  assert.deepEqual(found.nodes[0].metadata, { registry: 'dns', host: 'math.test' })
})

test('SRV records say port, host and weight, and those of a higher priority number wait until the others have no address', async (t) => {
  const { server, registry } = await make(t)
  server.setTargets(SRV, [
    { target: 'spare.test', port: 3, priority: 20 },
    { target: 'a.test', port: 1, priority: 10, weight: 5 },
    { target: 'b.test', port: 2, priority: 10 },
  ])
  for (const [index, host] of ['a', 'b', 'spare'].entries()) server.setAddresses('A', `${host}.test`, [`10.0.0.${index}`])
  const [{ nodes }] = await registry.getService('math')
  assert.deepEqual(
    nodes.map(({ address }) => address),
    ['10.0.0.0:1', '10.0.0.1:2'],
  )
  assert.deepEqual(nodes[0].metadata, { registry: 'dns', host: 'a.test', weight: '5' })
  for (const host of ['a', 'b']) server.setAddresses('A', `${host}.test`, [])
  assert.deepEqual(addresses(await registry.getService('math')), ['10.0.0.2:3'])
})

test('one family of addresses is enough when the name server fails for the other', async (t) => {
  const { server, registry } = await make(t, { port: 9000 })
  server.setAddresses('A', 'math.test', ['10.0.0.1'])
  server.faults.set('AAAA math.test', 2)
  assert.deepEqual(addresses(await registry.getService('math')), ['10.0.0.1:9000'])
  server.setAddresses('A', 'math.test', [])
  await assert.rejects(registry.getService('math'), { code: 503 })
})

test('a name server that fails rejects, and ends a watch; only its word that there is none is an empty list', async (t) => {
  const { server, registry } = await make(t)
  assert.deepEqual(await registry.getService('math'), [])
  server.setTargets(SRV, [{ target: 'a.test', port: 1 }])
  assert.deepEqual(await registry.getService('math'), [])
  server.faults.set(`SRV ${SRV}`, 2)
  await assert.rejects(registry.getService('math'), { code: 503, cause: /^registry dns: querySrv ESERVFAIL/ })
  await assert.rejects(open(registry, 'math').next(), { code: 503 })
})

test('a name server that does not answer rejects within the timeout', async (t) => {
  const clock = new FakeClock()
  const { server, registry } = await make(t, { timeout: 60_000, clock })
  server.faults.set(`SRV ${SRV}`, 'silent')
  const lookup = assert.rejects(registry.getService('math'), { code: 503, cause: 'registry dns: no answer within 60000 ms' })
  await clock.advance(60_000)
  await lookup
})

test('a watch looks the name up after each interval, once for all its readers, and stops with the last one', async (t) => {
  const clock = new FakeClock(1)
  const { server, registry } = await make(t, { interval: 5_000, clock, family: 4, port: 1 })
  server.setAddresses('A', 'math.test', ['10.0.0.1'])
  const watches = [open(registry, 'math'), open(registry, 'math')]
  for (const watch of watches) assert.deepEqual(addresses(await next(watch)), ['10.0.0.1:1'])
  assert.deepEqual(server.asked, ['A math.test'])
  server.setAddresses('A', 'math.test', ['10.0.0.2'])
  await clock.advance(5_000)
  for (const watch of watches) await until(watch, ['10.0.0.2:1'])
  assert.equal(server.asked.length, 2)
  for (const watch of watches) await watch.return?.()
  assert.equal(clock.timers, 0)
})

test('bad options are refused', () => {
  for (const bad of [{ port: 0 }, { family: 5 }, { interval: 0 }]) assert.throws(() => dnsRegistry(bad as object), RangeError)
  for (const bad of [{ servers: '10.0.0.1' }, { hosts: [] }, { domain: 7 }]) assert.throws(() => dnsRegistry(bad as object), TypeError)
})
