// One value from a server to many sessions: microseconds from its publish to the deliveries, which the C++ receiver
// (bench/fanout) checks. A server answers the line `publish` on its standard input with {"started_ns"}.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accepted, openFiles } from './accepted.ts'
import { bodyFile } from './body.ts'
import type { Driver } from './drivers.ts'
import { type Settings, startReceiver, startServer } from './peers.ts'
import { type Measurement, median } from './results.ts'
import type { Trial } from './trials.ts'

const CONNECT_MS = 60_000
const DELIVERY_MS = 30_000
/** Publishes of one measurement; the first is the warm-up. */
const ROUNDS = 4

/** How a driver's sessions speak. */
function dialectOf({ name, scheme }: Driver): string {
  if (name === 'socketio') return name
  return scheme === 'ws' ? 'websocket' : 'raw'
}

interface Delivery {
  first_ns: string
  median_ns: string
  last_ns: string
}

export async function fanout(driver: Driver, trial: Trial, settings: Settings): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-fanout-'))
  try {
    const body = await bodyFile(folder, trial.payload)
    const server = await startServer(driver, trial, settings, { args: driver.kind === 'cpp' ? ['--body-file', body] : [] })
    const args = ['--address', server.address, '--connections', trial.connections, '--dialect', dialectOf(driver), '--payload-file', body]
    const files = openFiles(server)
    const receiver = startReceiver(args, settings)
    await receiver.next(CONNECT_MS)
    await accepted(server, files + trial.connections)
    const times: Measurement[] = []
    for (let i = 0; i < ROUNDS; i++) {
      receiver.tell('round')
      await receiver.next(DELIVERY_MS)
      server.program.tell('publish')
      const { started_ns: start } = await server.program.next<{ started_ns: string }>(DELIVERY_MS)
      const delivery = await receiver.next<Delivery>(DELIVERY_MS)
      const since = (time: string) => Number(BigInt(time) - BigInt(start)) / 1e3
      times.push({ first_us: since(delivery.first_ns), median_us: since(delivery.median_ns), last_us: since(delivery.last_ns) })
    }
    await receiver.stop()
    await server.program.stop()
    const middle = (field: 'first_us' | 'median_us' | 'last_us') => median(times.slice(1).map((time) => time[field]!))
    return { first_us: middle('first_us'), median_us: middle('median_us'), last_us: middle('last_us') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
