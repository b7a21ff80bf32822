// What is measured. A js driver is a module in drivers/ (one of startup trials alone: an entry in startup/libraries.mjs), a go driver two subcommands of bench/go, a cpp driver bench/floor.

export interface Driver {
  name: string
  label: string
  kind: 'js' | 'go' | 'cpp'
  /** Module of a js driver, subcommand of a go driver, mode of the floor. */
  peer: string
  /** Of the endpoint, on both sides. */
  busyPoll?: number
  ioThreads?: number
  /** What carries it; absent: TCP, or what a js driver always uses. */
  scheme?: Scheme
  /** The preset of KCP, on both sides. */
  kcp?: 'fast'
  /** Go DMicro's client measures it, as it does Go DMicro. */
  goClient?: true
  /** The C++ client sends it bodies and nothing else. */
  bare?: true
}

export type Scheme = 'tls' | 'ws' | 'kcp' | 'quic'

export const drivers: Driver[] = [
  { name: 'native', label: 'dmicro native', kind: 'js', peer: 'native' },
  { name: 'native-busy', label: 'dmicro native, busyPoll 50', kind: 'js', peer: 'native', busyPoll: 50 },
  { name: 'native-io1', label: 'dmicro native, ioThreads 1', kind: 'js', peer: 'native', ioThreads: 1 },
  { name: 'js', label: 'dmicro JavaScript', kind: 'js', peer: 'js' },
  { name: 'native-tls', label: 'dmicro native, TLS', kind: 'js', peer: 'native', scheme: 'tls' },
  { name: 'js-tls', label: 'dmicro JavaScript, TLS', kind: 'js', peer: 'js', scheme: 'tls' },
  { name: 'native-ws', label: 'dmicro native, WebSocket', kind: 'js', peer: 'native', scheme: 'ws' },
  { name: 'js-ws', label: 'dmicro JavaScript, WebSocket', kind: 'js', peer: 'js', scheme: 'ws' },
  { name: 'watched-metrics', label: 'dmicro native, metrics', kind: 'js', peer: 'watched-metrics' },
  { name: 'watched-unsampled', label: 'dmicro native, tracing, not sampled', kind: 'js', peer: 'watched-unsampled' },
  { name: 'watched-sampled', label: 'dmicro native, tracing, 1 % sampled', kind: 'js', peer: 'watched-sampled' },
  { name: 'watched-all', label: 'dmicro native, metrics, tracing (1 %), limits, access log (1 %)', kind: 'js', peer: 'watched-all' },
  { name: 'dserver', label: 'dmicro native, in a DServer', kind: 'js', peer: 'dserver' },
  { name: 'watched-console', label: 'dmicro native, console open in three pages', kind: 'js', peer: 'watched-console' },
  { name: 'native-kcp', label: 'dmicro native, KCP', kind: 'js', peer: 'native', scheme: 'kcp', goClient: true },
  { name: 'js-kcp', label: 'dmicro JavaScript, KCP', kind: 'js', peer: 'js', scheme: 'kcp', goClient: true },
  { name: 'native-kcp-own', label: 'dmicro native, KCP, own client', kind: 'js', peer: 'native', scheme: 'kcp' },
  { name: 'js-kcp-own', label: 'dmicro JavaScript, KCP, own client', kind: 'js', peer: 'js', scheme: 'kcp' },
  { name: 'native-kcp-fast', label: 'dmicro native, KCP fast, own client', kind: 'js', peer: 'native', scheme: 'kcp', kcp: 'fast' },
  { name: 'js-kcp-fast', label: 'dmicro JavaScript, KCP fast, own client', kind: 'js', peer: 'js', scheme: 'kcp', kcp: 'fast' },
  { name: 'quic', label: 'dmicro, QUIC', kind: 'js', peer: 'js', scheme: 'quic', goClient: true },
  { name: 'quic-own', label: 'dmicro, QUIC, own client', kind: 'js', peer: 'js', scheme: 'quic' },
  { name: 'rpc-client', label: 'dmicro RpcClient, p2c over 8 nodes', kind: 'js', peer: 'rpc-client' },
  { name: 'rpc-client-broker', label: 'dmicro RpcClient with breaker, limit and retries', kind: 'js', peer: 'rpc-client-broker' },
  { name: 'sessions', label: 'dmicro sessions with 8 nodes, called in turn', kind: 'js', peer: 'sessions' },
  { name: 'net', label: 'bare node:net', kind: 'js', peer: 'net' },
  { name: 'node-tls', label: 'bare node:tls', kind: 'js', peer: 'net', scheme: 'tls' },
  { name: 'grpc-js', label: 'gRPC (grpc-js)', kind: 'js', peer: 'grpc-js' },
  { name: 'grpc-js-watched', label: 'gRPC (grpc-js), OpenTelemetry (1 %), prom-client', kind: 'js', peer: 'grpc-js-watched' },
  { name: 'grpc-js-tls', label: 'gRPC (grpc-js), TLS', kind: 'js', peer: 'grpc-js', scheme: 'tls' },
  { name: 'moleculer', label: 'Moleculer TCP', kind: 'js', peer: 'moleculer' },
  { name: 'nestjs', label: 'NestJS TCP', kind: 'js', peer: 'nestjs' },
  { name: 'socketio', label: 'Socket.IO', kind: 'js', peer: 'socketio' },
  { name: 'nats', label: 'NATS request-reply', kind: 'js', peer: 'nats' },
  { name: 'uws', label: 'uWebSockets.js', kind: 'js', peer: 'uws', scheme: 'ws', bare: true },
  { name: 'ws', label: 'ws', kind: 'js', peer: 'ws', scheme: 'ws', bare: true },
  { name: 'capnweb', label: "Cap'n Web", kind: 'js', peer: 'capnweb' },
  { name: 'trpc', label: 'tRPC', kind: 'js', peer: 'trpc' },
  { name: 'fastify', label: 'Fastify', kind: 'js', peer: 'fastify' },
  { name: 'uws-http', label: 'uWebSockets.js HTTP', kind: 'js', peer: 'uws-http' },
  { name: 'go-dmicro', label: 'Go DMicro', kind: 'go', peer: 'dmicro' },
  { name: 'go-dmicro-kcp', label: 'Go DMicro, KCP', kind: 'go', peer: 'dmicro', scheme: 'kcp' },
  { name: 'go-dmicro-quic', label: 'Go DMicro, QUIC', kind: 'go', peer: 'dmicro', scheme: 'quic' },
  { name: 'grpc-go', label: 'gRPC (grpc-go)', kind: 'go', peer: 'grpc' },
  { name: 'floor', label: 'C++ floor', kind: 'cpp', peer: 'epoll' },
  { name: 'floor-object', label: 'C++ floor that parses and prints', kind: 'cpp', peer: 'object' },
  { name: 'floor-blocking', label: 'C++ ping-pong, blocking', kind: 'cpp', peer: 'pingpong-blocking' },
  { name: 'floor-spin', label: 'C++ ping-pong, spinning', kind: 'cpp', peer: 'pingpong-spin' },
]

const byName = new Map(drivers.map((driver) => [driver.name, driver]))

/** The driver of this name, which is known to exist. */
export const driver = (name: string): Driver => byName.get(name)!
