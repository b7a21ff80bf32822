// One measurement: a trial and a driver in fresh processes.
import { bodiesFile } from './body.ts'
import type { Driver } from './drivers.ts'
import { fanout } from './fan-out.ts'
import { link } from './link.ts'
import { heap, idle } from './memory.ts'
import { type PayloadKind, payloads } from './payloads.mjs'
import { loadClient, manner, ownClient, type Server, type Settings, startServer } from './peers.ts'
import { programs } from './processes.ts'
import { stack } from './profile.ts'
import type { Measurement } from './results.ts'
import { reuseport } from './reuseport.ts'
import { startup } from './startup.ts'
import { type Payload, payloadBytes, type Trial } from './trials.ts'

type Measure = (driver: Driver, trial: Trial, settings: Settings) => Promise<Measurement>

const measures: Record<Trial['how'], Measure> = {
  peers: (driver, trial, settings) => served(driver, trial, settings, (server) => ownClient(driver, trial, [server], settings)),
  load: async (driver, trial, settings) => {
    const message = [...(await messageOf(trial)), ...manner(driver)]
    return await served(driver, trial, settings, (server) => loadClient(message, trial, [server], settings))
  },
  pingpong: (driver, trial, settings) =>
    served(driver, trial, settings, (server) =>
      driver.kind === 'cpp'
        ? loadClient(['--mode', 'pingpong', ...(driver.peer === 'pingpong-spin' ? ['--spin'] : [])], trial, [server], settings)
        : ownClient(driver, trial, [server], settings),
    ),
  'stack-peers': (driver, trial, settings) => stack(driver, trial, settings, measures.peers),
  'stack-load': (driver, trial, settings) => stack(driver, trial, settings, measures.load),
  fanout,
  handshake: (driver, trial, settings) => {
    const mode = ['--mode', 'handshake', ...(trial.resume ? ['--resume'] : []), ...manner(driver)]
    return served(driver, trial, settings, (server) => loadClient(mode, trial, [server], settings))
  },
  reuseport,
  link,
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

/** Ids of codecs in a frame; json is what the C++ client takes by itself. */
const codecIds: Partial<Record<PayloadKind, number>> = { protobuf: 112, msgpack: 109, cbor: 99 }

/** How the C++ client is told what to send. */
export const messageOf = async ({ payload, protocol }: Trial): Promise<(string | number)[]> => [
  ...(await bodyOf(payload)),
  ...(protocol === undefined ? [] : ['--proto', protocol]),
]

async function bodyOf(payload: Payload): Promise<(string | number)[]> {
  const bytes = payloadBytes[payload]
  if (bytes !== undefined) return ['--body-bytes', bytes]
  const { file, count } = await bodiesFile(programs, payload)
  const codec = codecIds[payloads[payload].kind]
  return ['--body-file', file, '--body-count', count, ...(codec === undefined ? [] : ['--codec', codec])]
}

/** Clients print null for what they could not measure. */
const withoutNulls = (measurement: object): Measurement =>
  Object.fromEntries(Object.entries(measurement).filter(([, value]) => value !== null))
