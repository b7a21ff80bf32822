// For those who use dmicro.

// For those who extend it.
export type { Codec } from './codec.ts'
export type { CallContext, PushContext } from './context.ts'
export { type DialOptions, Endpoint, type EndpointEvents, type EndpointStats, type Listener } from './endpoint.ts'
export { defaultLimits, type Limits } from './limits.ts'
export { consoleLogger, type Logger, type LogLevel, silentLogger } from './log.ts'
export { bytes, type MessageType, type RouteTypes } from './message-type.ts'
export type { Meta } from './meta.ts'
export { httpName, type NameMapper, rpcName } from './naming.ts'
export type { EndpointOptions } from './options.ts'
export type { Reply } from './pending-call.ts'
export type { CallHandler, Controller, PushHandler, RouteGroup } from './router.ts'
export { type CallOptions, type PushOptions, Session, type SessionEvents, type TypedCallOptions } from './session.ts'
export type { StandardSchemaV1 } from './standard-schema.ts'
export { Code, StatusError, statusText } from './status.ts'
export type { ListenOptions } from './transport.ts'
export type { IoThreads, TransportChoice, TransportInfo } from './transports/choose.ts'
