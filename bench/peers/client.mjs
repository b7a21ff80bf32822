// The load of a driver: `node bench/peers/client.mjs NAME --address A [--payload P] [--connections N] [--in-flight M] [--seconds S]
// [--warmup W] [--server-pids 1,2] [--rate R | --direction push] [--busy-poll US] [--io-threads N] [--routes N] [--proto P]`.
// Every reply is checked. Prints one line of JSON; its fields are in bench/README.md.
import { closedLoop, pushLoop } from './closed-loop.mjs'
import { fail, failOnAnyError, USAGE } from './fail.mjs'
import { createLatencies } from './latencies.mjs'
import { loadDriver } from './load-driver.mjs'
import { createMeter } from './meter.mjs'
import { openLoop } from './open-loop.mjs'
import { readClientOptions } from './options.mjs'
import { watchProgress, watchServers } from './watchdog.mjs'

/** How many connections are being made at a time: more would overrun a server's backlog. */
const DIALS = 128

async function dialAll(driver, { address, connections, driver: options }) {
  const dialled = []
  while (dialled.length < connections) {
    const batch = Math.min(DIALS, connections - dialled.length)
    dialled.push(...(await Promise.all(Array.from({ length: batch }, () => driver.dial(address, options)))))
  }
  return dialled
}

failOnAnyError()
const options = readClientOptions()
const { payload } = options.driver
const driver = await loadDriver(options.name, options.driver)
const progress = { calls: 0, pushes: 0, measuring: false, stopped: false }
watchServers(options.serverPids)
const connections = await dialAll(driver, options).catch(fail)
watchProgress(progress)
if (options.direction === 'push' && connections[0].push === undefined) fail(`${options.name} cannot push`, USAGE)

const meter = createMeter(options.serverPids)
const latencies = createLatencies()
const run = { ...options, connections, payload, meter, latencies, progress, unsent: 0 }
const load = options.direction === 'push' ? pushLoop : options.rate > 0 ? openLoop : closedLoop
const calls = await load(run)
if (calls === 0) fail('no call was answered in the measured window')
const result = { ...meter.result(calls), ...latencies.summary(), ...(options.rate > 0 ? { unsent: run.unsent } : {}) }
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
