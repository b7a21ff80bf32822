// What is measured under: every load as data.
import { datagramTrials } from './datagram-trials.ts'
import { type PayloadName, payloads } from './payloads.mjs'
import type { Group } from './results.ts'
import { watchedLoads, watchedPeers } from './watched.ts'

export interface Trial {
  /** What stands before an '@' is the sweep or the family, what follows its point. */
  id: string
  group: Group
  title: string
  x?: { name: string; value: number }
  /**
   * Who measures it: `peers` a client in the driver's own language, `load` the C++ client, `stack` the same two with the
   * server profiled; the others are files of that name.
   */
  how:
    | 'peers'
    | 'link'
    | 'load'
    | 'stack-peers'
    | 'stack-load'
    | 'pingpong'
    | 'fanout'
    | 'reuseport'
    | 'idle'
    | 'heap'
    | 'handshake'
    | 'startup'
  payload: Payload
  /** Absent: raw. */
  protocol?: Protocol
  connections: number
  inFlight: number
  direction?: 'push'
  /** Calls a second at fixed times; absent: as many as there are answers. */
  rate?: number
  /** Registered on the server and called in turn. */
  routes?: number | undefined
  /** Server processes on one port. */
  processes?: number
  /** handshake trials: of sessions that the server gave tickets for. */
  resume?: true
  /** link trials: what each direction does to packets; a part of 1, and milliseconds. */
  link?: { loss: number; delay: number }
  /** startup trials: how the library is loaded. */
  load?: 'import' | 'require'
  /** The part of --seconds a measurement takes. */
  share: number
  /** Times the usual warm-up, which is half of --seconds. */
  warmups?: number
  /** Fewer rounds than --rounds. */
  rounds?: number
  drivers: string[]
}

export type Payload = PayloadName

export type Protocol = 'json' | 'protobuf' | 'jsonrpc' | 'http'

/** Bytes of the payloads that are strings, which the C++ client makes itself. */
export const payloadBytes: Partial<Record<Payload, number>> = { 'json-32': 32, 'json-64': 64, 'json-1k': 1024, 'json-64k': 65_536 }

const ours = ['native', 'js']
const everyone = [...ours, 'net', 'grpc-js', 'moleculer', 'nestjs', 'socketio', 'nats', 'uws', 'capnweb', 'go-dmicro', 'grpc-go']

type Rest = Partial<Trial> & Pick<Trial, 'id' | 'title' | 'drivers'>
const make = (group: Group, how: Trial['how'], rest: Rest): Trial => ({
  group,
  how,
  payload: 'json-64',
  connections: 1,
  inFlight: 1,
  share: 1,
  ...rest,
})
const unary = (rest: Rest) => make('unary', 'peers', { inFlight: 64, ...rest })
const loaded = (rest: Rest) => make('unary', 'load', rest)

/** One trial for each value of a sweep. */
const sweep = (
  id: string,
  name: string,
  points: number[],
  trial: (value: number) => Omit<Rest, 'id'> & { how: Trial['how']; group?: Group },
) =>
  points.map((value) => {
    const { how, group = 'sweep', ...rest } = trial(value)
    return make(group, how, { share: 0.5, ...rest, id: `${id}@${value}`, x: { name, value } })
  })

export interface ProtocolBody {
  name: string
  payload: Payload
  text: string
}

/** What the protocols trials send. */
export const protocolBodies: readonly ProtocolBody[] = [
  { name: 'object', payload: 'object-json', text: '64 B object' },
  { name: '64', payload: 'json-64', text: '64 B string' },
  { name: '1k', payload: 'json-1k', text: '1 KiB string' },
]

/** Every protocol but raw with an object, a small and a middling string; Fastify, and with the object uWebSockets.js, are Node's measure for HTTP. */
const protocols = (['json', 'protobuf', 'jsonrpc', 'http'] as const).flatMap((protocol) =>
  protocolBodies.map(({ name, payload, text }) =>
    make('protocols', 'load', {
      id: `protocols@${protocol}-${name}`,
      title: `${protocol}, ${text}, 16 × 64, C++ client`,
      payload,
      protocol,
      connections: 16,
      inFlight: 64,
      // What a server of JavaScript does per call is more here than with raw, and longer in being compiled.
      warmups: 2,
      drivers: [...ours, 'go-dmicro', ...(protocol === 'http' ? ['fastify', ...(name === 'object' ? ['uws-http'] : [])] : [])],
    }),
  ),
)

/** One object in each codec that carries objects, by raw. */
const codecs = (['json', 'protobuf', 'msgpack', 'cbor'] as const).map((codec) =>
  make('codecs', 'load', {
    id: `codecs@${codec}`,
    title: `${codec}, the object in ${payloads[`object-${codec}`].bytes} B, 16 × 64, C++ client`,
    payload: `object-${codec}`,
    connections: 16,
    inFlight: 64,
    warmups: 2,
    drivers: ours,
  }),
)

