// The figures the project holds itself to, measured in one run: `npm run bench`. Every load runs in processes of its own;
// each row is measured ROUNDS times with the candidates in alternating order, and the medians are shown with the raw
// values in bench/results/latest.json.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { heapUnderLoad, idleSession, idleSocket } from './memory.mjs'
import { median, path, runToEnd, startServer } from './processes.mjs'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3)
const node = process.execPath
const build = path('../build/bench')
const load = `${build}/load`
const floor = `${build}/floor`

/**
 * Server on the first core, client on the second: where the scheduler puts two such processes changes their figures
 * twofold, and unpinned it changes its mind between runs.
 */
const pins = spawnSync('taskset', ['--version']).status === 0 && cpus().length > 1
const pinned = (core, command, ...args) => (pins ? ['taskset', '-c', core, command, ...args] : [command, ...args])
const serve = (command, ...args) => startServer(...pinned(0, command, ...args))
const drive = (command, ...args) => runToEnd(...pinned(1, command, ...args))

function buildPrograms() {
  for (const args of [
    ['-S', path('.'), '-B', build],
    ['--build', build, '-j', '2'],
  ]) {
    const { status, stdout, stderr, error } = spawnSync('cmake', args, { encoding: 'utf8' })
    if (status !== 0)
      throw new Error(`the load generator does not build (it needs cmake, a C++ compiler and Linux): ${error?.message ?? stdout + stderr}`)
  }
}

const servers = {
  floor: () => serve(floor),
  native: () => serve(node, path('peers/dmicro-server.mjs'), 'native'),
  js: () => serve(node, path('peers/dmicro-server.mjs'), 'js'),
}

/** C++ load on one server: calls a second and the server's CPU per call. */
async function underLoad(name, connections, inFlight) {
  const server = await servers[name]()
  const shape = ['--connections', connections, '--in-flight', inFlight, '--seconds', SECONDS]
  const result = await drive(load, ...shape, '--port', server.port, '--server-pid', server.pid, '--json')
  await server.stop()
  return result
}

/** Node at both ends, 1 connection. */
async function nodeToNode(name, inFlight, busyPoll = 0) {
  if (name === 'net') {
    const server = await serve(node, path('net-baseline/server.mjs'))
    const result = await drive(node, path('net-baseline/client.mjs'), '--port', server.port, '--in-flight', inFlight, '--seconds', SECONDS)
    await server.stop()
    return result
  }
  const server = await serve(node, path('peers/dmicro-server.mjs'), name, busyPoll)
  const result = await drive(node, path('peers/dmicro-client.mjs'), name, server.port, SECONDS, 1, inFlight, busyPoll)
  await server.stop()
  return result
}

async function pingPong(mode, ...flags) {
  const server = await serve(floor, '--mode', `pingpong-${mode}`)
  const result = await drive(load, '--mode', 'pingpong', ...flags, '--seconds', SECONDS, '--port', server.port, '--json')
  await server.stop()
  return result
}

const raw = {}

/** Runs each measure ROUNDS times, in alternating order, and keeps the results under `name`. */
async function trial(name, measures) {
  const results = Object.fromEntries(Object.keys(measures).map((key) => [key, []]))
  for (let round = 0; round < ROUNDS; round++) {
    const keys = Object.keys(measures)
    for (const key of round % 2 === 0 ? keys : keys.reverse()) {
      process.stderr.write(`\r\x1b[K${name}: ${key} ${round + 1}/${ROUNDS}`)
      results[key].push(await measures[key]())
    }
  }
  process.stderr.write('\r\x1b[K')
  raw[name] = results
  return (key, field) => median(results[key].map((result) => result[field]))
}

const rows = []
const row = (load, bar, measured, ok) => rows.push({ load, bar, measured, met: ok ? 'yes' : 'NO' })
const us = (n) => `${n.toFixed(2)} µs`
const thousand = (n) => `${Math.round(n / 1000)} k/s`

buildPrograms()

