// Load on dmicro's own client: `node bench/peers/dmicro-client.mjs native|js PORT SECONDS CONNECTIONS IN_FLIGHT [busyPoll]`.
// Every reply is checked. Prints calls per second, its CPU per call and the latency's percentiles in microseconds.
import { Endpoint } from '../../dist/index.js'

const [transport, port, seconds, connections, inFlight, busyPoll = '0'] = process.argv.slice(2)
const body = 'x'.repeat(62) // 64 bytes of JSON
const WARM_UP = 1000
const MAX_SAMPLES = 1_000_000
// Reading the clock costs a tenth of a call: with many in flight one in this many is timed.
const TIMED = Number(inFlight) > 1 ? 32 : 1

const endpoint = new Endpoint({ transport, busyPoll: Number(busyPoll) })
const sessions = await Promise.all(Array.from({ length: Number(connections) }, () => endpoint.dial(`tcp://127.0.0.1:${port}`)))
const samples = new Float64Array(MAX_SAMPLES)
let sampled = 0
let calls = 0
let measuring = false
let stopped = false

async function worker(session) {
  for (let i = 0; !stopped; i++) {
    const timed = i % TIMED === 0
    const start = timed ? performance.now() : 0
    const reply = await session.call('/bench/echo', body)
    if (reply !== body) throw new Error('wrong reply')
    if (!measuring) continue
    calls++
    if (timed && sampled < MAX_SAMPLES) samples[sampled++] = performance.now() - start
  }
}

const workers = sessions.flatMap((session) => Array.from({ length: Number(inFlight) }, () => worker(session)))
await new Promise((resolve) => setTimeout(resolve, WARM_UP))
measuring = true
const cpu = process.cpuUsage()
const start = performance.now()
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000))
measuring = false
const elapsed = performance.now() - start
const used = process.cpuUsage(cpu)
stopped = true
await Promise.all(workers)
const sorted = samples.subarray(0, sampled).sort()
const at = (q) => Number((sorted[Math.min(sampled - 1, Math.floor(q * sampled))] * 1000).toFixed(1))
console.log(
  JSON.stringify({
    calls_per_second: Math.round((calls / elapsed) * 1000),
    client_cpu_us_per_call: Number(((used.user + used.system) / calls).toFixed(3)),
    p50_us: at(0.5),
    p99_us: at(0.99),
  }),
)
process.exit(0)
