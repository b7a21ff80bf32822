// How long a scrape of 1,000 routes keeps the event loop from others: the longest slice of each of many scrapes, and the
// CPU time of one. `node bench/micro/scrape.mjs [--quick]`; the last line of stdout is JSON. What the machine takes away for
// itself counts too, so it needs a quiet one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROUTES = 1_000
const CALLS = 3
const SCRAPES = process.argv.includes('--quick') ? 20 : 100
const BAR_MS = 5
const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const load = (file) => import(pathToFileURL(resolve(dist, file)).href)
const { Endpoint } = await load('index.js')
const { prometheus } = await load('observe/metrics/index.js')

const metrics = prometheus({ service: 'bench', listen: 'http://127.0.0.1:0' })
const server = new Endpoint({ plugins: [metrics] })
for (let i = 0; i < ROUTES; i++) server.routeCall(`/bench/service/method-${i}`, (value) => value)
const client = new Endpoint()
const session = await client.dial((await server.listen('tcp://127.0.0.1:0')).url)
for (let i = 0; i < ROUTES * CALLS; i++) {
  const meta = { traceparent: `00-${String(i).padStart(32, '1')}-${'2'.repeat(16)}-01` }
  await session.call(`/bench/service/method-${i % ROUTES}`, i, { meta })
}

/** Another process scrapes, so that what its end takes is not counted. */
const scraper = spawn(
  process.execPath,
  [
    '-e',
    `
  const { get } = require('node:http')
  process.on('message', (headers) => get(${JSON.stringify(`${metrics.url}/metrics`)}, { headers }, (answer) => {
    let bytes = 0
    answer.on('data', ({ length }) => { bytes += length })
    answer.on('end', () => process.send(answer.statusCode === 200 ? bytes : -1))
  }))`,
  ],
  { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
)

/** Makes a scrape as Prometheus does; the bytes of its body. */
async function scrape(accept, encoding) {
  scraper.send({ accept, 'accept-encoding': encoding })
  const [bytes] = await once(scraper, 'message')
  if (bytes < 0) throw new Error('the scrape failed')
  return bytes
}

/** The longest time between two turns of the loop while `run` is under way, in milliseconds. */
async function longestTurn(run) {
  let isOver = false
  let longest = 0
  let before = performance.now()
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - before)
    before = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  const result = await run()
  isOver = true
  return { longest, result }
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]
const rows = []
for (const [name, accept, encoding] of [
  ['text', '*/*', 'identity'],
  ['OpenMetrics', 'application/openmetrics-text;version=1.0.0', 'identity'],
  ['OpenMetrics, gzip', 'application/openmetrics-text;version=1.0.0', 'gzip'],
]) {
  const slices = []
  const cpu = []
  let bytes = 0
  for (let i = -5; i < SCRAPES; i++) {
    const began = process.cpuUsage()
    const { longest, result } = await longestTurn(() => scrape(accept, encoding))
    const { user, system } = process.cpuUsage(began)
    bytes = result
    if (i < 0) continue
    slices.push(longest)
    cpu.push((user + system) / 1000)
  }
  const row = { name, bytes, longest_ms: Math.max(...slices), median_ms: median(slices), cpu_ms: median(cpu) }
  rows.push(row)
  process.stderr.write(
    `scrape of ${ROUTES} routes, ${name}: longest slice ${row.longest_ms.toFixed(2)} ms, median of the longest ${row.median_ms.toFixed(2)} ms (bar ${BAR_MS} ms), ${bytes} bytes\n`,
  )
}
scraper.kill()
await client.close()
await server.close()
process.stdout.write(`${JSON.stringify(rows)}\n`)
