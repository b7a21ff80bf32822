import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryRegistry } from '../../../../src/rpc/index.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { addresses, contract, next, open, service } from './contract.ts'

contract('memoryRegistry', async (t, services) => {
  const registry = memoryRegistry({ services })
  t.after(() => registry.close())
  return { registry, add: (given) => registry.register(given), remove: (given) => registry.deregister(given) }
})

test('a node that is not renewed within its time to live is gone, and a watch sees it go', async (t) => {
  const clock = new FakeClock()
  const registry = memoryRegistry({ clock })
  t.after(() => registry.close())
  await registry.register(service('math', [1]), { ttl: 1_000 })
  await registry.register(service('math', [2]), { ttl: 1_000 })
  const watch = open(registry, 'math')
  assert.deepEqual(addresses(await next(watch)), ['127.0.0.1:1', '127.0.0.1:2'])
  await clock.advance(600)
  await registry.register(service('math', [2]), { ttl: 1_000 })
  const waiting = next(watch)
  await clock.advance(400)
  assert.deepEqual(addresses(await waiting), ['127.0.0.1:2'])
  await clock.advance(599)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:2'])
  await clock.advance(1)
  assert.deepEqual(await next(watch), [])
  assert.deepEqual(await registry.listServices(), [])
  assert.equal(clock.timers, 0)
})

test('nodes outlive a time in which the process stood still, because nobody could renew them', async (t) => {
  const clock = new FakeClock()
  const registry = memoryRegistry({ clock })
  t.after(() => registry.close())
  await registry.register(service('math', [1]), { ttl: 10_000 })
  clock.standstill = 60_000
  await clock.advance(10_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  await clock.advance(5_000)
  assert.deepEqual(await registry.getService('math'), [])
})

test('a renewal without a change is no event', async (t) => {
  const registry = memoryRegistry()
  t.after(() => registry.close())
  await registry.register(service('math', [1]))
  const watch = open(registry, 'math')
  await next(watch)
  await registry.register(service('math', [1]))
  await registry.deregister(service('math', [9]))
  await registry.register(service('math', [2]))
  assert.deepEqual(addresses(await next(watch)), ['127.0.0.1:1', '127.0.0.1:2'])
  await watch.return?.()
})

test('a time to live of 0 or Infinity, and services given from the beginning, never expire', async (t) => {
  const clock = new FakeClock()
  const registry = memoryRegistry({ clock, services: [service('math', [1])] })
  t.after(() => registry.close())
  await registry.register(service('math', [2]), { ttl: 0 })
  await registry.register(service('math', [3]), { ttl: Number.POSITIVE_INFINITY })
  await registry.register(service('math', [4]))
  await clock.advance(90_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'])
})

test('a node without an id gets one of its address, so that two of them do not replace each other', async (t) => {
  const registry = memoryRegistry()
  t.after(() => registry.close())
  const nodes = service('math', [1, 2]).nodes.map((node) => ({ ...node, id: '' }))
  await registry.register({ ...service('math', []), nodes })
  const [{ nodes: found }] = await registry.getService('math')
  assert.deepEqual(
    found.map(({ id }) => id),
    ['math-127.0.0.1:1', 'math-127.0.0.1:2'],
  )
})

test('a caller that changes what it registered, or what it found, changes nothing in the registry', async (t) => {
  const registry = memoryRegistry()
  t.after(() => registry.close())
  const metadata: Record<string, string> = { team: 'a' }
  await registry.register(service('math', [1], { metadata }))
  metadata.team = 'b'
  const [found] = await registry.getService('math')
  assert.throws(() => (found.nodes as unknown[]).pop(), TypeError)
  assert.throws(() => Object.assign(found.metadata, { team: 'c' }), TypeError)
  assert.deepEqual((await registry.getService('math'))[0].metadata, { team: 'a' })
})

test('a key named __proto__ is metadata like any other', async (t) => {
  const registry = memoryRegistry()
  t.after(() => registry.close())
  await registry.register(service('math', [1], { metadata: JSON.parse('{"__proto__":"x"}') }))
  const [{ metadata }] = await registry.getService('math')
  assert.deepEqual(Object.keys(metadata), ['__proto__'])
  assert.equal(Object.getPrototypeOf(metadata), Object.prototype)
})

test('a watch that was left is forgotten', async (t) => {
  const registry = memoryRegistry()
  t.after(() => registry.close())
  await registry.register(service('math', [1]))
  for await (const services of registry.watch('math')) {
    assert.equal(services.length, 1)
    break
  }
  const watch = open(registry, 'math')
  await next(watch)
  await watch.return?.()
  assert.equal((await watch.next()).done, true)
})

test('misspelt options and bad values are refused', async () => {
  assert.throws(() => memoryRegistry({ seed: [] } as object), /unknown option/)
  assert.throws(() => memoryRegistry({ services: [{}] as never }), TypeError)
  const registry = memoryRegistry()
  await assert.rejects(registry.register(service('math', [1]), { ttl: -1 }), RangeError)
})