/** TLS 1.3 against clear text and against Node's own. */
const tls = [
  make('tls', 'load', {
    id: 'tls@16x64',
    title: 'TLS, 64 B object, 16 × 64, C++ client',
    payload: 'object-json',
    connections: 16,
    inFlight: 64,
    drivers: ['native-tls', 'js-tls', 'native'],
  }),
  make('tls', 'load', {
    id: 'tls@256x1',
    title: 'TLS, 64 B object, 256 × 1, C++ client',
    payload: 'object-json',
    connections: 256,
    drivers: ['native-tls', 'js-tls', 'native'],
  }),
  make('tls', 'peers', {
    id: 'tls@1x64',
    title: 'TLS, 64 B object, 1 × 64, own client',
    payload: 'object-json',
    inFlight: 64,
    warmups: 3,
    drivers: ['native-tls', 'js-tls', 'node-tls', 'grpc-js-tls'],
  }),
  make('tls', 'peers', {
    id: 'tls@64k',
    title: 'TLS, 64 KiB string, 1 × 16, own client',
    payload: 'json-64k',
    inFlight: 16,
    drivers: ['native-tls', 'js-tls', 'node-tls'],
  }),
  make('tls', 'handshake', {
    id: 'tls@full',
    title: 'full TLS handshakes, 16 at a time, C++ client',
    connections: 16,
    drivers: ['native-tls', 'node-tls'],
  }),
  make('tls', 'handshake', {
    id: 'tls@resumed',
    title: 'resumed TLS handshakes, 16 at a time, C++ client',
    connections: 16,
    resume: true,
    drivers: ['native-tls', 'node-tls'],
  }),
  make('tls', 'idle', {
    id: 'tls@idle',
    title: 'memory of an idle session over TLS',
    connections: 10_000,
    rounds: 1,
    drivers: ['native-tls', 'js-tls', 'node-tls'],
  }),
]

/** WebSocket against our raw TCP, and against servers of WebSockets that echo an object without any RPC. */
const websocket = [
  make('ws', 'load', {
    id: 'ws@16x64',
    title: 'WebSocket, 64 B object, 16 × 64, C++ client',
    payload: 'object-json',
    connections: 16,
    inFlight: 64,
    drivers: ['native-ws', 'js-ws', 'native', 'uws', 'ws'],
  }),
  make('ws', 'load', {
    id: 'ws@256x1',
    title: 'WebSocket, 64 B object, 256 × 1, C++ client',
    payload: 'object-json',
    connections: 256,
    drivers: ['native-ws', 'js-ws', 'native', 'uws', 'ws'],
  }),
  make('ws', 'fanout', {
    id: 'ws@fanout',
    title: '1 KiB pushed to 10,000 sessions over WebSocket',
    payload: 'json-1k',
    connections: 10_000,
    drivers: ['native-ws', 'uws'],
  }),
  make('ws', 'idle', {
    id: 'ws@idle',
    title: 'memory of an idle session over WebSocket',
    connections: 10_000,
    rounds: 1,
    drivers: ['native-ws', 'js-ws', 'uws', 'ws'],
  }),
]

const fast = ['native', 'native-busy', 'js', 'net', 'go-dmicro']
const slow = ['moleculer', 'socketio', 'nats', 'uws', 'grpc-go']
/** Who can keep up with a rate on one core, so that a queue is not what is measured. */
function ableAt(rate: number): string[] {
  if (rate <= 1_000) return [...fast, ...slow, 'grpc-js']
  if (rate <= 5_000) return [...fast, ...slow]
  return rate <= 20_000 ? [...fast, 'uws', 'grpc-go'] : fast
}

