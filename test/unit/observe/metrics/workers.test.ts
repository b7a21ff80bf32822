import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BroadcastChannel } from 'node:worker_threads'
import { Labels } from '../../../../src/observe/metrics/labels.ts'
import { type Part, PartSender } from '../../../../src/observe/metrics/part-sender.ts'
import { Snapshot, type SnapshotData } from '../../../../src/observe/metrics/snapshot.ts'
import { WorkerSums } from '../../../../src/observe/metrics/workers.ts'
import { once } from '../../../support/helpers.ts'

const family = { name: 'calls', help: '', type: 'counter' } as const

function counted(value: number): Snapshot {
  const snapshot = new Snapshot()
  snapshot.begin(family)
  snapshot.value(new Labels({}), value)
  return snapshot
}

const callsIn = (snapshot: Snapshot): number => snapshot.data()[0].series[0][1] as number

/** The sums of a main thread, and a channel on which other threads of its process speak. */
async function sums(t: TestContext) {
  const sums = new WorkerSums('svc', async () => counted(1))
  const threads = new BroadcastChannel('dmicro metrics')
  t.after(() => Promise.all([sums.close(), threads.close()]))
  const asked = once<void>()
  let answer: ((id: number) => void) | undefined
  let onMore: ((id: number) => void) | undefined
  threads.onmessage = (event) => {
    const { dmicroMetrics, id } = (event as { data: { dmicroMetrics: string; id: number } }).data
    if (dmicroMetrics === 'who') asked.resolve()
    if (dmicroMetrics === 'ask') answer?.(id)
    if (dmicroMetrics === 'more') onMore?.(id)
  }
  sums.open()
  await asked.promise
  return {
    sums,
    send: (thread: number | string, dmicroMetrics: string, data?: SnapshotData, id?: number, place: object = {}) =>
      threads.postMessage({ dmicroMetrics, service: 'svc', from: `${process.pid}/${thread}`, data, id, ...place }),
    onAsk: (then: (id: number) => void, more?: (id: number) => void) => {
      answer = then
      onMore = more
    },
  }
}

test('what threads counted before they ended stays in the sum, of however many', async (t) => {
  const { sums: main, send, onAsk } = await sums(t)
  for (let thread = 1; thread <= 300; thread++) {
    send(thread, 'hello')
    send(thread, 'bye', counted(2).data())
  }
  send(1000, 'hello')
  onAsk((id) => send(1000, 'answer', counted(10).data(), id))
  await settledBy(() => main.sum(), 1 + 300 * 2 + 10)
})

test('two plugins of one service in a thread are both in the sum', async (t) => {
  const { sums: main, send, onAsk } = await sums(t)
  for (const plugin of ['5/0', '5/1']) send(plugin, 'hello')
  onAsk((id) => {
    for (const plugin of ['5/0', '5/1']) send(plugin, 'answer', counted(10).data(), id)
  })
  await settledBy(() => main.sum(), 21)
  const names = new Set<string>()
  const others = new BroadcastChannel('dmicro metrics')
  t.after(() => others.close())
  const both = once<void>()
  others.onmessage = (event) => {
    const { from } = (event as { data: { from: string } }).data
    if (names.add(from).size === 2) both.resolve()
  }
  const made = [1, 2].map(() => new WorkerSums('svc', async () => counted(1)))
  t.after(() => Promise.all(made.map((each) => each.close())))
  for (const each of made) each.open()
  await both.promise
})

test('a thread that was blocked when it was asked is asked again once it has answered', async (t) => {
  const { sums: main, send, onAsk } = await sums(t)
  let late: number | undefined
  const isAsked = once<void>()
  onAsk((id) => {
    late = id
    isAsked.resolve()
  })
  send(7, 'hello')
  send(7, 'answer', counted(5).data(), 0)
  await settledBy(() => main.sum(), 6)
  assert.ok(late !== undefined, 'it was asked, and did not answer in time')
  send(7, 'answer', counted(6).data(), late)
  onAsk((id) => send(7, 'answer', counted(8).data(), id))
  await settledBy(() => main.sum(), 9)
})

test('thousands of series come in parts, each when the main thread is ready for it', async (t) => {
  const { sums: main, send, onAsk } = await sums(t)
  const many = new Snapshot()
  many.begin(family)
  for (let i = 0; i < 5_000; i++) many.value(new Labels({ path: `/${i}` }), i)
  const sender = new PartSender()
  let parts = 0
  const answer = (id: number, part: Part | undefined): void => {
    parts++
    assert.ok(part?.data.every(({ series }) => series.length <= 50))
    send(7, 'answer', part?.data, id, { part: part?.part, isLast: part?.isLast })
  }
  onAsk(
    (id) => answer(id, sender.begin(id, many)),
    (id) => answer(id, sender.more(id)),
  )
  send(7, 'hello')
  let sum = await main.sum()
  while (parts === 0) {
    await new Promise(setImmediate) // lets `hello` come
    sum = await main.sum()
  }
  assert.equal(parts, 100)
  const series = sum.data().flatMap((copy) => copy.series)
  assert.equal(series.length, 1 + 5_000)
  assert.deepEqual(series.at(-1), [{ path: '/4999' }, 4_999])
})

test('the last part of an answer that came too late takes no place of a whole one', async (t) => {
  const { sums: main, send, onAsk } = await sums(t)
  onAsk((id) => send(7, 'answer', counted(5).data(), id))
  send(7, 'hello')
  await settledBy(() => main.sum(), 6)
  onAsk((id) => {
    send(7, 'answer', counted(1).data(), id - 1, { part: 1, isLast: true })
    setImmediate(() => send(7, 'answer', counted(8).data(), id))
  })
  assert.equal(callsIn(await main.sum()), 9)
})

/** Sums until what was sent has arrived, which the channel does not tell. */
async function settledBy(sum: () => Promise<Snapshot>, wanted: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (callsIn(await sum()) === wanted) return
    await new Promise(setImmediate)
  }
  assert.equal(callsIn(await sum()), wanted)
}
