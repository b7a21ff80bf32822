import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EventBus } from '../../../../src/dserver/eventbus/index.ts'

const MANY = 10_000

describe('a bus that is misused', () => {
  it('10,000 listeners of one name run in order, and can be removed one by one', () => {
    const bus = new EventBus()
    const ran: number[] = []
    const subscriptions = Array.from({ length: MANY }, (_, i) => bus.on('a', () => ran.push(i)))
    bus.publish('a')
    assert.deepEqual(
      ran,
      Array.from({ length: MANY }, (_, i) => i),
    )
    for (const subscription of subscriptions) subscription.unsubscribe()
    assert.deepEqual([bus.publish('a'), bus.listenedNames()], [undefined, []])
  })

  it('10,000 listeners that remove themselves run once each', () => {
    const bus = new EventBus()
    let runs = 0
    for (let i = 0; i < MANY; i++) bus.once('a', () => runs++)
    bus.publish('a')
    bus.publish('a')
    assert.equal(runs, MANY)
  })

  it('10,000 names and 10,000 listeners on one AbortSignal', () => {
    const bus = new EventBus()
    const controller = new AbortController()
    let runs = 0
    for (let i = 0; i < MANY; i++) bus.on(`a.${i}`, () => runs++, { signal: controller.signal })
    for (let i = 0; i < MANY; i++) bus.publish(`a.${i}`)
    controller.abort()
    for (let i = 0; i < MANY; i++) assert.equal(bus.publish(`a.${i}`), undefined)
    assert.deepEqual([runs, bus.listenedNames().length], [MANY, 0])
  })

  it('names without number are not kept, and a listener that comes later is heard under all of them', () => {
    const bus = new EventBus()
    let runs = 0
    for (let i = 0; i < MANY; i++) bus.publish(`user.${i}`)
    bus.on('user.*', () => runs++)
    for (let i = 0; i < MANY; i++) bus.publish(`user.${i}`)
    assert.equal(runs, MANY)
  })

  it('a listener of a name is heard by its alias, however many names were published before', () => {
    for (let before = 4090; before < 4100; before++) {
      const bus = new EventBus()
      bus.alias('alias', 'name')
      for (let i = 0; i < before; i++) bus.publish(`user.${i}`)
      assert.equal(bus.publish('alias'), undefined)
      bus.on('name', () => {})
      assert.equal(bus.publish('alias')?.name, 'name', `${before} names`)
    }
  })

  it('a publish without end in itself is a RangeError, after which the bus works', () => {
    const bus = new EventBus()
    const endless = bus.on('a', () => bus.publish('a'))
    assert.throws(() => bus.publish('a'), RangeError)
    endless.unsubscribe()
    bus.on('a', () => {})
    assert.ok(bus.publish('a'))
  })

  it('names of members of objects are names as others', () => {
    const bus = new EventBus()
    for (const name of ['constructor', 'hasOwnProperty', 'toString', 'a.__proto__']) {
      assert.equal(bus.publish(name), undefined)
      assert.equal(bus.listenerCount(name), 0)
      bus.on(name, () => {})
      assert.equal(bus.publish(name)?.name, name)
    }
    assert.throws(() => bus.publish('__proto__'), TypeError)
  })

  it('a property __proto__ of the data stays a property', () => {
    const bus = new EventBus()
    bus.addEvent('a', { x: 1 })
    bus.on('a', () => {})
    const data = bus.publish('a', JSON.parse('{"__proto__":{"evil":true}}'))?.data as { evil?: boolean }
    assert.equal(data.evil, undefined)
    assert.deepEqual(Object.keys(data), ['x', '__proto__'])
    assert.equal(bus.publish('a', 'text')?.data, 'text')
  })

  it('bad names, listeners and options are refused, and nothing is added', () => {
    const bus = new EventBus()
    const listener = (): void => {}
    for (const name of ['', ' ', 'a b', '__proto__', 'é', 'x*', undefined, 1, null, {}, Symbol('x')] as never[]) {
      for (const use of [() => bus.on(name, listener), () => bus.once(['a', name], listener), () => bus.off(name), () => bus.publish(name)])
        assert.throws(use, TypeError)
      assert.throws(() => bus.isListened(name), TypeError)
    }
    for (const bad of [undefined, null, {}, 'x']) assert.throws(() => bus.on('a', bad as never), TypeError)
    assert.throws(() => bus.on([], listener), TypeError)
    for (const priority of [1.5, Number.NaN, Number.POSITIVE_INFINITY, '1' as never])
      assert.throws(() => bus.on('a', listener, { priority }), RangeError)
    assert.throws(() => bus.on('a', listener, { signal: {} as never }), TypeError)
    assert.throws(() => bus.on('a', listener, { prio: 1 } as never), /unknown option "prio"/)
    assert.throws(() => bus.on('a', listener, null as never), TypeError)
    assert.deepEqual(bus.listenedNames(), [])
    for (const options of [{ maxQueued: 0 }, { concurrency: 0 }, { listenerTimeout: -1 }, { concurrency: 1.5 }])
      assert.throws(() => new EventBus(options), RangeError)
    for (const options of [{ name: 1 }, { onError: 1 }, { log: 1 }, 1, null]) assert.throws(() => new EventBus(options as never), TypeError)
  })

  it('a listener is called without this, and what it returns is ignored', () => {
    const bus = new EventBus()
    const seen: unknown[] = []
    bus.once('a', function (this: unknown) {
      seen.push(this)
      return null
    })
    bus.on('a', function (this: unknown) {
      seen.push(this)
      return Promise.prototype.then
    })
    bus.publish('a')
    assert.deepEqual(seen, [undefined, undefined])
  })
})
