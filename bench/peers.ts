// The programs of both sides of a driver, as commands; and where they are pinned.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { certificateFile } from './certificate.ts'
import type { Driver, Scheme } from './drivers.ts'
import { Program, path, programs } from './processes.ts'
import type { Trial } from './trials.ts'

/** What holds for all measurements of a run. */
export interface Settings {
  seconds: number
  warmup: number
  /** Passed to every program; compare.ts chooses the dmicro to measure with it. */
  env: Record<string, string>
  /** Node's own, for a js server. */
  serverFlags: string[]
  /** Called when a server is ready, just before its load. */
  onServer?: (server: Server) => void
}

export interface Server {
  program: Program
  address: string
  pids: number[]
}

/**
 * Server on the first core, client on the second: where the scheduler puts two such processes changes their figures
 * twofold, and unpinned it changes its mind between runs.
 */
export const pinned = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0
const SERVER_CORE = '0'
const CLIENT_CORE = '1'
/** A server of several threads or processes takes both. */
export const BOTH_CORES = '0,1'

type Words = (string | number)[]
const on = (core: string, command: Words): Words => (pinned ? ['taskset', '-c', core, ...command] : command)

const READY_MS = 60_000
/** What a client may take besides its windows: 10,000 connections of a slow peer. */
const CLIENT_MS = 60_000

const option = (name: string, value: string | number | undefined): Words => (value === undefined ? [] : [`--${name}`, value])

const certificateOption = ({ scheme }: Driver): Words => (scheme === 'tls' || scheme === 'quic' ? ['--certificate', certificateFile()] : [])

function endpointOptions(driver: Driver, trial: Trial): Words {
  return [
    ...option('payload', trial.payload),
    ...option('busy-poll', driver.busyPoll),
    ...option('io-threads', driver.ioThreads),
    ...option('routes', trial.routes),
    ...option('proto', trial.protocol),
    ...option('scheme', driver.scheme),
    ...option('kcp', driver.kcp),
    ...certificateOption(driver),
  ]
}

/** How the server of a driver is started; `flags` are Node's own, `more` those of server.mjs or of the floor. */
export function serverCommand(driver: Driver, trial: Trial, flags: string[] = [], more: Words = []): Words {
  if (driver.kind === 'cpp') return [`${programs}/floor`, '--mode', trial.how === 'fanout' ? 'publish' : driver.peer, ...more]
  if (driver.kind === 'go')
    return [
      ...[`${programs}/go-peer`, `${driver.peer}-server`, '--payload', trial.payload],
      ...option('proto', trial.protocol),
      ...option('network', driver.scheme),
      ...certificateOption(driver),
      ...more,
    ]
  return [process.execPath, ...flags, path('peers/server.mjs'), driver.peer, ...endpointOptions(driver, trial), ...more]
}

export interface ServerOptions {
  core?: string
  /** What its command line begins with: where it runs. */
  prefix?: Words
  /** Further arguments of a js server or of the floor. */
  args?: Words
}

export async function startServer(driver: Driver, trial: Trial, settings: Settings, options: ServerOptions = {}): Promise<Server> {
  const { core = driver.ioThreads === undefined ? SERVER_CORE : BOTH_CORES, prefix = [], args = [] } = options
  const program = new Program(
    `the server of ${driver.name}`,
    on(core, [...prefix, ...serverCommand(driver, trial, settings.serverFlags, args)]),
    settings.env,
  )
  const ready = await program.next<{ address: string; pids: number[] } | { port: number; pid: number }>(READY_MS)
  // The floor tells its port and its process.
  return 'port' in ready ? { program, address: `127.0.0.1:${ready.port}`, pids: [ready.pid] } : { program, ...ready }
}

/** Seconds before the measured window. */
export const warmupOf = ({ share, warmups = 1 }: Trial, { warmup }: Settings): number => warmup * warmups * Math.min(1, share)

/** The windows and the shape of the load, which all clients take. */
function shape(trial: Trial, servers: Server[], settings: Settings): Words {
  const pids = servers.flatMap((server) => server.pids)
  return [
    ...['--address', servers[0].address, '--connections', trial.connections, '--in-flight', trial.inFlight],
    ...['--seconds', settings.seconds * trial.share, '--warmup', warmupOf(trial, settings), '--server-pids', pids.join(',')],
    ...option('rate', trial.rate),
  ]
}

/** Runs a client to its end; rejects as well when a server ends meanwhile. */
export async function drive<T>(name: string, command: Words, trial: Trial, servers: Server[], settings: Settings): Promise<T> {
  const client = new Program(name, on(CLIENT_CORE, command), settings.env)
  const limit = (settings.seconds * trial.share + warmupOf(trial, settings)) * 1000 + CLIENT_MS
  return await Promise.race([client.result<T>(limit), ...servers.map(({ program }) => program.failure())])
}

/** The client in the driver's own language, unless that of Go DMicro measures all; `goHost` is the address that one has. */
export function ownClient<T>(driver: Driver, trial: Trial, servers: Server[], settings: Settings, goHost?: string): Promise<T> {
  const command =
    driver.kind === 'go' || driver.goClient
      ? [
          ...[`${programs}/go-peer`, `${driver.goClient ? 'dmicro' : driver.peer}-client`, '--payload', trial.payload],
          ...option('network', driver.scheme),
          ...option('host', goHost),
        ]
      : [
          process.execPath,
          path('peers/client.mjs'),
          driver.peer,
          ...endpointOptions(driver, trial),
          ...option('direction', trial.direction),
        ]
  return drive(`the client of ${driver.name}`, [...command, ...shape(trial, servers, settings)], trial, servers, settings)
}

/** The C++ client. */
export function loadClient<T>(more: Words, trial: Trial, servers: Server[], settings: Settings): Promise<T> {
  return drive('the C++ client', [`${programs}/load`, '--json', ...shape(trial, servers, settings), ...more], trial, servers, settings)
}

const schemeFlags: Record<Scheme, Words> = { tls: ['--tls'], ws: ['--websocket'], kcp: [], quic: [] }

/** How the C++ client speaks to a driver. */
export const manner = ({ scheme, bare }: Driver): Words => [
  ...(scheme === undefined ? [] : schemeFlags[scheme]),
  ...(bare === undefined ? [] : ['--proto', 'bare']),
]

/** The program that receives what a server publishes. */
export function startReceiver(args: Words, settings: Settings): Program {
  return new Program('the fan-out receiver', on(CLIENT_CORE, [`${programs}/fanout`, ...args]), settings.env)
}
