// The short table of README.md: what a user asks first, on objects where the load is about bodies.
import type { Field, Run } from '../results.ts'
import { count, day, digits, machineText, milliseconds } from './format.ts'
import { medianOf } from './summary.ts'
import { table } from './table.ts'
import { wrapped } from './wrapped.ts'

interface Row {
  load: string
  trial: string
  driver: string
  field: Field
  text: (value: number) => string
  others: string[]
}

const rate = (value: number): string => `${count(value)} calls/s`
const cost = (value: number): string => `${digits(value)} µs`
const megabytes = (value: number): string => `${digits((value * 65_536) / 1e6)} MB/s`
const last = (value: number): string => `${milliseconds(value)} ms`
const bytes = (value: number): string => `${digits(value)} B`

const unary = { trial: 'unary-object', driver: 'native', field: 'calls_per_second', text: rate } as const
const perCall = { driver: 'native', field: 'server_cpu_us_per_call', text: cost } as const

const rows: Row[] = [
  {
    ...unary,
    load: 'calls with an object of 64 B, 1 connection, 64 in flight',
    others: ['net', 'socketio', 'moleculer', 'nestjs', 'nats', 'grpc-js'],
  },
  { ...unary, load: 'the same on the JavaScript transport', driver: 'js', others: [] },
  { ...perCall, load: 'the same, CPU time of the server per call', trial: 'unary-object', others: ['go-dmicro', 'grpc-go'] },
  {
    ...perCall,
    load: '16 connections, 64 in flight on each, CPU time of the server per call',
    trial: 'deep-object',
    others: ['go-dmicro'],
  },
  {
    ...perCall,
    load: '256 connections, 1 in flight on each, CPU time of the server per call',
    trial: 'many-object',
    others: ['floor-object'],
  },
  {
    ...perCall,
    load: 'the object over HTTP, CPU time of the server per call',
    trial: 'protocols@http-object',
    others: ['uws-http', 'fastify'],
  },
  {
    load: '64 KiB strings, 1 connection, 16 in flight',
    trial: 'unary-64k',
    driver: 'native',
    field: 'calls_per_second',
    text: megabytes,
    others: ['net'],
  },
  {
    load: 'one call in flight with `busyPoll: 50`, median',
    trial: 'pingpong',
    driver: 'native-busy',
    field: 'p50_us',
    text: cost,
    others: ['floor-spin'],
  },
  {
    load: '1 KiB to 10,000 sessions, last delivery',
    trial: 'fanout-10000',
    driver: 'native',
    field: 'last_us',
    text: last,
    others: ['uws', 'socketio'],
  },
  { load: 'memory of an idle session', trial: 'idle', driver: 'native', field: 'bytes_per_session', text: bytes, others: [] },
]

/** Rows of trials that were not run are left out, and so are drivers that are missing. */
export function readmeTable(run: Run): string {
  const { command, commit, rounds, seconds } = run
  const sides = run.pinned ? 'server and client on one core each; ' : ''
  const when = `\`${command}\`, ${day(run)}, commit ${commit}: ${machineText(run)}; ${sides}${rounds} × ${seconds} s, medians.`
  const cells = rows.flatMap((row) => cellsOf(row, run))
  return [
    wrapped(`${when} What a row means, and all others: [benchmarks](docs/benchmarks.md).`),
    ...(cells.length === 0 ? [] : [table(['load', 'dmicro, native unless named', 'compared with'], cells, 3)]),
  ].join('\n\n')
}

function cellsOf({ load, trial, driver, field, text, others }: Row, run: Run): string[][] {
  const drivers = run.trials.find(({ id }) => id === trial)?.drivers ?? {}
  const figure = (name: string): number | undefined => drivers[name] && medianOf(drivers[name], field)
  const ours = figure(driver)
  if (ours === undefined) return []
  const theirs = others.flatMap((name) => {
    const value = figure(name)
    return value === undefined ? [] : [`${drivers[name].label} ${text(value)}`]
  })
  return [[load, text(ours), theirs.join(', ')]]
}
