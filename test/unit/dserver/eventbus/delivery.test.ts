import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, it } from 'node:test'
import { EventBus } from '../../../../src/dserver/eventbus/index.ts'

/** A promise, and the functions that settle it. */
function deferred(): { promise: Promise<unknown>; resolve: (value?: unknown) => void; reject: (error: unknown) => void } {
  let resolve: (value?: unknown) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<unknown>((...settle) => ([resolve, reject] = settle))
  return { promise, resolve, reject }
}

/** Failures that a bus reports, as `name: text`, and a promise of the first. */
function reports(): { errors: string[]; first: Promise<unknown>; onError: (error: unknown, event: { name: string }) => void } {
  const errors: string[] = []
  const { promise, resolve } = deferred()
  return {
    errors,
    first: promise,
    onError(error, { name }) {
      errors.push(`${name}: ${(error as Error).message ?? error}`)
      resolve()
    },
  }
}

const never = new Promise(() => {})

describe('publishAsync', () => {
  it('waits for each listener before the next, also those of patterns', async () => {
    const bus = new EventBus()
    const ran: string[] = []
    const gate = deferred()
    bus.on('a.b', async () => {
      await gate.promise
      ran.push('exact')
    })
    bus.on('a.*', () => ran.push('group'))
    bus.on('*', async ({ name }) => ran.push(name))
    const done = bus.publishAsync('a.b', 5)
    await new Promise(setImmediate)
    assert.deepEqual(ran, [])
    gate.resolve()
    assert.equal((await done)?.data, 5)
    assert.deepEqual(ran, ['exact', 'group', 'a.b'])
    assert.equal(await new EventBus().publishAsync('a.b'), undefined)
  })

  it('a rejection ends it and is what it rejects with; abort ends it without an error', async () => {
    const bus = new EventBus()
    const ran: string[] = []
    bus.on('a', async (event) => {
      await new Promise(setImmediate)
      if (event.data === 'abort') return event.abort()
      throw new Error('no')
    })
    bus.on('a', () => ran.push('later'))
    await assert.rejects(bus.publishAsync('a'), /^Error: no$/)
    assert.equal((await bus.publishAsync('a', 'abort'))?.aborted, true)
    assert.deepEqual(ran, [])
    await assert.rejects(bus.publishAsync('_'), TypeError)
  })

  it('a listener that never settles fails with 408, and the next publish goes on', async () => {
    const bus = new EventBus({ listenerTimeout: 1 })
    const subscription = bus.on('a', () => never)
    await assert.rejects(bus.publishAsync('a'), { code: 408, cause: 'an event listener did not settle in time' })
    subscription.unsubscribe()
    bus.on('a', async () => {})
    assert.ok(await bus.publishAsync('a'))
  })

  it('a listener removed while another is waited for is not called, one added to a later list is', async () => {
    const bus = new EventBus()
    const ran: string[] = []
    const gate = deferred()
    bus.on('a', () => gate.promise)
    const removed = bus.once('a', () => ran.push('removed'))
    const done = bus.publishAsync('a')
    removed.unsubscribe()
    bus.on('a', () => ran.push('too late'))
    bus.on('*', () => ran.push('all'))
    gate.resolve()
    await done
    assert.deepEqual(ran, ['all'])
  })

  it('a listener for one event is called once by two publishes at the same time', async () => {
    const bus = new EventBus()
    let runs = 0
    const gate = deferred()
    bus.on('a', () => gate.promise)
    bus.once('a', () => runs++)
    const both = [bus.publishAsync('a'), bus.publishAsync('a')]
    gate.resolve()
    await Promise.all(both)
    assert.equal(runs, 1)
  })
})

describe('publishConcurrent', () => {
  it('starts all in order, waits for all, and rejects with all errors', async () => {
    const bus = new EventBus({ listenerTimeout: 20 })
    const ran: number[] = []
    bus.on('a', async () => {
      ran.push(0)
      throw new Error('rejected')
    })
    bus.on('a', () => {
      ran.push(1)
      throw new Error('thrown')
    })
    bus.on('*', () => {
      ran.push(2)
      return never
    })
    bus.on('*', async () => ran.push(3))
    await assert.rejects(bus.publishConcurrent('a'), (error: AggregateError) => {
      assert.equal(error.message, '3 listeners of a failed')
      assert.deepEqual(error.errors.map(({ message }) => message).sort(), ['Handle Timeout', 'rejected', 'thrown'])
      return true
    })
    assert.deepEqual(ran, [0, 1, 2, 3])
    assert.equal(await new EventBus().publishConcurrent('a'), undefined)
  })

  it('abort before a listener returns stops those that have not started', async () => {
    const bus = new EventBus()
    bus.on('a', async (event) => event.abort())
    bus.on('a', () => assert.fail())
    assert.equal((await bus.publishConcurrent('a'))?.aborted, true)
  })
})

