import type { EndpointOptions } from '../../src/index.ts'

/** The protocols in which Go DMicro is both client and server, in the order of the compatibility page. */
export const protocols = ['raw', 'json', 'protobuf', 'http', 'jsonrpc'] as const

export type ProtocolName = (typeof protocols)[number]

/** Those that an endpoint of ours speaks: the interop suite runs in each, the page says of the others that they did not run. */
export const spoken: readonly ProtocolName[] = ['raw', 'json', 'protobuf', 'http', 'jsonrpc']

/** The options that make a protocol the default of an endpoint, for dial and for listen. */
export function speaking(protocol: ProtocolName): EndpointOptions {
  return { protocol }
}
