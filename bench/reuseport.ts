// Several server processes on one port: the calls of one C++ client, and how the kernel spread its connections.
import { readFileSync } from 'node:fs'
import type { Driver } from './drivers.ts'
import { BOTH_CORES, loadClient, type Server, type Settings, startServer } from './peers.ts'
import type { Measurement } from './results.ts'
import type { Trial } from './trials.ts'

export async function reuseport(driver: Driver, trial: Trial, settings: Settings): Promise<Measurement> {
  const servers: Server[] = []
  for (let i = 0; i < trial.processes!; i++) {
    const port = i === 0 ? [] : ['--port', servers[0].address.split(':').at(-1)!]
    servers.push(await startServer(driver, trial, settings, { core: BOTH_CORES, args: ['--reuse-port', ...port] }))
  }
  const before = servers.map(cpuTicks)
  const run = await loadClient<Measurement>([], trial, servers, settings)
  const used = servers.map((server, i) => cpuTicks(server) - before[i])
  for (const { program } of servers) await program.stop()
  const all = used.reduce((sum, ticks) => sum + ticks, 0)
  return { ...run, process_shares: used.map((ticks) => ticks / all) }
}

/** User and system time of a server, in clock ticks. */
function cpuTicks({ pids }: Server): number {
  const stat = readFileSync(`/proc/${pids[0]}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // from field 3 on
  return Number(fields[11]) + Number(fields[12])
}
