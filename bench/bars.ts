// What dmicro must reach, as data, and whether a run shows it. Ratios are of medians in the same run.
import { driver } from './drivers.ts'
import { type BarResult, type Measurement, median, type TrialResult, values } from './results.ts'
import { type ProtocolBody, protocolBodies } from './trials.ts'

interface Figure {
  unit: string
  read: (run: Measurement) => number | undefined
}

interface Bar {
  load: string
  trial: string
  driver: string
  figure: Figure
  /** Another driver of the same trial, for a ratio; absent: the bar is absolute. */
  than?: string
  atLeast?: number
  atMost?: number
  /** The bar in words, where its number alone is not clear. */
  text?: string
}

const rate: Figure = { unit: 'k/s', read: (run) => run.calls_per_second && run.calls_per_second / 1e3 }
const cpu: Figure = { unit: 'µs', read: (run) => run.server_cpu_us_per_call }
/** What a second of the server's CPU answers. */
const perCpu: Figure = { unit: 'k/CPU s', read: (run) => run.server_cpu_us_per_call && 1e3 / run.server_cpu_us_per_call }
const jsThread: Figure = { unit: 'µs', read: (run) => run.server_threads?.node }
const p50: Figure = { unit: 'µs', read: (run) => run.p50_us }
const last: Figure = { unit: 'ms', read: (run) => run.last_us && run.last_us / 1e3 }
const mebibytes: Figure = { unit: 'MB/s', read: (run) => run.calls_per_second && (run.calls_per_second * 65_536) / 1e6 }
const handshakes: Figure = { unit: 'handshakes/CPU s', read: (run) => run.server_cpu_us_per_call && 1e6 / run.server_cpu_us_per_call }
const session: Figure = { unit: 'B', read: (run) => run.bytes_per_session }
const p99: Figure = { unit: 'ms', read: (run) => run.p99_us && run.p99_us / 1e3 }
const core: Figure = { unit: '% of a core', read: (run) => run.idle_core && run.idle_core * 100 }
const growth: Figure = { unit: '%', read: (run) => run.heap_growth && run.heap_growth * 100 }

const OBJECT = '64 B object'
const STRING = '64 B string'
const bothEnds = (body: string): string => `${body}, 1 × 64, Node both ends, calls/s`
const object = (than: string, atLeast: number): Bar => ({
  load: bothEnds(OBJECT),
  trial: 'unary-object',
  driver: 'native',
  figure: rate,
  than,
  atLeast,
})
const unary = (than: string, atLeast: number): Bar => ({ ...object(than, atLeast), load: bothEnds(STRING), trial: 'unary-64' })
/** Go's two, by what a call costs the server. */
const third = (body: string, trial: string): Bar[] =>
  ['go-dmicro', 'grpc-go'].map((than) => ({
    load: `${body}, 1 × 64, server CPU per call`,
    trial,
    driver: 'native',
    figure: cpu,
    than,
    atMost: 1 / 3,
    text: '1/3',
  }))
const protocol = (id: string, than: string, atLeast: number, bodies: readonly ProtocolBody[] = protocolBodies): Bar[] =>
  bodies.map(({ name, text }) => ({
    load: `${id}, ${text}, 16 × 64, calls per server CPU second`,
    trial: `protocols@${id}-${name}`,
    driver: 'native',
    figure: perCpu,
    than,
    atLeast,
  }))
const many = `${STRING}, 256 × 1, server CPU per call`
const io1 = `${STRING}, 256 × 1 with ioThreads 1`
const deep = `${STRING}, 16 × 64`

/** The defaults of KCP, which are fair to TCP, and both transports. */
const overLossyLink: Bar[] = [
  ...['native-kcp-own', 'js-kcp-own'].flatMap((driver) => [
    { load: '5 % loss, 50 ms, 1 in flight, p99', trial: 'kcp-link@1x1', driver, figure: p99, than: 'go-dmicro-kcp', atMost: 0.8 },
    { load: '5 % loss, 50 ms, 1 in flight, p99', trial: 'kcp-link@1x1', driver, figure: p99, than: 'native', atMost: 0.5 },
    { load: '5 % loss, 50 ms, 64 KiB, 1 in flight', trial: 'kcp-link@64k', driver, figure: mebibytes, than: 'go-dmicro-kcp', atLeast: 1.2 },
  ]),
  {
    load: 'idle session over KCP, resident memory',
    trial: 'kcp@idle',
    driver: 'native-kcp',
    figure: session,
    than: 'go-dmicro-kcp',
    atMost: 1 / 3,
    text: '1/3',
  },
  { load: '10,000 idle sessions over KCP, CPU', trial: 'kcp@idle', driver: 'native-kcp', figure: core, atMost: 1 },
]

