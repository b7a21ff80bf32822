// As many calls as there are answers: every worker calls again when it has its reply.
import { setTimeout as pause } from 'node:timers/promises'
import { fail } from './fail.mjs'

// Reading the clock costs a tenth of a call: with many in flight, one in this many of a worker's is timed.
const TIMED = 32
/** In a push load one message in this many is a call, so that the peer's pace is kept. */
const CALL_EVERY = 64

/** @typedef {{ calls: number, measuring: boolean, stopped: boolean }} Progress */

/**
 * Runs `work` in as many workers as calls may be in flight; what the window measured is in `meter` and `latencies`.
 * @returns {Promise<number>} the calls within the window
 */
async function loop(work, { connections, inFlight, warmup, seconds, payload, meter, progress, latencies }) {
  const workers = connections.flatMap((connection, c) =>
    Array.from({ length: inFlight }, (_, w) =>
      work(connection, payload.of(c * inFlight + w), w, inFlight, progress, latencies).catch(fail),
    ),
  )
  await pause(warmup * 1000)
  meter.begin()
  const before = progress.calls
  progress.measuring = true
  await pause(seconds * 1000)
  progress.measuring = false
  const calls = progress.calls - before
  meter.end()
  progress.stopped = true
  await Promise.all(workers)
  return calls
}

export const closedLoop = (run) => loop(call, run)

async function call(connection, { value, same }, worker, inFlight, progress, latencies) {
  const every = inFlight > 1 ? TIMED : 1
  // Workers start at different places, lest all time the same calls.
  for (let i = worker; !progress.stopped; i++) {
    const timed = i % every === 0
    const start = timed ? performance.now() : 0
    if (!same(await connection.call(value))) fail('wrong reply')
    progress.calls++
    if (timed && progress.measuring) latencies.record(performance.now() - start)
  }
}

/** Pushes, and now and then a call; latency is that of the calls. At the end the server must have received every push. */
export async function pushLoop(run) {
  const messages = await loop(push, run)
  const received = await run.connections[0].pushed()
  if (received !== run.progress.pushes) fail(`the server received ${received} of ${run.progress.pushes} pushes`)
  return messages
}

async function push(connection, { value, same }, _worker, _inFlight, progress, latencies) {
  while (!progress.stopped) {
    for (let i = 1; i < CALL_EVERY; i++) {
      const sent = connection.push(value)
      if (sent !== undefined) await sent
      progress.pushes++
      progress.calls++
    }
    const start = performance.now()
    if (!same(await connection.call(value))) fail('wrong reply')
    progress.calls++
    if (progress.measuring) latencies.record(performance.now() - start)
  }
}
