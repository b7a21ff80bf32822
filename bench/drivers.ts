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
}

export const drivers: Driver[] = [
  { name: 'native', label: 'dmicro native', kind: 'js', peer: 'native' },
  { name: 'native-busy', label: 'dmicro native, busyPoll 50', kind: 'js', peer: 'native', busyPoll: 50 },
  { name: 'native-io1', label: 'dmicro native, ioThreads 1', kind: 'js', peer: 'native', ioThreads: 1 },
  { name: 'js', label: 'dmicro JavaScript', kind: 'js', peer: 'js' },
  { name: 'net', label: 'bare node:net', kind: 'js', peer: 'net' },
  { name: 'grpc-js', label: 'gRPC (grpc-js)', kind: 'js', peer: 'grpc-js' },
  { name: 'moleculer', label: 'Moleculer TCP', kind: 'js', peer: 'moleculer' },
  { name: 'nestjs', label: 'NestJS TCP', kind: 'js', peer: 'nestjs' },
  { name: 'socketio', label: 'Socket.IO', kind: 'js', peer: 'socketio' },
  { name: 'nats', label: 'NATS request-reply', kind: 'js', peer: 'nats' },
  { name: 'uws', label: 'uWebSockets.js', kind: 'js', peer: 'uws' },
  { name: 'capnweb', label: "Cap'n Web", kind: 'js', peer: 'capnweb' },
  { name: 'trpc', label: 'tRPC', kind: 'js', peer: 'trpc' },
  { name: 'fastify', label: 'Fastify', kind: 'js', peer: 'fastify' },
  { name: 'uws-http', label: 'uWebSockets.js HTTP', kind: 'js', peer: 'uws-http' },
  { name: 'go-dmicro', label: 'Go DMicro', kind: 'go', peer: 'dmicro' },
  { name: 'grpc-go', label: 'gRPC (grpc-go)', kind: 'go', peer: 'grpc' },
  { name: 'floor', label: 'C++ floor', kind: 'cpp', peer: 'epoll' },
  { name: 'floor-object', label: 'C++ floor that parses and prints', kind: 'cpp', peer: 'object' },
  { name: 'floor-blocking', label: 'C++ ping-pong, blocking', kind: 'cpp', peer: 'pingpong-blocking' },
  { name: 'floor-spin', label: 'C++ ping-pong, spinning', kind: 'cpp', peer: 'pingpong-spin' },
]

const byName = new Map(drivers.map((driver) => [driver.name, driver]))

/** The driver of this name, which is known to exist. */
export const driver = (name: string): Driver => byName.get(name)!