const tlsCpu = (shape: string, than: string, atMost: number): Bar => ({
  load: `TLS, ${OBJECT}, ${shape.replace('x', ' × ')}, server CPU per call`,
  trial: `tls@${shape}`,
  driver: 'native-tls',
  figure: cpu,
  than,
  atMost,
})
const tlsRate = (than: string, atLeast: number): Bar => ({
  load: `TLS, ${bothEnds(OBJECT)}`,
  trial: 'tls@1x64',
  driver: 'native-tls',
  figure: rate,
  than,
  atLeast,
})
const webSocket = (shape: string): Bar[] => {
  const load = `WebSocket, ${OBJECT}, ${shape.replace('x', ' × ')}`
  const ours = { trial: `ws@${shape}`, driver: 'native-ws' }
  return [
    { ...ours, load: `${load}, server CPU per call`, figure: cpu, than: 'native', atMost: 1.25 },
    { ...ours, load: `${load}, calls per server CPU second`, figure: perCpu, than: 'uws', atLeast: 1.5 },
    { ...ours, load: `${load}, calls per server CPU second`, figure: perCpu, than: 'ws', atLeast: 5 },
  ]
}
/** What the transports besides TCP must reach. */
const secureAndWeb: Bar[] = [
  tlsCpu('16x64', 'native', 1.2),
  tlsCpu('256x1', 'native', 1.4),
  tlsCpu('256x1', 'js-tls', 0.5),
  tlsRate('node-tls', 2),
  tlsRate('grpc-js-tls', 40),
  { load: 'TLS, 64 KiB bodies, 1 × 16', trial: 'tls@64k', driver: 'native-tls', figure: mebibytes, than: 'node-tls', atLeast: 1.5 },
  ...['full', 'resumed'].map((kind) => ({
    load: `TLS, ${kind} handshakes per server CPU second`,
    trial: `tls@${kind}`,
    driver: 'native-tls',
    figure: handshakes,
    than: 'node-tls',
    atLeast: 1,
  })),
  { load: 'TLS, idle session, resident memory', trial: 'tls@idle', driver: 'native-tls', figure: session, atMost: 12 * 1024 },
  { load: 'TLS, idle session, resident memory', trial: 'tls@idle', driver: 'native-tls', figure: session, than: 'node-tls', atMost: 0.3 },
  ...['16x64', '256x1'].flatMap(webSocket),
  {
    load: 'WebSocket, 1 KiB to 10,000 sessions, last delivery',
    trial: 'ws@fanout',
    driver: 'native-ws',
    figure: last,
    than: 'uws',
    atMost: 1,
  },
  { load: 'WebSocket, idle session, resident memory', trial: 'ws@idle', driver: 'native-ws', figure: session, than: 'uws', atMost: 1.2 },
]

