// `npm run quickstart`: runs the server and the client of this folder as two processes, then measures both transports.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Endpoint } from 'dmicro'

const here = (file) => fileURLToPath(new URL(file, import.meta.url))
const SECONDS = 2

/** Runs a script that prints one line when it is ready and ends with its standard input. */
async function start(script, ...args) {
  const child = spawn(process.execPath, [here(script), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const [line] = await Promise.race([
    new Promise((resolve) => createInterface({ input: child.stdout }).once('line', (text) => resolve([text]))),
    ended.then((code) => Promise.reject(new Error(`${script} ended with ${code} before it was ready`))),
  ])
  const stop = () => {
    child.stdin.end()
    return ended
  }
  return { line, stop }
}

async function run(script, ...args) {
  const child = spawn(process.execPath, [here(script), ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${script} ended with ${code}`)
}

async function measure(transport) {
  const server = await start('../../bench/peers/server.mjs', transport, '--payload', 'json-64')
  const { address } = JSON.parse(server.line)
  const load = async (inFlight) => {
    const shape = ['--payload', 'json-64', '--connections', 1, '--in-flight', inFlight, '--seconds', SECONDS, '--warmup', 1]
    const client = await start('../../bench/peers/client.mjs', transport, '--address', address, ...shape)
    await client.stop()
    return JSON.parse(client.line)
  }
  const [many, one] = [await load(64), await load(1)]
  await server.stop()
  return { transport, 'calls/s, 64 in flight': many.calls_per_second, 'p50 µs, 1 in flight': one.p50_us, 'p99 µs': one.p99_us }
}

const { transport } = new Endpoint()
console.log(`\n— server and client, two processes, transport ${transport} —`)
const server = await start('server.mjs', transport.kind)
console.log(`the server listens on ${server.line}`)
await run('client.mjs', server.line, transport.kind)
await server.stop()

console.log(`\n— 64-byte JSON echo between two processes, ${SECONDS} s each —`)
const rows = []
for (const kind of transport.kind === 'native' ? ['native', 'js'] : ['js']) rows.push(await measure(kind))
console.table(rows)
