import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code } from '../../../src/base/errors/status.ts'
import { TimerWheel } from '../../../src/base/time/timer-wheel.ts'
import { AbortRegistry } from '../../../src/session/abort-registry.ts'

test('a cancellation reaches the request with its number, and no other', () => {
  const aborts = new AbortRegistry(new TimerWheel())
  const [one, two] = [aborts.open(1, 0), aborts.open(2, 0)]
  assert.equal(aborts.cancel(2, Code.Canceled), true)
  assert.deepEqual([two.controller.signal.reason.code, two.controller.signal.reason.cause], [499, 'its caller'])
  assert.equal(one.controller.signal.aborted, false)
  assert.equal(aborts.cancel(3, Code.Canceled), false, 'nobody looked at the signal of that one')
})

test('a request that is done is out of reach, and leaves nothing behind', () => {
  const wheel = new TimerWheel()
  const aborts = new AbortRegistry(wheel)
  const abort = aborts.open(1, 1000)
  aborts.release(abort)
  assert.equal(abort.wheelNext, null, 'its timer is gone')
  assert.equal(aborts.cancel(1, Code.Canceled), false)
  assert.equal(abort.controller.signal.aborted, false)
  aborts.release(abort) // a second time changes nothing
})

test('of two requests with one number the first can be cancelled, and the end of either leaves the other', () => {
  const aborts = new AbortRegistry(new TimerWheel())
  const [first, second] = [aborts.open(7, 0), aborts.open(7, 0)]
  aborts.cancel(7, Code.Canceled)
  assert.deepEqual([first.controller.signal.aborted, second.controller.signal.aborted], [true, false])
  aborts.release(second)
  assert.equal(aborts.cancel(7, Code.Canceled), true)
  aborts.release(first)
  assert.equal(aborts.cancel(7, Code.Canceled), false)
})

test('the first reason stays', () => {
  const aborts = new AbortRegistry(new TimerWheel())
  const abort = aborts.open(1, 0)
  aborts.cancel(1, Code.Canceled)
  aborts.cancel(1, Code.HandleTimeout)
  abort.expire()
  assert.equal(abort.controller.signal.reason.code, 499)
})

test('at its deadline a request is told so', async () => {
  const aborts = new AbortRegistry(new TimerWheel())
  const abort = aborts.open(1, 5)
  const alive = setTimeout(() => {}, 10_000) // the wheel keeps no process alive
  await new Promise((resolve) => abort.controller.signal.addEventListener('abort', resolve))
  clearTimeout(alive)
  assert.equal(abort.controller.signal.reason.code, Code.HandleTimeout)
})