/** Those on objects, which are what users send, come first. */
export const bars: Bar[] = [
  object('grpc-js', 40),
  object('moleculer', 7),
  object('nestjs', 8),
  object('socketio', 5),
  object('net', 1.9),
  ...third(OBJECT, 'unary-object'),
  {
    load: `${OBJECT}, 256 × 1, server CPU per call`,
    trial: 'many-object',
    driver: 'native',
    figure: cpu,
    than: 'floor-object',
    atMost: 1.2,
  },
  ...protocol('http', 'uws-http', 1, protocolBodies.slice(0, 1)),
  unary('grpc-js', 30),
  unary('moleculer', 8),
  unary('nestjs', 10),
  unary('socketio', 8),
  unary('nats', 8),
  unary('net', 1.2),
  { ...unary('moleculer', 4), load: 'the same on the JavaScript transport', driver: 'js' },
  { load: bothEnds(STRING), trial: 'unary-64', driver: 'native', figure: rate, atLeast: 350 },
  ...third(STRING, 'unary-64'),
  {
    load: 'BenchmarkMessage, protobuf, 256 × 8, server CPU per call',
    trial: 'message-256x8',
    driver: 'native',
    figure: cpu,
    than: 'go-dmicro',
    atMost: 0.5,
    text: '1/2',
  },
  ...[
    { than: 'socketio', atMost: 0.25, text: '1/4' },
    { than: 'uws', atMost: 1.2 },
  ].map((bar) => ({ load: '1 KiB to 10,000 sessions, last delivery', trial: 'fanout-10000', driver: 'native', figure: last, ...bar })),
  { load: '1 in flight, p50 with busyPoll 50', trial: 'pingpong', driver: 'native-busy', figure: p50, than: 'floor-spin', atMost: 1.6 },
  { load: '1 in flight, p50 with busyPoll 50', trial: 'pingpong', driver: 'native-busy', figure: p50, atMost: 15 },
  { load: '64 KiB bodies, 1 × 16', trial: 'unary-64k', driver: 'native', figure: mebibytes, than: 'net', atLeast: 1 },
  { load: many, trial: 'many-256x1', driver: 'native', figure: cpu, than: 'floor', atMost: 1.25 },
  { load: many, trial: 'many-256x1', driver: 'native', figure: cpu, than: 'js', atMost: 0.75 },
  {
    load: `${io1}, CPU of the JavaScript thread`,
    trial: 'many-256x1',
    driver: 'native-io1',
    figure: jsThread,
    atMost: 1.2,
  },
  { load: `${io1}, calls/s`, trial: 'many-256x1', driver: 'native-io1', figure: rate, than: 'native', atLeast: 0.9 },
  { load: `${deep}, server CPU per call`, trial: 'deep-16x64', driver: 'native', figure: cpu, atMost: 1 },
  { load: `${deep}, calls/s`, trial: 'deep-16x64', driver: 'native', figure: rate, than: 'js', atLeast: 1.4 },
  ...['json', 'protobuf', 'jsonrpc'].flatMap((id) => protocol(id, 'go-dmicro', 3)),
  ...['fastify', 'go-dmicro'].flatMap((than) => protocol('http', than, 2)),
  ...secureAndWeb,
  ...(
    [
      ['metrics', 1.05],
      ['unsampled', 1.05],
      ['sampled', 1.15],
      ['all', 1.15],
      ['console', 1.05],
    ] as const
  ).map(([what, atMost]) => ({
    load: `${OBJECT}, 16 × 64, watched: ${what}, server CPU per call`,
    trial: 'watched-16x64',
    driver: `watched-${what}`,
    figure: cpu,
    than: 'native',
    atMost,
  })),
  {
    load: `${OBJECT}, 16 × 64, in a DServer, server CPU per call`,
    trial: 'dserver-16x64',
    driver: 'dserver',
    figure: cpu,
    than: 'native',
    atMost: 1.02,
  },
  ...overLossyLink,
  { load: 'idle session, resident memory', trial: 'idle', driver: 'native', figure: session, atMost: 4096 },
  { load: 'heap over millions of calls, growth', trial: 'heap', driver: 'native', figure: growth, atMost: 1 },
]

/** `trial driver` of every pair that a bar needs. */
export const quickPairs = new Set(
  bars.flatMap(({ trial, driver, than }) => [driver, ...(than === undefined ? [] : [than])].map((name) => `${trial} ${name}`)),
)

/** The bars of the trials `ids`, which may not all have been run. */
export const evaluate = (trials: TrialResult[], ids: string[]): BarResult[] =>
  bars.filter(({ trial }) => ids.includes(trial)).map((bar) => evaluateBar(bar, trials))

export function evaluateBar(bar: Bar, trials: TrialResult[]): BarResult {
  const { trial, driver: name, figure, than } = bar
  const mine = median(values(trials, trial, name, figure.read))
  const theirs = than === undefined ? undefined : median(values(trials, trial, than, figure.read))
  const sides = [name, ...(than === undefined ? [] : [than])]
  const result = {
    id: [trial, name, figure.unit, ...(than === undefined ? [] : [than])].join(' '),
    load: bar.load,
    against: than === undefined ? '' : driver(than).label,
    bar: wanted(bar),
  }
  if (mine === undefined || (than !== undefined && theirs === undefined)) {
    return {
      ...result,
      value: null,
      text: sides.map((side) => whyNot(trials, trial, side)).find((text) => text !== '') ?? 'not measured',
      met: null,
    }
  }
  const value = theirs === undefined ? mine : mine / theirs
  const text = theirs === undefined ? amount(mine, figure) : `${amount(mine, figure)} / ${amount(theirs, figure)} = ${value.toFixed(2)}`
  return { ...result, value, text, met: value >= (bar.atLeast ?? -Infinity) && value <= (bar.atMost ?? Infinity) }
}

function wanted({ atLeast, atMost, than, text, figure }: Bar): string {
  const number = text ?? String(atLeast ?? atMost)
  return `${atLeast === undefined ? '≤' : '≥'} ${number} ${than === undefined ? figure.unit : '×'}`
}

function whyNot(trials: TrialResult[], id: string, name: string): string {
  const outcome = trials.find((trial) => trial.id === id)?.drivers[name]
  return outcome !== undefined && 'missing' in outcome ? `${outcome.label} is missing: ${outcome.missing}` : ''
}

const amount = (value: number, { unit }: Figure): string => `${value.toFixed(value >= 100 ? 0 : 2)} ${unit}`
