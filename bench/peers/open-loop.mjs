// Calls at fixed times, whatever the server does. Latency counts from the time a call was due, so that a stalled server is
// charged with every call it delays and not with the few in flight.
import { fail } from './fail.mjs'

/**
 * Counted are the calls answered within the window. Latencies are those of the calls due within it; one that there was no room
 * to send by its end enters with the time it had waited by then, less than the truth, and is counted in `run.unsent`.
 * @returns {Promise<number>} the calls answered within the window
 */
export function openLoop(run) {
  const { connections, inFlight, rate, warmup, seconds, payload, meter, progress, latencies } = run
  const payloads = connections.map((_, c) => payload.of(c))
  const most = connections.length * inFlight
  const start = performance.now()
  const begin = start + warmup * 1000
  const end = begin + seconds * 1000
  const dueAt = (n) => start + (n * 1000) / rate
  let next = 0
  let open = 0
  let answered = 0

  async function call(n) {
    const c = n % connections.length
    const { value, same } = payloads[c]
    if (!same(await connections[c].call(value))) fail('wrong reply')
    const now = performance.now()
    open--
    progress.calls++
    if (dueAt(n) >= begin) latencies.record(now - dueAt(n))
    if (now >= begin && now < end) answered++
  }

  function sendDue(now) {
    while (open < most && dueAt(next) <= now && dueAt(next) < end) {
      open++
      call(next++).catch(fail)
    }
  }

  function dropUnsent() {
    for (; dueAt(next) < end; next++) {
      if (dueAt(next) < begin) continue
      latencies.record(end - dueAt(next))
      run.unsent++
    }
  }

  // Timers are a millisecond coarse: the loop looks at the clock in every turn.
  return new Promise((resolve) => {
    let state = 'warming'
    const turn = () => {
      const now = performance.now()
      if (state === 'warming' && now >= begin) {
        state = 'measuring'
        meter.begin()
      }
      if (now < end) sendDue(now)
      else if (state === 'measuring') {
        state = 'draining'
        meter.end()
        dropUnsent()
      }
      if (state === 'draining' && open === 0) resolve(answered)
      else setImmediate(turn)
    }
    turn()
  })
}
