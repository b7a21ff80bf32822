import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { type TestContext, test } from 'node:test'
import { type CachedRegistryOptions, cachedRegistry, memoryRegistry } from '../../../../src/rpc/index.ts'
import type { LookupOptions, Registry, Service } from '../../../../src/rpc/registry/registry.ts'
import { Readers, SnapshotReader } from '../../../../src/rpc/registry/snapshots.ts'
import { FakeClock, settle } from '../../../support/fake-clock.ts'
import { recorder } from '../../../support/helpers.ts'
import { addresses, contract, next, open, service } from './contract.ts'

contract('cachedRegistry', async (t, services) => {
  const inner = memoryRegistry({ services })
  const registry = cachedRegistry(inner, { emptyGrace: 0, log: false })
  t.after(() => registry.close())
  return { registry, add: (given) => inner.register(given), remove: (given) => inner.deregister(given) }
})

/** A registry that counts, and fails when it is told to. */
class Flaky implements Registry {
  readonly name = 'flaky'
  services: readonly Service[] = []
  /** Rejects everything while set. */
  lost: Error | undefined
  /** Lookups wait for it. */
  gate: Promise<void> | undefined
  lookups = 0
  watches = 0
  closed = false
  readonly readers = new Readers()

  set(services: readonly Service[]): void {
    this.services = services
    this.readers.set(services)
  }

  lose(): void {
    this.lost = new Error('no connection')
    this.readers.fail(this.lost)
  }

  async getService(_name: string, { signal }: LookupOptions = {}): Promise<readonly Service[]> {
    this.lookups++
    const { services } = this
    await this.gate
    signal?.throwIfAborted()
    if (this.lost !== undefined) throw this.lost
    return services
  }

  watch(_name: string, { signal }: LookupOptions = {}): AsyncIterable<readonly Service[]> {
    return new SnapshotReader(
      {
        onReader: (reader) => {
          this.watches++
          this.readers.add(reader)
          if (this.lost !== undefined) reader.fail(this.lost)
          else reader.set(this.services)
        },
        onReaderGone: (reader) => this.readers.delete(reader),
      },
      signal,
    )
  }

  async register(): Promise<void> {}
  async deregister(): Promise<void> {}
  async listServices(): Promise<readonly Service[]> {
    return this.services
  }
  async close(): Promise<void> {
    this.closed = true
  }
}

function make(t: TestContext, options: CachedRegistryOptions = {}) {
  const clock = new FakeClock(1)
  const log = recorder()
  const inner = new Flaky()
  const registry = cachedRegistry(inner, { clock, log, ...options })
  t.after(() => registry.close())
  return { clock, log, inner, registry }
}

const ONE = [service('math', [1])]
const TWO = [service('math', [1, 2])]

test('lookups of one name at the same time are one, and later ones ask nobody', async (t) => {
  const { inner, registry } = make(t)
  inner.services = ONE
  const found = await Promise.all(Array.from({ length: 100 }, () => registry.getService('math')))
  for (const services of found) assert.deepEqual(addresses(services), ['127.0.0.1:1'])
  for (let i = 0; i < 100; i++) await registry.getService('math')
  assert.deepEqual([inner.lookups, inner.watches], [1, 1])
})

test('a change that the watch reports is in the next lookup', async (t) => {
  const { inner, registry } = make(t)
  inner.services = ONE
  await registry.getService('math')
  inner.set(TWO)
  await settle()
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1', '127.0.0.1:2'])
  assert.equal(inner.lookups, 1)
})

