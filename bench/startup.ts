// What a library costs before it has done anything: time and memory of fresh processes above those of bare Node, until it is loaded,
// until a server and a client are made, and until the first call is answered.
import type { Driver } from './drivers.ts'
import type { Settings } from './peers.ts'
import { Program, path } from './processes.ts'
import { type Measurement, median } from './results.ts'
import type { Trial } from './trials.ts'

/** Processes of each kind; their median counts. */
export const SAMPLES = 11
/** Processes before those, which bring the files into the system's cache. */
const WARM_UPS = 2
const PROCESS_MS = 30_000
const BARE = 'bare'
const MEBIBYTE = 2 ** 20

interface Stamp {
  /** Since the process began. */
  ms: number
  /** Resident. */
  bytes: number
}

/** What startup/run.mjs prints. */
export type Start = Record<'load' | 'make' | 'call', Stamp>

export const startupCommand = (library: string, { load }: Trial): string[] => [
  process.execPath,
  path('startup/run.mjs'),
  library,
  load ?? 'import',
]

/** Bare Node and the library in turn, so that what slows this machine down for a while slows both down. */
export async function startup(driver: Driver, trial: Trial, { env }: Settings): Promise<Measurement> {
  const start = (library: string, name: string): Promise<Start> =>
    new Program(name, startupCommand(library, trial), env).result<Start>(PROCESS_MS)
  const bare: Start[] = []
  const starts: Start[] = []
  for (let i = -WARM_UPS; i < SAMPLES; i++) {
    const pair = [await start(BARE, 'bare Node'), await start(driver.peer, `the start of ${driver.name}`)] as const
    if (i < 0) continue
    bare.push(pair[0])
    starts.push(pair[1])
  }
  return aboveBare(starts, bare)
}

/** Medians less the medians of bare Node. */
export function aboveBare(starts: Start[], bare: Start[]): Measurement {
  const above = (stage: keyof Start, unit: keyof Stamp): number => {
    const middle = (all: Start[]): number => median(all.map((one) => one[stage][unit]))!
    return middle(starts) - middle(bare)
  }
  return {
    load_ms: above('load', 'ms'),
    make_ms: above('make', 'ms'),
    call_ms: above('call', 'ms'),
    load_mib: above('load', 'bytes') / MEBIBYTE,
    make_mib: above('make', 'bytes') / MEBIBYTE,
    call_mib: above('call', 'bytes') / MEBIBYTE,
  }
}
