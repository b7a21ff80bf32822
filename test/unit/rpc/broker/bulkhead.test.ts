import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../../../src/base/errors/status.ts'
import { bulkhead } from '../../../../src/rpc/broker/bulkhead.ts'
import type { Criticality } from '../../../../src/rpc/broker/criticality.ts'
import { type Once, once } from '../../../support/helpers.ts'
import { testClock } from '../../../support/test-clock.ts'

/** A task within the limit, which ends when the test says. */
function task(limit: ReturnType<typeof bulkhead>, log: string[], name: string, criticality?: Criticality): Once<void> {
  const gate = once()
  limit
    .run(
      '/a',
      () => {
        log.push(name)
        return gate.promise
      },
      criticality,
    )
    .catch((error) => {
      assert.ok(error instanceof StatusError && error.retryAfter !== undefined, String(error))
      log.push(`${name}: ${error.cause}`)
    })
  return gate
}

const settled = (): Promise<void> => new Promise(setImmediate)

test('so many run at once, others wait in order, and one too many is refused', async () => {
  const limit = bulkhead({ max: 2, maxQueued: 2 }, testClock())
  const log: string[] = []
  const tasks = ['a', 'b', 'c', 'd', 'e'].map((name) => task(limit, log, name))
  await settled()
  assert.deepEqual(log, ['a', 'b', 'e: too many calls are waiting'])
  assert.deepEqual([limit.running, limit.queued], [2, 2])
  tasks[1].resolve()
  await settled()
  assert.deepEqual(log.slice(3), ['c'])
  tasks[0].reject(new StatusError(500, '', '', { retryAfter: 1 }))
  tasks[2].resolve()
  await settled()
  assert.deepEqual(log.slice(4).sort(), ['a: ', 'd'])
  tasks[3].resolve()
  await settled()
  assert.deepEqual([limit.running, limit.queued], [0, 0])
  assert.deepEqual(limit.stats, { passed: 2, queued: 2, refused: 1, displaced: 0, late: 0 })
})

test('what waits too long is refused, and its place is free', async () => {
  const clock = testClock()
  const limit = bulkhead({ max: 1, maxQueued: 1, queueTimeout: 100 }, clock)
  const log: string[] = []
  const a = task(limit, log, 'a')
  task(limit, log, 'b')
  clock.advance(102)
  await settled()
  task(limit, log, 'c').resolve()
  a.resolve()
  await settled()
  assert.deepEqual(log, ['a', 'b: no turn in time', 'c'])
  assert.equal(limit.stats.late, 1)
})

test('the important ones are first, and take the places of others', async () => {
  const limit = bulkhead({ max: 1, maxQueued: 3 }, testClock())
  const log: string[] = []
  const a = task(limit, log, 'a')
  for (const name of ['low 1', 'low 2']) task(limit, log, name, 'sheddable').resolve()
  task(limit, log, 'usual 1').resolve()
  task(limit, log, 'high 1', 'critical').resolve()
  task(limit, log, 'usual 2', 'default').resolve()
  task(limit, log, 'low 3', 'sheddable').resolve()
  await settled()
  assert.deepEqual(log.sort(), [
    'a',
    'low 1: a more important call took its place',
    'low 2: a more important call took its place',
    'low 3: too many calls are waiting',
  ])
  a.resolve()
  await settled()
  assert.deepEqual(log.slice(4), ['high 1', 'usual 1', 'usual 2'])
  assert.equal(limit.stats.displaced, 2)
})

test('the newest are first when asked for', async () => {
  const limit = bulkhead({ max: 1, first: 'newest' }, testClock())
  const log: string[] = []
  const a = task(limit, log, 'a')
  for (const name of ['b', 'c', 'd']) task(limit, log, name).resolve()
  a.resolve()
  await settled()
  assert.deepEqual(log, ['a', 'd', 'c', 'b'])
})

test('a higher maximum lets those pass that wait, and bad options change nothing', async () => {
  const limit = bulkhead({ max: 1 }, testClock())
  const log: string[] = []
  const tasks = ['a', 'b', 'c'].map((name) => task(limit, log, name))
  limit.update({ max: 2 })
  await settled()
  assert.deepEqual(log, ['a', 'b'])
  for (const wrong of [{ max: 0 }, { queueTimeout: 0 }, { maxQueued: -1 }]) assert.throws(() => limit.update(wrong), RangeError)
  for (const wrong of [{ first: 'x' }, { by: 'session' }, { kind: 'x' }, { name: 'other' }, { criticality: 1 }])
    assert.throws(() => limit.update(wrong as never), TypeError)
  assert.throws(() => bulkhead({} as never), RangeError)
  for (const each of tasks) each.resolve()
  await settled()
  assert.deepEqual([limit.running, limit.queued], [0, 0])
})

test('a refusal says how long it takes to be served', async () => {
  const clock = testClock()
  const limit = bulkhead({ max: 1, maxQueued: 0 }, clock)
  for (let n = 0; n < 20; n++) {
    const gate = once()
    const done = limit.run('/a', () => gate.promise)
    clock.advance(40)
    gate.resolve()
    await done
  }
  void limit.run('/a', () => new Promise(() => {}))
  await assert.rejects(
    limit.run('/a', () => {}),
    (error: StatusError) => error.retryAfter === 40,
  )
})

test('routes have limits of their own, up to a number', async () => {
  const limit = bulkhead({ max: 1, maxQueued: 0, maxKeys: 10 }, testClock())
  const gate = once()
  const all = Array.from({ length: 100 }, (_, n) =>
    limit
      .run(`/${n}`, () => gate.promise)
      .then(
        () => 0,
        ({ code }: StatusError) => code,
      ),
  )
  gate.resolve()
  const codes = await Promise.all(all)
  assert.equal(codes.filter((code) => code === 0).length, 11)
  const together = bulkhead({ max: 1, maxQueued: 0, by: 'endpoint' }, testClock())
  void together.run('/a', () => new Promise(() => {}))
  await assert.rejects(together.run('/b', () => {}))
})
