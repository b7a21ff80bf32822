// The suite's own test: starts the server and the client of each JavaScript driver for a moment and prints what they say.
//   node bench/check-drivers.mjs [NAME...] [-- CLIENT OPTIONS]     e.g. -- --direction push
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { driverNames } from './peers/load-driver.mjs'

const SHAPE = ['--connections', '2', '--in-flight', '4', '--seconds', '0.3', '--warmup', '0.2']
/** Options that the server takes as well. */
const BOTH = ['--payload', '--busy-poll', '--io-threads', '--routes', '--proto']
const split = process.argv.indexOf('--')
const names = process.argv.slice(2, split < 0 ? undefined : split)
const more = split < 0 ? [] : process.argv.slice(split + 1)
const forBoth = more.filter((_, i) => BOTH.includes(more[i]) || BOTH.includes(more[i - 1]))

/** Runs a peer program; `line` is its next line of output, `ended` how it went. */
function start(program, ...args) {
  const path = fileURLToPath(new URL(`peers/${program}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data) => {
    said += data
  })
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, said: said.trim() })))
  const line = new Promise((resolve) => child.stdout.once('data', (data) => resolve(JSON.parse(data))))
  return { child, line, ended }
}

async function check(name) {
  const server = start('server', name, ...forBoth)
  const ready = await Promise.race([server.line, server.ended])
  if (ready.address === undefined) return { missing: ready.said }
  const client = start('client', name, '--address', ready.address, '--server-pids', ready.pids.join(','), ...SHAPE, ...more)
  const result = await Promise.race([client.line, client.ended])
  const { code, said } = await client.ended
  server.child.stdin.end()
  const end = await server.ended
  if (code !== 0) return { missing: said }
  if (end.code !== 0 || said !== '' || end.said !== '') return { missing: `ended with ${end.code}: ${said} ${end.said}` }
  const { calls_per_second, server_cpu_us_per_call, client_cpu_us_per_call, p50_us, p99_us } = result
  return { calls_per_second, server_cpu_us_per_call, client_cpu_us_per_call, p50_us, p99_us }
}

const table = {}
for (const name of names.length > 0 ? names : driverNames) table[name] = await check(name)
console.table(table)
if (Object.values(table).some(({ missing }) => missing !== undefined)) process.exitCode = 1
