import assert from 'node:assert/strict'
import { AsyncLocalStorage, AsyncResource, executionAsyncId, executionAsyncResource } from 'node:async_hooks'
import { test } from 'node:test'
import { runInRoot, untouched } from '../../../src/base/async/root-context.ts'

const als = new AsyncLocalStorage<unknown>()
const other = new AsyncLocalStorage<unknown>()
const store = (): unknown => als.getStore()
/** A function call, so that TypeScript expects other values. */
const tells = (): boolean => untouched
const atRoot = <Result>(run: () => Result): Result => runInRoot(run, undefined)

test('arguments, receiver, result and error pass', () => {
  const self = { factor: 2 }
  const double = function (this: { factor: number }, a: number, b: number): number {
    return this.factor * (a + b)
  }
  assert.equal(runInRoot(double, self, 1, 2), 6)
  assert.throws(
    () =>
      atRoot(() => {
        als.enterWith(1)
        throw new Error('mine')
      }),
    /mine/,
  )
  assert.equal(atRoot(store), undefined)
  assert.equal(tells(), false)
})

test('no store is seen, neither of the caller nor of who was there before, and the caller keeps its own', () => {
  als.run('outer', () => {
    assert.equal(atRoot(store), undefined)
    atRoot(() => als.enterWith('left'))
    atRoot(() => other.enterWith('left'))
    assert.deepEqual(
      atRoot(() => [als.getStore(), other.getStore()]),
      [undefined, undefined],
    )
    assert.equal(store(), 'outer')
  })
})

test('what is started keeps what was entered before it', async () => {
  const later = atRoot(() => {
    const before = Promise.resolve().then(store)
    als.enterWith(1)
    return [before, Promise.resolve().then(store), new Promise((resolve) => setTimeout(() => resolve(store()), 1))]
  })
  atRoot(() => als.enterWith(2))
  assert.deepEqual(await Promise.all(later), [undefined, 1, 1])
})

test('it tells of each way to enter a store', () => {
  const ways: Record<string, () => void> = {
    enterWith: () => als.enterWith(1),
    'enterWith of undefined': () => als.enterWith(undefined),
    run: () => als.run(1, () => {}),
    'a storage that is new': () => new AsyncLocalStorage().enterWith(1),
    'a property of the resource': () => void ((executionAsyncResource() as Record<string, unknown>).mine = 1),
  }
  const frames = !('_enable' in AsyncLocalStorage.prototype)
  for (const [name, enter] of Object.entries(ways)) {
    if (frames && name.startsWith('a property')) continue // no store there
    for (let n = 0; n < 3; n++) {
      atRoot(() => {
        assert.equal(tells(), true, `${name}: before`)
        enter()
        assert.equal(tells(), false, `${name}: behind`)
      })
      assert.equal(
        atRoot(() => (executionAsyncResource() as Record<string, unknown>).mine),
        undefined,
        name,
      )
    }
  }
  atRoot(() => {
    als.getStore()
    new AsyncResource('x').runInAsyncScope(() => {})
    assert.equal(tells(), true, 'nothing was entered')
  })
})

test('calls in calls have contexts of their own', () => {
  atRoot(() => {
    als.enterWith(1)
    atRoot(() => {
      assert.deepEqual([store(), tells()], [undefined, true])
      als.enterWith(2)
      als.run(3, () => atRoot(() => assert.deepEqual([store(), tells()], [undefined, true])))
      assert.deepEqual([store(), tells()], [2, false])
    })
    assert.deepEqual([store(), tells()], [1, false])
  })
  atRoot(() => {
    atRoot(() => als.enterWith(2))
    assert.deepEqual([store(), tells()], [undefined, true], 'what an inner one entered is gone')
  })
  assert.equal(tells(), false)
})

test('any number of storages may come and go', () => {
  for (let n = 0; n < 3000; n++) {
    const one = new AsyncLocalStorage<number>()
    assert.equal(
      atRoot(() => {
        one.enterWith(n)
        return one.getStore()
      }),
      n,
    )
    assert.equal(
      atRoot(() => one.getStore()),
      undefined,
    )
    one.disable()
  }
})

test('ids and the resource are those of an async resource', () => {
  const outside = executionAsyncId()
  atRoot(() => {
    assert.ok(executionAsyncId() > 0 && executionAsyncId() !== outside)
    assert.ok(executionAsyncResource() instanceof AsyncResource)
    assert.equal((executionAsyncResource() as AsyncResource).asyncId(), executionAsyncId())
  })
  assert.equal(executionAsyncId(), outside)
})
