// One measurement: a trial and a driver in fresh processes.
import { bodyFile } from './body.ts'
import type { Driver } from './drivers.ts'
import { fanout } from './fan-out.ts'
import { heap, idle } from './memory.ts'
import { loadClient, ownClient, programs, type Server, type Settings, startServer } from './peers.ts'
import { stack } from './profile.ts'
import type { Measurement } from './results.ts'
import { reuseport } from './reuseport.ts'
import { startup } from './startup.ts'
import { type Payload, payloadBytes, type Trial } from './trials.ts'

type Measure = (driver: Driver, trial: Trial, settings: Settings) => Promise<Measurement>

const measures: Record<Trial['how'], Measure> = {
  peers: (driver, trial, settings) => served(driver, trial, settings, (server) => ownClient(driver, trial, [server], settings)),
  load: (driver, trial, settings) => served(driver, trial, settings, (server) => loadClient(messageOf(trial), trial, [server], settings)),
  pingpong: (driver, trial, settings) =>
    served(driver, trial, settings, (server) =>
      driver.kind === 'cpp'
        ? loadClient(['--mode', 'pingpong', ...(driver.peer === 'pingpong-spin' ? ['--spin'] : [])], trial, [server], settings)
        : ownClient(driver, trial, [server], settings),
    ),
  'stack-peers': (driver, trial, settings) => stack(driver, trial, settings, measures.peers),
  'stack-load': (driver, trial, settings) => stack(driver, trial, settings, measures.load),
  fanout,
  reuseport,
  idle,
  heap,
  startup,
}

export async function measure(driver: Driver, trial: Trial, settings: Settings): Promise<Measurement> {
  return withoutNulls(await measures[trial.how](driver, trial, settings))
}

/** Starts a server, uses it and stops it. When that fails the run ends and its processes are killed. */
async function served<T>(driver: Driver, trial: Trial, settings: Settings, use: (server: Server) => Promise<T>): Promise<T> {
  const server = await startServer(driver, trial, settings)
  settings.onServer?.(server)
  const result = await use(server)
  await server.program.stop()
  return result
}

const PROTOBUF = 112 // the codec's id in a frame

/** How the C++ client is told what to send. */
const messageOf = ({ payload, protocol }: Trial): (string | number)[] => [
  ...bodyOf(payload),
  ...(protocol === undefined ? [] : ['--proto', protocol]),
]

function bodyOf(payload: Payload): (string | number)[] {
  const bytes = payloadBytes[payload]
  if (bytes !== undefined) return ['--body-bytes', bytes]
  return ['--body-file', bodyFile(programs, payload), ...(payload === 'bench-protobuf' ? ['--codec', PROTOBUF] : [])]
}

/** Clients print null for what they could not measure. */
const withoutNulls = (measurement: object): Measurement =>
  Object.fromEntries(Object.entries(measurement).filter(([, value]) => value !== null))