const many = await trial('256 × 1', Object.fromEntries(Object.keys(servers).map((name) => [name, () => underLoad(name, 256, 1)])))
const cpu = 'server_cpu_us_per_call'
const [floorCpu, nativeCpu, jsCpu] = ['floor', 'native', 'js'].map((name) => many(name, cpu))
row(
  '256 × 1, server CPU per call',
  '≤ 1.3 × floor',
  `${us(nativeCpu)} / ${us(floorCpu)} = ${(nativeCpu / floorCpu).toFixed(2)}`,
  nativeCpu <= 1.3 * floorCpu,
)
row('', '≤ 0.75 × JavaScript', `${us(nativeCpu)} / ${us(jsCpu)} = ${(nativeCpu / jsCpu).toFixed(2)}`, nativeCpu <= 0.75 * jsCpu)

const deep = await trial('16 × 64', Object.fromEntries(Object.keys(servers).map((name) => [name, () => underLoad(name, 16, 64)])))
const rate = 'calls_per_second'
row('16 × 64, server CPU per call', '≤ 1.0 µs', `${us(deep('native', cpu))} (floor ${us(deep('floor', cpu))})`, deep('native', cpu) <= 1)
const gain = deep('native', rate) / deep('js', rate)
row(
  '16 × 64, calls/s',
  '≥ 1.4 × JavaScript',
  `${thousand(deep('native', rate))} / ${thousand(deep('js', rate))} = ${gain.toFixed(2)}`,
  gain >= 1.4,
)

const both = await trial(
  '1 × 64, Node both ends',
  Object.fromEntries(['native', 'js', 'net'].map((name) => [name, () => nodeToNode(name, 64)])),
)
const ours = both('native', rate)
row(
  '1 × 64, Node both ends, calls/s',
  '≥ 350 k/s',
  `${thousand(ours)} (JavaScript ${thousand(both('js', rate))}, bare net ${thousand(both('net', rate))})`,
  ours >= 350_000,
)

const one = await trial('1 × 1', {
  busy: () => nodeToNode('native', 1, 50),
  plain: () => nodeToNode('native', 1),
  blocking: () => pingPong('blocking'),
  spinning: () => pingPong('spin', '--spin'),
})
const p50 = 'p50_us'
const others = `without ${us(one('plain', p50))}, C++ blocking ${us(one('blocking', p50))}, spinning ${us(one('spinning', p50))}`
row('1 in flight, busyPoll 50, p50', '≤ 15 µs', `${us(one('busy', p50))} (${others})`, one('busy', p50) <= 15)

const [session, jsSession, socket] = [await idleSession('native'), await idleSession('js'), await idleSocket()]
row(
  'idle session, RSS',
  '≤ 4096 B',
  `${Math.round(session)} B (JavaScript ${Math.round(jsSession)} B, bare net ${Math.round(socket)} B)`,
  session <= 4096,
)
const { calls, heaps } = await heapUnderLoad('native', load, 10_000_000)
const growth = (heaps.at(-1) - heaps[1]) / heaps[1] // the first load is the warm-up
row(
  `heap over ${(calls / 1e6).toFixed(1)} M calls`,
  'flat',
  `${heaps.map((heap) => (heap / 2 ** 20).toFixed(2)).join(' ')} MiB`,
  growth < 0.01,
)
Object.assign(raw, { idle: { session, jsSession, socket }, heap: { calls, heaps } })

const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.version}`
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout?.trim() ?? ''
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${machine}, commit ${commit}, ${ROUNDS} rounds of ${SECONDS} s, medians${pins ? ', each side on its own core' : ''}\n`,
)
console.log('| load | bar | measured | met |\n|---|---|---|---|')
for (const { load: name, bar, measured, met } of rows) console.log(`| ${name} | ${bar} | ${measured} | ${met} |`)
mkdirSync(path('results'), { recursive: true })
writeFileSync(path('results/latest.json'), `${JSON.stringify({ date: new Date().toISOString(), machine, commit, rows, raw }, null, 1)}\n`)
