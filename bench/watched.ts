// Servers that are watched: with metrics, tracing, limits, logs, an open console. One C++ client calls them; the trial beside
// gRPC has a client in JavaScript of each.
// One request in a hundred is traced: V8 needs a while to optimise what only those run.
const rest = { payload: 'object-json', connections: 16, inFlight: 64, warmups: 4 } as const

export const watchedLoads = [
  {
    ...rest,
    id: 'watched-16x64',
    title: '64 B object, 16 × 64, C++ client, the server watched',
    drivers: ['native', 'watched-metrics', 'watched-unsampled', 'watched-sampled', 'watched-all', 'watched-console'],
  },
]

export const watchedPeers = {
  ...rest,
  id: 'watched-peers',
  title: '64 B object, 16 × 64, the server watched: dmicro, and gRPC with OpenTelemetry and prom-client',
  drivers: ['native', 'watched-all', 'grpc-js', 'grpc-js-watched'],
}