describe('publish and promises', () => {
  it('a rejection after publish is reported, and is no unhandled rejection', async () => {
    const { errors, first, onError } = reports()
    const bus = new EventBus({ onError })
    bus.on('a', async () => {
      throw new Error('later')
    })
    let isNext = false
    bus.on('a', () => void (isNext = true))
    assert.ok(bus.publish('a'))
    assert.ok(isNext)
    await first
    assert.deepEqual(errors, ['a: later'])
  })

  it('a thenable that throws, or whose then cannot be read, is reported', async () => {
    const { errors, first, onError } = reports()
    const bus = new EventBus({ onError })
    const thenable = (then: () => unknown): object => Object.defineProperty({}, 'then', { get: then })
    const bad = (text: string) => (): never => {
      throw new Error(text)
    }
    bus.on('a', () => thenable(() => bad('called')))
    bus.on('b', () => thenable(bad('read')))
    bus.publish('b')
    assert.deepEqual(errors, ['b: read'])
    bus.publish('a')
    await first
    await new Promise(setImmediate)
    assert.deepEqual(errors, ['b: read', 'a: called'])
    await assert.rejects(bus.publishAsync('a'), /called/)
    await assert.rejects(bus.publishAsync('b'), /read/)
  })
})

describe('enqueue', () => {
  it('delivers in the background, in order, each after the listeners of the one before', async () => {
    const bus = new EventBus()
    const ran: unknown[] = []
    bus.on('*', async ({ data }) => {
      await new Promise(setImmediate)
      ran.push(data)
    })
    for (let i = 0; i < 200; i++) assert.equal(bus.enqueue('a', i), true)
    assert.deepEqual([ran, bus.queued], [[], 200])
    await bus.idle()
    assert.deepEqual([ran, bus.queued], [Array.from({ length: 200 }, (_, i) => i), 0])
    await bus.idle()
    await new EventBus().idle()
  })

  it('errors are reported and stop no later event (E6)', async () => {
    const { errors, onError } = reports()
    const bus = new EventBus({ onError })
    bus.on('thrown', () => {
      throw new Error('1')
    })
    bus.on('rejected', () => Promise.reject(new Error('2')))
    bus.on('fine', () => errors.push('fine'))
    for (const name of ['thrown', 'rejected', 'fine']) bus.enqueue(name)
    await bus.idle()
    assert.deepEqual(errors, ['thrown: 1', 'rejected: 2', 'fine'])
  })

  it('an onError that throws harms nobody', async (t) => {
    const written = t.mock.method(console, 'error', () => {})
    const bus = new EventBus({
      name: 'main',
      onError() {
        throw new Error('worse')
      },
    })
    bus.on('a', () => Promise.reject(new Error('bad')))
    bus.enqueue('a')
    bus.publish('a')
    await bus.idle()
    await new Promise(setImmediate)
    assert.equal(written.mock.callCount(), 2)
    assert.match(String(written.mock.calls[0].arguments[0]), /option onError threw bus="main" event="a" error=.*worse/)
  })

  it('without onError a failure is a log line', async (t) => {
    const written = t.mock.method(console, 'error', () => {})
    const bus = new EventBus()
    bus.on('a', () => Promise.reject(new Error('bad')))
    bus.enqueue('a')
    await bus.idle()
    assert.match(String(written.mock.calls[0].arguments[0]), /an event listener failed bus="default" event="a" error=.*bad/)
  })

  it('a full queue drops the new event, says so, and reports it', async () => {
    const { errors, onError } = reports()
    const bus = new EventBus({ onError, maxQueued: 2 })
    const ran: unknown[] = []
    bus.on('a', ({ data }) => ran.push(data))
    assert.deepEqual([1, 2, 3].map((data) => bus.enqueue('a', data)), [true, true, false]) // biome-ignore format: one line
    assert.deepEqual(errors, ['a: event queue full'])
    await bus.idle()
    assert.equal(bus.enqueue('a', 4), true)
    await bus.idle()
    assert.deepEqual(ran, [1, 2, 4])
    assert.throws(() => bus.enqueue('*'), TypeError)
  })

  it('a listener that never settles holds the queue up to its time limit', async () => {
    const { errors, onError } = reports()
    const bus = new EventBus({ onError, listenerTimeout: 1 })
    bus.on('stuck', () => never)
    bus.on('fine', () => errors.push('fine'))
    bus.enqueue('stuck')
    bus.enqueue('fine')
    await bus.idle()
    assert.deepEqual(errors, ['stuck: Handle Timeout', 'fine'])
  })

  it('concurrency: so many events are delivered at the same time', async () => {
    const bus = new EventBus({ concurrency: 3, listenerTimeout: 0 })
    let running = 0
    let most = 0
    bus.on('a', async () => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
    })
    for (let i = 0; i < 10; i++) bus.enqueue('a')
    await bus.idle()
    assert.deepEqual([most, running], [3, 0])
  })

  it('listeners run in the async context of the publisher of their event', async () => {
    const bus = new EventBus()
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    bus.on('a', async ({ data }) => {
      await new Promise(setImmediate)
      seen.push([data, storage.getStore()])
    })
    for (const store of ['x', 'y']) storage.run(store, () => bus.enqueue('a', store))
    bus.enqueue('a')
    await bus.idle()
    assert.deepEqual(seen, [['x', 'x'], ['y', 'y'], [undefined, undefined]]) // biome-ignore format: one line
  })

  it('a listener that enqueues without end does not stop the loop', async () => {
    const bus = new EventBus()
    const again = bus.on('a', () => bus.enqueue('a'))
    bus.enqueue('a')
    for (let i = 0; i < 3; i++) await new Promise(setImmediate)
    again.unsubscribe()
    await bus.idle()
  })
})
