import assert from 'node:assert/strict'
import { type NodeCheck, noPushes } from './check.ts'

/** Many calls at once, in any order, some given up. */
export const loadChecks: NodeCheck[] = [
  {
    name: 'keeps 300 calls in flight apart',
    row: '300 calls in flight',
    async run({ session }) {
      const sums = await Promise.all(Array.from({ length: 300 }, (_, i) => session.call<number>('/math/add', [i, 1000])))
      assert.deepEqual(
        sums,
        Array.from({ length: 300 }, (_, i) => i + 1000),
      )
    },
  },
  {
    name: 'keeps 300 calls apart that each call back',
    row: 'called back in the same session',
    async run({ session }) {
      const doubled = await Promise.all(Array.from({ length: 300 }, (_, i) => session.call<number>('/call/back', i)))
      assert.deepEqual(
        doubled,
        Array.from({ length: 300 }, (_, i) => 2 * i),
      )
    },
  },
  {
    name: 'calls 200 times, one after another',
    row: '300 calls in flight',
    async run({ session }) {
      for (let i = 0; i < 200; i++) assert.equal(await session.call('/math/add', [i, i]), 2 * i)
    },
  },
  {
    name: 'lets a quick reply overtake a waiting one',
    row: 'replies in any order',
    not: noPushes,
    async run({ session }) {
      const before = await session.call<string[]>('/note/list', 0)
      const waiting = session.call<string[]>('/note/list', before.length + 1)
      assert.equal(await session.call('/math/add', [2, 2]), 4)
      await session.push('/note', 'go on')
      assert.equal((await waiting).length, before.length + 1)
    },
  },
  {
    name: 'gives up at its timeout and ignores the late reply',
    row: 'replies in any order',
    async run({ session }) {
      await assert.rejects(session.call('/slow', 50, { timeout: 5 }), { name: 'StatusError', code: 408 })
      // Go answers the second call after the first, so the late reply has passed by then.
      assert.equal(await session.call('/slow', 100), 100)
    },
  },
  {
    name: 'gives up when its signal fires and ignores the late reply',
    row: 'replies in any order',
    not: noPushes,
    async run({ session }) {
      const before = await session.call<string[]>('/note/list', 0)
      const abort = new AbortController()
      const call = session.call('/note/list', before.length + 1, { signal: abort.signal })
      abort.abort()
      await assert.rejects(call, { name: 'StatusError', code: 499 })
      await session.push('/note', 'now Go answers the call nobody waits for')
      assert.equal((await session.call<string[]>('/note/list', before.length + 1)).length, before.length + 1)
    },
  },
  {
    name: 'lets a quick reply overtake a sleeping one',
    row: 'replies in any order',
    async run({ session }) {
      const order: string[] = []
      const sleeping = session.call('/slow', 300).then(() => order.push('sleeping'))
      assert.equal(await session.call('/math/add', [2, 2]), 4)
      order.push('quick')
      await sleeping
      assert.deepEqual(order, ['quick', 'sleeping'])
    },
  },
]