test('an answer older than its time to live is served at once, and looked up again behind it', async (t) => {
  const { clock, inner, registry } = make(t, { ttl: 1_000 })
  inner.services = ONE
  await registry.getService('math')
  // A change that no watch reported.
  inner.services = TWO
  await clock.advance(1_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  await settle()
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1', '127.0.0.1:2'])
  assert.equal(inner.lookups, 2)
})

test('the last known nodes are served through an outage of any length, and the registry is found again', async (t) => {
  const { clock, log, inner, registry } = make(t)
  inner.services = TWO
  await registry.getService('math')
  inner.lose()
  await clock.advance(24 * 3_600_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1', '127.0.0.1:2'])
  inner.lost = undefined
  inner.services = ONE
  await clock.advance(10_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  assert.deepEqual(
    log.lines.map(({ level, text, fields }) => [level, text, fields.error]),
    [
      ['warn', 'registry lost, its last answer is used', 'registry flaky: no connection'],
      ['info', 'registry is back', undefined],
    ],
  )
})

test('a lost watch is opened again after delays that double up to the longest', async (t) => {
  const { clock, inner, registry } = make(t, { minDelay: 100, maxDelay: 1_000 })
  inner.services = ONE
  await registry.getService('math')
  inner.lose()
  const at: number[] = []
  for (let ms = 0, seen = inner.watches; ms < 4_000; ms += 50) {
    if (inner.watches > seen) at.push(ms)
    seen = inner.watches
    await clock.advance(50)
  }
  assert.deepEqual(at, [100, 300, 700, 1_500, 2_500, 3_500])
})

test('half of the delay is random', async (t) => {
  const clock = new FakeClock(0)
  const { inner, registry } = make(t, { clock, minDelay: 100 })
  inner.services = ONE
  await registry.getService('math')
  inner.lose()
  await clock.advance(50)
  assert.equal(inner.watches, 2)
})

test('an unknown name is rejected in an outage, and for a moment without asking again', async (t) => {
  const { clock, inner, registry } = make(t)
  inner.lost = new Error('no connection')
  await assert.rejects(registry.getService('math'), /no connection/)
  for (let i = 0; i < 10; i++) await assert.rejects(registry.getService('math'), /no connection/)
  assert.equal(inner.lookups, 1)
  await clock.advance(100)
  inner.lost = undefined
  inner.services = ONE
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
})

test('nodes are used for the grace after the registry said that there are none, and until it says so again if it is lost then', async (t) => {
  const { clock, inner, registry } = make(t, { emptyGrace: 5_000, maxDelay: 1_000 })
  inner.services = TWO
  await registry.getService('math')
  inner.set([])
  await clock.advance(4_999)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1', '127.0.0.1:2'])
  inner.set(ONE)
  await clock.advance(10_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  inner.set([])
  await settle()
  inner.lose()
  await clock.advance(60_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  inner.lost = undefined
  await clock.advance(1_000)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  await clock.advance(5_000)
  assert.deepEqual(await registry.getService('math'), [])
})

test('an empty answer for a name without nodes is believed at once', async (t) => {
  const { registry } = make(t)
  assert.deepEqual(await registry.getService('math'), [])
})

test('an answer of a lookup that is older than what the watch reported is ignored', async (t) => {
  const { clock, inner, registry } = make(t, { ttl: 1_000 })
  inner.services = ONE
  await registry.getService('math')
  await clock.advance(1_000)
  let release!: () => void
  inner.gate = new Promise((resolve) => {
    release = resolve
  })
  await registry.getService('math')
  inner.set(TWO)
  await settle()
  release()
  await settle()
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1', '127.0.0.1:2'])
})

test('a caller that gives up leaves the others the lookup', async (t) => {
  const { inner, registry } = make(t)
  inner.services = ONE
  let release!: () => void
  inner.gate = new Promise((resolve) => {
    release = resolve
  })
  const controller = new AbortController()
  const impatient = assert.rejects(registry.getService('math', { signal: controller.signal }), /enough/)
  const patient = registry.getService('math')
  controller.abort(new Error('enough'))
  await impatient
  release()
  assert.deepEqual(addresses(await patient), ['127.0.0.1:1'])
})

test('a watch has no news in an outage, and goes on after it', async (t) => {
  const { clock, inner, registry } = make(t)
  inner.services = ONE
  const watch = open(registry, 'math')
  assert.deepEqual(addresses(await next(watch)), ['127.0.0.1:1'])
  const waiting = next(watch)
  inner.lose()
  await clock.advance(60_000)
  inner.lost = undefined
  inner.services = TWO
  await clock.advance(10_000)
  assert.deepEqual(addresses(await waiting), ['127.0.0.1:1', '127.0.0.1:2'])
  await watch.return?.()
})

test('the name asked for least recently is forgotten when there are too many, unless somebody watches it', async (t) => {
  const { inner, registry } = make(t, { maxNames: 2 })
  const watch = open(registry, 'watched')
  await next(watch)
  await registry.getService('a')
  await registry.getService('b')
  assert.equal(inner.readers.size, 2)
  const before = inner.lookups
  await registry.getService('b')
  assert.equal(inner.lookups, before)
  await registry.getService('a')
  assert.equal(inner.lookups, before + 1)
  await watch.return?.()
})

test('the watch runs in nobody’s async context', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const inner = new Flaky()
  const { watch } = inner
  inner.watch = (...args) => {
    seen.push(storage.getStore())
    return watch.apply(inner, args)
  }
  const registry = cachedRegistry(inner, { log: false })
  t.after(() => registry.close())
  await storage.run('caller', () => registry.getService('math'))
  assert.deepEqual(seen, [undefined])
})

test('close ends the watches and the registry behind, unless it is kept open', async (t) => {
  for (const keepOpen of [false, true]) {
    const { clock, inner, registry } = make(t, { keepOpen })
    inner.services = ONE
    await registry.getService('math')
    await registry.close()
    await settle()
    assert.deepEqual([inner.readers.size, inner.closed, clock.timers], [0, !keepOpen, 0])
  }
})

test('bad options are refused', () => {
  const inner = memoryRegistry()
  assert.throws(() => cachedRegistry({} as never), TypeError)
  assert.throws(() => cachedRegistry(inner, { grace: 1 } as object), TypeError)
  assert.throws(() => cachedRegistry(inner, { minDelay: 100, maxDelay: 10 }), RangeError)
  assert.throws(() => cachedRegistry(inner, { maxNames: 0 }), RangeError)
})
