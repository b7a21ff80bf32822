import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PendingTable } from '../../../src/session/pending-table.ts'

interface Call {
  readonly seq: number
}
const call = (seq: number): Call => ({ seq })

test('a call is found by its number, once', () => {
  const table = new PendingTable<Call>()
  const one = call(1)
  table.set(one)
  assert.equal(table.size, 1)
  assert.equal(table.has(1), true)
  assert.equal(table.peek(1), one)
  assert.equal(table.take(1), one)
  assert.equal(table.take(1), undefined)
  assert.equal(table.peek(1), undefined)
  assert.equal(table.has(1), false)
  assert.equal(table.size, 0)
})

test('an empty table knows nothing', () => {
  const table = new PendingTable<Call>()
  for (const seq of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) assert.equal(table.take(seq), undefined)
  assert.deepEqual(table.takeAll(), [])
})

test('a number that differs only above the mask is another call', () => {
  const table = new PendingTable<Call>()
  const one = call(1)
  table.set(one)
  for (const seq of [17, 1 + 1024, 1 - 1024, 1 - 2 ** 31]) assert.equal(table.take(seq), undefined)
  assert.equal(table.take(1), one)
})

test('colliding calls are all kept', () => {
  const table = new PendingTable<Call>()
  const calls = [3, 3 + 1024, 3 + 2048, 3 - 1024].map(call)
  for (const one of calls) table.set(one)
  assert.equal(table.size, 4)
  for (const one of calls) assert.equal(table.take(one.seq), one)
  assert.equal(table.size, 0)
})

test('a number that is open is refused, in the array and beyond it', () => {
  const table = new PendingTable<Call>()
  table.set(call(3))
  table.set(call(3 + 1024))
  assert.throws(() => table.set(call(3)), /call 3 is already pending/)
  assert.throws(() => table.set(call(3 + 1024)), /already pending/)
  table.take(3) // its slot is free now, but 3 + 1024 is still open
  assert.throws(() => table.set(call(3 + 1024)), /already pending/)
  assert.equal(table.size, 1)
})

test('takeAll empties the table and is not disturbed by what happens to it afterwards', () => {
  const table = new PendingTable<Call>()
  for (let seq = 0; seq < 300_000; seq++) table.set(call(seq))
  const all = table.takeAll()
  assert.equal(table.size, 0)
  assert.equal(table.take(5), undefined)
  table.set(call(5))
  assert.equal(all.length, 300_000)
  assert.equal(new Set(all.map((one) => one.seq)).size, 300_000)
  assert.equal(table.take(5)?.seq, 5)
})

test('the sequence wraps with 10,000 calls pending and no reply goes to a wrong call', () => {
  const table = new PendingTable<Call>()
  const open: Call[] = []
  let seq = 2 ** 31 - 5000
  for (let i = 0; i < 100_000; i++) {
    const one = call(seq)
    table.set(one)
    open.push(one)
    seq = (seq + 1) | 0
    if (open.length > 10_000) {
      // Replies come in any order.
      const index = (i * 7919) % open.length
      const answered = open[index]
      open[index] = open[open.length - 1]
      open.pop()
      assert.equal(table.take(answered.seq), answered)
      assert.equal(table.take(answered.seq), undefined, 'a second reply')
    }
  }
  assert.ok(seq < 0)
  assert.equal(table.size, 10_000)
  for (const one of open) assert.equal(table.take(one.seq), one)
  assert.equal(table.size, 0)
})

test('behaves like a Map under random operations', () => {
  for (let run = 1; run <= 20; run++) {
    let seed = run
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0
      return (seed >>> 8) % n
    }
    const table = new PendingTable<Call>()
    const model = new Map<number, Call>()
    let next = [1, 2 ** 31 - 2000, -(2 ** 31), -1500][run % 4]
    const weight = 2 + random(8)
    for (let i = 0; i < 10_000; i++) {
      // Mostly recent numbers, sometimes any.
      const seq = random(10) === 0 ? (random(2 ** 16) - 2 ** 15) * 1024 : (next - random(3000)) | 0
      switch (random(weight)) {
        case 0:
        case 1: {
          assert.equal(table.take(seq), model.get(seq))
          model.delete(seq)
          break
        }
        case 2: {
          assert.equal(table.peek(seq), model.get(seq))
          assert.equal(table.has(seq), model.has(seq))
          break
        }
        case 3: {
          if (!model.has(seq)) {
            const one = call(seq)
            table.set(one)
            model.set(seq, one)
          }
          break
        }
        default: {
          if (!model.has(next)) {
            const one = call(next)
            table.set(one)
            model.set(next, one)
          }
          next = (next + 1) | 0
        }
      }
      assert.equal(table.size, model.size)
      if (random(3000) === 0) {
        assert.deepEqual(new Set(table.takeAll()), new Set(model.values()))
        model.clear()
      }
    }
    assert.deepEqual(new Set(table.takeAll()), new Set(model.values()))
  }
})
