import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallScope, currentCall, runHandler } from '../../../src/base/async/call-context.ts'
import { runInRoot } from '../../../src/base/async/root-context.ts'

const call = (): { expires: number | undefined; signal: AbortSignal } => ({
  expires: performance.now() + 1000,
  signal: new AbortController().signal,
})

test('nobody inherits outside of a handler', () => {
  assert.equal(currentCall(), undefined)
})

test('a handler gets its argument and context, and so does whoever called it get its result', () => {
  const outer = call()
  assert.deepEqual(
    runHandler(outer, (arg: number, context) => [arg, context === outer], 5),
    [5, true],
  )
  assert.throws(
    () =>
      runHandler(
        outer,
        () => {
          throw new Error('mine')
        },
        0,
      ),
    /mine/,
  )
  assert.equal(currentCall(), undefined)
})

test('what a handler starts inherits until it is answered', async () => {
  const outer = call()
  let seen: (CallScope | undefined)[] = []
  await runHandler(
    outer,
    async () => {
      seen.push(currentCall())
      await new Promise(setImmediate)
      seen.push(currentCall())
      outer.expires = undefined
      seen.push(currentCall())
    },
    undefined,
  )
  assert.deepEqual(
    seen.map((found) => found === outer),
    [true, true, false],
  )
  assert.equal(seen[2], undefined)
  seen = []
  await Promise.all(
    [call(), call()].map((own) =>
      runHandler(
        own,
        async () => {
          await new Promise(setImmediate)
          assert.equal(currentCall(), own)
          seen.push(own)
        },
        undefined,
      ),
    ),
  )
  assert.equal(seen.length, 2)
})

test('what is run in the root context inherits nothing, now and later', async () => {
  const outer = call()
  const found = await runHandler(
    outer,
    () =>
      runInRoot(
        async (value: number) => {
          const now = currentCall()
          await new Promise(setImmediate)
          return [value, now, currentCall()]
        },
        undefined,
        3,
      ),
    undefined,
  )
  assert.deepEqual(found, [3, undefined, undefined])
})
