// Two drivers in pairs of short slices, both servers running: `node --import tsx bench/pairs.ts dserver native [--trial ID]
// [--sets N] [--pairs N] [--seconds S]`. What differs less than two servers of the same driver do cannot be told by rounds
// minutes apart, so a second server of the other driver takes part, which shows how much that is.
import { parseArgs } from 'node:util'
import { drivers } from './drivers.ts'
import { messageOf } from './measure.ts'
import { loadClient, type Server, type Settings, startServer } from './peers.ts'
import { killAll } from './processes.ts'
import { median } from './results.ts'
import { trials } from './trials.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    trial: { type: 'string', default: 'dserver-16x64' },
    sets: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '0.5' },
  },
})
const [name = 'dserver', other = 'native'] = positionals
const find = <T>(all: readonly T[], is: (each: T) => boolean, what: string): T => {
  const found = all.find(is)
  if (found === undefined) throw new Error(`there is no ${what}`)
  return found
}
const driverOf = (wanted: string) => find(drivers, (each) => each.name === wanted, `driver ${wanted}`)
const trial = { ...find(trials, ({ id }) => id === values.trial, `trial ${values.trial}`), warmups: 1 }
const seconds = Number(values.seconds)
const settings: Settings = { seconds, warmup: 0.1, env: {}, serverFlags: [] }
/** In microseconds of the server's CPU for each call. */
const slice = async (server: Server, more: Partial<Settings> = {}): Promise<number> => {
  const message = await messageOf(trial)
  const result = await loadClient<{ server_cpu_us_per_call: number }>(message, trial, [server], { ...settings, ...more })
  return result.server_cpu_us_per_call
}

const sets: { measured: number; same: number; costs: number[] }[] = []
try {
  for (let set = 0; set < Number(values.sets); set++) {
    const servers: Server[] = []
    for (const each of [name, other, other]) servers.push(await startServer(driverOf(each), trial, settings))
    for (const server of servers) await slice(server, { warmup: 2 })
    const costs: number[][] = [[], [], []]
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      // Each first, second and last as often as the others.
      for (let i = 0; i < servers.length; i++) {
        const at = (i + pair) % servers.length
        costs[at].push(await slice(servers[at]))
      }
    }
    const ratio = (a: number[], b: number[]): number => median(a.map((cost, i) => cost / b[i])) as number
    sets.push({ measured: ratio(costs[0], costs[1]), same: ratio(costs[2], costs[1]), costs: costs.map((all) => median(all) as number) })
    const [a, b, c] = sets[set].costs.map((cost) => cost.toFixed(3))
    console.log(
      `${name} ${a} µs, ${other} ${b} µs, ${other} ${c} µs: ${sets[set].measured.toFixed(3)}, same driver ${sets[set].same.toFixed(3)}`,
    )
    for (const { program } of servers) await program.stop()
  }
  const line = (what: string, all: number[]): string =>
    `${what}: ${(median(all) as number).toFixed(3)} (${Math.min(...all).toFixed(3)} to ${Math.max(...all).toFixed(3)})`
  console.log(line(`${name} / ${other}`, sets.map(({ measured }) => measured))) // biome-ignore format: one line
  console.log(line(`${other} / ${other}`, sets.map(({ same }) => same))) // biome-ignore format: one line
} finally {
  killAll()
}
