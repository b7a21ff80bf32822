// For those who use dmicro.

import './endpoint/inspect.ts'

export { Code, StatusError, statusText } from './base/errors/status.ts'
export { defaultLimits, type Limits } from './base/limits.ts'
export { consoleLogger, type LogFields, type Logger, type LogLevel, silentLogger } from './base/log.ts'
export { type CborOptions, cbor } from './codecs/cbor.ts'
export { type MsgpackOptions, msgpack } from './codecs/msgpack.ts'
export { redisBuffers, type SimpleString, simple } from './codecs/redis.ts'
export type { DialOptions, Listener, ListenOptions, UpgradeOptions } from './endpoint/connect-options.ts'
export type { CallContext, PushContext } from './endpoint/context.ts'
export { Endpoint, type EndpointEvents } from './endpoint/endpoint.ts'
export { MultiClient } from './endpoint/multi-client.ts'
export type { MultiClientOptions } from './endpoint/multi-client-options.ts'
export type { CallHandler, Controller, PushHandler, RouteGroup, RouteOptions } from './endpoint/router.ts'
export { insecureAes } from './filters/aes.ts'
export { type AesGcm, type AesGcmOptions, aesGcm } from './filters/aes-gcm.ts'
export { type BrotliOptions, brotli } from './filters/brotli.ts'
export { type GzipOptions, gzip } from './filters/gzip.ts'
export type { SessionSocket } from './hooks/session-socket.ts'
export type { BaseSession, CtxSession, EarlyMessage, EarlyOptions, EarlySession } from './hooks/session-views.ts'
export type { CallOptions, PushOptions, TypedCallOptions } from './message/call-options.ts'
export { bytes, type MessageType, type RouteTypes } from './message/message-type.ts'
export type { Meta } from './message/meta.ts'
export { httpName, type NameMapper, rpcName } from './message/naming.ts'
export { type Reply, replyMeta } from './message/reply.ts'
export type { StandardSchemaV1 } from './message/standard-schema.ts'
export type { EndpointLoad, EndpointStats } from './overload/endpoint-stats.ts'
export type { OverloadOptions } from './overload/settings.ts'
export {
  type AuthOptions,
  type AuthSession,
  authBearer,
  authChecker,
  constantTimeEqual,
  type ReceiveOnce,
  type SendOnce,
} from './plugins/auth.ts'
export type { BodyCipherOptions } from './plugins/body-cipher.ts'
export { type EndpointEventMap, type EventsOptions, events } from './plugins/events.ts'
export {
  type HeartbeatPing,
  type HeartbeatPingOptions,
  type HeartbeatPongOptions,
  heartbeatPing,
  heartbeatPong,
} from './plugins/heartbeat.ts'
export { ignoreCase } from './plugins/ignore-case.ts'
export { insecureSecureBody, replySecureMeta, secureMeta } from './plugins/insecure-secure-body.ts'
export { type CallForwarder, type ProxyLabel, type ProxyOptions, type ProxyTarget, type PushForwarder, proxy } from './plugins/proxy.ts'
export { type RunLogOptions, runLog } from './plugins/run-log.ts'
export { type SecureBody, type SecureBodyKeys, type SecureBodyOptions, secureBody } from './plugins/secure-body.ts'
export { http, redis } from './protos/built-in.ts'
export type { CorsOption } from './protos/http/cors.ts'
export type { HttpOptions } from './protos/http/options.ts'
export type { PagesOption } from './protos/http/pages.ts'
export type { RedisOptions } from './protos/redis/options.ts'
export type { EndpointOptions, LimitOptions } from './session/options.ts'
export { pushAll } from './session/push-all.ts'
export type { RedialOptions } from './session/redial.ts'
export type { Gap } from './session/resume-state.ts'
export { Session } from './session/session.ts'
export type { SessionEvents } from './session/session-events.ts'
export type { SessionState } from './session/state.ts'
export type { IoThreads, TransportChoice, TransportInfo } from './transports/choose.ts'
export type { KcpChoice, KcpOptions } from './transports/kcp-options.ts'
export type { QuicOptions } from './transports/quic-options.ts'
export type { SocketOptions } from './transports/socket-options.ts'
export type { TlsContextOptions, TlsDialOptions, TlsListenOptions } from './transports/tls/options.ts'

// For those who extend it.

export type { Clock, ClockTimer } from './base/time/clock.ts'
export type { Codec } from './codecs/codec.ts'
export type { EarlyContext, Hook, MessageKind, ReadContext, WriteContext } from './hooks/hooks.ts'
export { type EndpointSession, type Plugin, PluginContainer, type PluginEndpoint } from './hooks/plugin.ts'
export type { RouteInfo } from './hooks/route-info.ts'
export { CloseReason } from './message/close-reason.ts'
export { type Filter, FilterOverflow, type Unpacker } from './message/filter.ts'
export type { Incoming } from './message/message.ts'
export type { Outgoing } from './message/outgoing.ts'
export { type Proto, ProtoError, type ProtoLink, type ProtoSession } from './protos/proto.ts'
export type { WebSocketDialOptions, WebSocketListenOptions } from './protos/websocket/options.ts'
export type { UpgradeRequest } from './protos/websocket/upgrade-request.ts'
export type { TransportKind } from './transports/transport.ts'