export const trials: Trial[] = [
  // The larger peers are still being compiled after a second: grpc-js gains two fifths from the second to the fifth.
  unary({
    id: 'unary-object',
    title: '64 B object, 1 connection × 64, own client',
    payload: 'object-json',
    warmups: 3,
    drivers: everyone,
  }),
  unary({ id: 'unary-64', title: '64 B string, 1 × 64', warmups: 3, drivers: everyone }),
  unary({ id: 'unary-32', title: '32 B string, 1 × 64', payload: 'json-32', drivers: [...ours, 'net'] }),
  unary({ id: 'unary-1k', title: '1 KiB string, 1 × 64', payload: 'json-1k', drivers: [...ours, 'net', 'grpc-js', 'socketio', 'uws'] }),
  unary({
    id: 'unary-64k',
    title: '64 KiB string, 1 × 16',
    payload: 'json-64k',
    inFlight: 16,
    drivers: [...ours, 'net', 'grpc-js', 'socketio', 'uws'],
  }),
  unary({ id: 'unary-bytes', title: '1 KiB of bytes, 1 × 64', payload: 'bytes-1k', drivers: ours }),
  unary({ id: 'unary-16x64', title: '64 B string, 16 × 64, own client', connections: 16, drivers: [...ours, 'net', 'go-dmicro'] }),
  unary({
    id: 'unary-rpc-client',
    title: '64 B object, 1 client × 64, 8 nodes in one process, own client',
    payload: 'object-json',
    warmups: 3,
    drivers: ['rpc-client', 'rpc-client-broker', 'sessions', 'native'],
  }),
  loaded({
    id: 'many-object',
    title: '64 B object, 256 × 1, C++ client',
    payload: 'object-json',
    connections: 256,
    drivers: ['native', 'native-io1', 'js', 'floor-object', 'floor'],
  }),
  loaded({
    id: 'many-256x1',
    title: '64 B string, 256 × 1, C++ client',
    connections: 256,
    drivers: ['native', 'native-io1', 'js', 'floor'],
  }),
  loaded({
    id: 'deep-object',
    title: '64 B object, 16 × 64, C++ client',
    payload: 'object-json',
    connections: 16,
    inFlight: 64,
    drivers: ['native', 'native-io1', 'js', 'floor-object', 'floor', 'go-dmicro'],
  }),
  ...watchedLoads.map(loaded),
  unary(watchedPeers),
  loaded({
    id: 'dserver-16x64',
    title: '64 B object, 16 × 64, C++ client, the endpoint in a DServer',
    payload: 'object-json',
    connections: 16,
    inFlight: 64,
    drivers: ['native', 'dserver'],
  }),
  loaded({
    id: 'deep-16x64',
    title: '64 B string, 16 × 64, C++ client',
    connections: 16,
    inFlight: 64,
    drivers: ['native', 'native-io1', 'js', 'floor', 'go-dmicro'],
  }),
  loaded({
    id: 'message-256x8',
    title: 'BenchmarkMessage, protobuf, 256 × 8, C++ client',
    payload: 'bench-protobuf',
    connections: 256,
    inFlight: 8,
    drivers: [...ours, 'go-dmicro'],
  }),
  ...tls,
  ...websocket,
  ...datagramTrials(make),
  ...protocols,
  ...codecs,
  make('push', 'peers', {
    id: 'push-1x64',
    title: 'pushes of a 64 B string, 1 × 64',
    direction: 'push',
    inFlight: 64,
    drivers: [...ours, 'net', 'socketio', 'nats', 'uws'],
  }),
  make('fanout', 'fanout', {
    id: 'fanout-10000',
    title: '1 KiB pushed to 10,000 sessions',
    payload: 'json-1k',
    connections: 10_000,
    drivers: [...ours, 'socketio', 'uws', 'floor'],
  }),
  make('latency', 'pingpong', {
    id: 'pingpong',
    title: '64 B string, 1 × 1',
    drivers: ['native', 'native-busy', 'js', 'net', 'floor-blocking', 'floor-spin'],
  }),
  ...sweep('latency-open', 'calls/s due', [1_000, 5_000, 20_000, 50_000, 100_000, 200_000], (rate) => ({
    how: 'peers',
    group: 'latency',
    title: `64 B string, open loop at ${rate} calls/s over 16 connections`,
    rate,
    connections: 16,
    inFlight: 256,
    drivers: ableAt(rate),
  })),
  ...sweep('connections', 'connections', [1, 16, 256, 1_000, 4_000, 10_000], (connections) => ({
    how: 'load',
    title: `64 B string, ${connections} × 1, C++ client`,
    connections,
    drivers: [...ours, 'floor'],
  })),
  ...sweep('in-flight', 'in flight', [1, 4, 16, 64, 256, 1_024, 4_096], (inFlight) => ({
    how: 'peers',
    title: `64 B string, 1 × ${inFlight}`,
    inFlight,
    drivers: ours,
  })),
  ...sweep('routes', 'routes', [1, 100, 10_000], (routes) => ({
    how: 'peers',
    title: `64 B string, 16 × 64, routes: ${routes}`,
    routes,
    connections: 16,
    inFlight: 64,
    drivers: ours,
  })),
  ...sweep('reuseport', 'processes', [1, 2], (processes) => ({
    how: 'reuseport',
    title: `64 B string, 256 × 8, server processes on one port: ${processes}`,
    processes,
    connections: 256,
    inFlight: 8,
    drivers: ['native'],
  })),
  make('stack', 'stack-peers', {
    id: 'stack-1x64',
    title: 'CPU per call, 1 × 64',
    inFlight: 64,
    share: 0.5,
    drivers: [...ours, 'net', 'grpc-js', 'moleculer', 'nestjs', 'socketio', 'uws', 'go-dmicro', 'grpc-go'],
  }),
  make('stack', 'stack-load', {
    id: 'stack-256x1',
    title: 'CPU per call, 256 × 1',
    connections: 256,
    share: 0.5,
    drivers: [...ours, 'floor'],
  }),
  make('memory', 'idle', { id: 'idle', title: 'memory of an idle session', connections: 10_000, rounds: 1, drivers: [...ours, 'net'] }),
  make('memory', 'heap', {
    id: 'heap',
    title: 'heap under load, 16 × 64',
    connections: 16,
    inFlight: 64,
    share: 5,
    rounds: 1,
    drivers: ours,
  }),
  ...(['import', 'require'] as const).map((load) =>
    make('startup', 'startup', {
      id: `startup@${load}`,
      title: `startup by ${load}, above bare Node`,
      load,
      drivers: [...ours, 'grpc-js', 'moleculer', 'socketio', 'trpc'],
    }),
  ),
]

/** The sweep or the family a trial is one of, or its id. */
export const familyOf = (id: string): string => id.split('@')[0]
