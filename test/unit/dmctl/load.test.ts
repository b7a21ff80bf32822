import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoadResult, runLoad } from '../../../src/dmctl/bench/load.ts'
import { StatusError } from '../../../src/index.ts'

const never = new AbortController().signal
const options = { connections: 1, inFlight: 1_000, rate: undefined, duration: 60, signal: never }

test('an open loop counts the time of a call from when it was due, and skips what has no room', async () => {
  const result = new LoadResult()
  let release = (): void => {}
  const stalled = new Promise<void>((resolve) => {
    release = resolve
  })
  let calls = 0
  // The callee answers nothing before the last call is made, and then all at once.
  const call = (): Promise<void> => {
    if (++calls === 60) release()
    return stalled
  }
  await runLoad(call, { ...options, rate: 1_000 }, result)
  assert.deepEqual([calls, result.latencies.count, result.skipped], [60, 60, 0])
  assert.ok(result.latencies.max >= 59 && result.latencies.percentile(0.5) >= 28, `${result.latencies.percentile(0.5)}`)

  const crowded = new LoadResult()
  let made = 0
  const first = new Promise<void>((resolve) => {
    release = resolve
  })
  const hold = (): Promise<void> => {
    made++
    return first
  }
  const done = runLoad(hold, { ...options, rate: 1_000, inFlight: 10 }, crowded)
  const timer = setInterval(() => crowded.skipped === 50 && release(), 1)
  await done
  clearInterval(timer)
  assert.deepEqual([made, crowded.latencies.count, crowded.skipped], [10, 10, 50])
})

test('a closed loop keeps as many calls out as it may, on all connections', async () => {
  const result = new LoadResult()
  const [out, most, used] = [new Set<symbol>(), { calls: 0 }, new Set<number>()]
  const call = async (connection: number): Promise<void> => {
    const id = Symbol()
    out.add(id)
    used.add(connection)
    most.calls = Math.max(most.calls, out.size)
    await new Promise(setImmediate)
    out.delete(id)
  }
  await runLoad(call, { ...options, inFlight: 8, connections: 3 }, result)
  assert.deepEqual([most.calls, [...used], result.failed], [8, [0, 1, 2], 0])
  assert.ok(result.latencies.count > 8 && result.elapsed >= 60)
})

test('failures are counted by their status, and calls that an interruption ends are not', async () => {
  const result = new LoadResult()
  const stop = new AbortController()
  let calls = 0
  const call = (_: number, signal: AbortSignal): Promise<unknown> => {
    if (++calls <= 3) return Promise.reject(new StatusError(1001, 'out of stock'))
    queueMicrotask(() => stop.abort())
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  await runLoad(call, { ...options, inFlight: 1, duration: 60_000, signal: stop.signal }, result)
  assert.deepEqual([[...result.failures], result.failed, result.latencies.count], [[['1001 out of stock', 3]], 3, 0])
  assert.ok(result.elapsed < 10_000)
})
