import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../src/base/log.ts'
import { Registrar } from '../../../src/rpc/registrar.ts'
import { memoryRegistry } from '../../../src/rpc/registry/memory.ts'
import type { Registry, Service } from '../../../src/rpc/registry/registry.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { over } from '../../support/rpc.ts'

const service: Service = {
  name: 'math',
  version: '1.0.0',
  metadata: {},
  nodes: [{ id: 'math-a:1', address: 'a:1', paths: [], metadata: {} }],
}

function registrarOf(own: Partial<Registry>, current: () => Service = () => service) {
  const clock = new FakeClock(1)
  const registry = memoryRegistry({ clock })
  const failures: string[] = []
  const registrar = new Registrar({
    registry: over(registry, own),
    clock,
    log: silentLogger,
    interval: 30_000,
    ttl: 90_000,
    service: current,
    onRegistered: () => {},
    onFailed: (error) => void failures.push(String(error)),
  })
  return { clock, failures, registrar, registry }
}

test('a registry that never answers delays a server for 5 seconds at its start and for 4 at its end, and is tried again', async () => {
  let attempts = 0
  const never = (): Promise<never> => new Promise(() => {})
  const { clock, failures, registrar } = registrarOf({
    register: () => {
      attempts++
      return never()
    },
    deregister: never,
  })
  let [started, stopped] = [false, false]
  const starting = registrar.start().then(() => (started = true))
  await clock.advance(4_999)
  assert.equal(started, false)
  await clock.advance(1)
  await starting
  assert.match(failures[0], /registering took more than 5000 ms/)
  await clock.advance(30_000)
  assert.ok(attempts >= 4, `${attempts} attempts`)
  const stopping = registrar.stop().then(() => (stopped = true))
  await clock.advance(4_000)
  await stopping
  assert.equal(stopped, true)
  const before = attempts
  await clock.advance(100_000)
  assert.equal(attempts, before)
  assert.equal(clock.timers, 0)
})

test('a registry whose watch gives what is no list of services harms no registration', async () => {
  let registrations = 0
  const { clock, failures, registrar } = registrarOf({
    register: async () => void registrations++,
    async *watch() {
      yield [{ name: 'math' }, null, { nodes: 'none' }] as never
    },
  })
  await registrar.start()
  await clock.advance(60_000)
  assert.equal(registrar.registered, true)
  assert.equal(registrations, 3)
  assert.deepEqual(failures, [])
  await registrar.stop()
})

test('two servers of one id that take each other out write at most once a second', async () => {
  let registrations = 0
  let notify = (): void => {}
  const { clock, registrar } = registrarOf({
    register: async () => void registrations++,
    async *watch() {
      for (;;) {
        yield [service]
        await new Promise<void>((resolve) => (notify = resolve))
        yield []
        await new Promise<void>((resolve) => (notify = resolve))
      }
    },
  })
  await registrar.start()
  for (let ms = 0; ms < 10_000; ms += 10) {
    notify()
    await clock.advance(10)
  }
  // The first one, and one at the beginning of each second and at the end of the last.
  assert.ok(registrations > 5 && registrations <= 12, `${registrations} registrations in 10 s`)
  await settle()
  await registrar.stop()
})

test('a record that is taken out twice within a second is put in again both times', async () => {
  const { clock, registrar, registry } = registrarOf({})
  await registrar.start()
  for (const ms of [0, 100, 200]) {
    await clock.advance(ms)
    await registry.deregister(service)
  }
  await clock.advance(1_000)
  assert.equal((await registry.getService('math')).length, 1)
  await registrar.stop()
  assert.deepEqual(await registry.getService('math'), [])
})

test('a server whose address has changed is registered at the new one alone, also when the registry was away meanwhile', async () => {
  let port = 1
  let isAway = false
  const { clock, registrar, registry } = registrarOf(
    {
      deregister: (...args) => (isAway ? Promise.reject(new Error('away')) : registry.deregister(...args)),
    },
    () => ({ ...service, nodes: [{ ...service.nodes[0], id: `math-a:${port}`, address: `a:${port}` }] }),
  )
  const addresses = async (): Promise<string[]> =>
    (await registry.getService('math')).flatMap(({ nodes }) => nodes.map(({ address }) => address))
  await registrar.start()
  assert.deepEqual(await addresses(), ['a:1'])
  port = 2
  await clock.advance(30_000)
  assert.deepEqual(await addresses(), ['a:2'])
  isAway = true
  port = 3
  await clock.advance(30_000)
  assert.deepEqual(await addresses(), ['a:2', 'a:3'])
  isAway = false
  await clock.advance(30_000)
  assert.deepEqual(await addresses(), ['a:3'])
  isAway = true
  port = 4
  await clock.advance(30_000)
  isAway = false
  await registrar.stop()
  assert.deepEqual(await addresses(), [])
})
