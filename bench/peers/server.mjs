// The echo server of a driver: `node bench/peers/server.mjs NAME [--payload P] [--busy-poll US] [--io-threads N] [--routes N]
// [--proto P] [--port P] [--reuse-port]`. Prints {"address","pids"} and ends with its standard input. Lines it takes there:
// `publish` sends the payload to every client and prints {"started_ns"}, of the monotonic clock;
// `memory` prints {"rss","heapUsed"} after collections of garbage, which needs `node --expose-gc`.
import { createInterface } from 'node:readline'
import { fail, failOnAnyError, USAGE } from './fail.mjs'
import { loadDriver } from './load-driver.mjs'
import { readServerOptions } from './options.mjs'

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

const commands = {
  publish() {
    if (server.publish === undefined) fail(`${name} cannot publish`, USAGE)
    print({ started_ns: String(process.hrtime.bigint()) })
    server.publish(options.payload.value)
  },
  memory() {
    if (globalThis.gc === undefined) fail('memory needs node --expose-gc', USAGE)
    globalThis.gc()
    globalThis.gc()
    const { rss, heapUsed } = process.memoryUsage()
    print({ rss, heapUsed })
  },
}

failOnAnyError()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0))
const { name, driver: options } = readServerOptions()
const driver = await loadDriver(name, options)
const server = await driver.serve(options).catch(fail)
// Also when it fails: a broker must not outlive it.
process.on('exit', () => server.close?.())

createInterface({ input: process.stdin })
  .on('line', (line) => (Object.hasOwn(commands, line) ? commands[line]() : fail(`no command is named ${line}`, USAGE)))
  .on('close', () => process.exit(0))
print({ address: server.address, pids: server.pids ?? [process.pid] })
