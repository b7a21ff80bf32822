// With exactOptionalPropertyTypes `{ signal: maybe }` compiles only where the option's type names undefined: every option of every type.
import type {
  AuthOptions,
  BodyCipherOptions,
  BrotliOptions,
  CallOptions,
  CborOptions,
  DialOptions,
  EarlyOptions,
  Endpoint,
  EndpointOptions,
  GzipOptions,
  HeartbeatPingOptions,
  HeartbeatPongOptions,
  HttpOptions,
  ListenOptions,
  MsgpackOptions,
  MultiClient,
  MultiClientOptions,
  OverloadOptions,
  Plugin,
  ProxyOptions,
  PushOptions,
  RedialOptions,
  RedisOptions,
  RouteOptions,
  RouteTypes,
  RunLogOptions,
  SecureBodyOptions,
  Session,
  SocketOptions,
  StatusError,
  TlsContextOptions,
  TlsDialOptions,
  TlsListenOptions,
  TypedCallOptions,
  UpgradeOptions,
  WebSocketDialOptions,
  WebSocketListenOptions,
} from 'dmicro'
import type { Faults, RunOptions, TestNetwork, TestNetworkOptions, Way } from 'dmicro/testing'

type Optional<T> = { [Key in keyof T]-?: Record<never, never> extends Pick<T, Key> ? Key : never }[keyof T]
type WithUndefined<T> = Omit<T, Optional<T>> & { [Key in Optional<T>]?: T[Key] | undefined }
/** The names of options that do not take undefined. */
type Refusing<T> = { [Key in Optional<T>]: WithUndefined<Pick<T, Key>> extends Pick<T, Key> ? never : Key }[Optional<T>]
declare function refusing<T>(): Refusing<T>
function none(..._: never[]): void {}

none(refusing<EndpointOptions>())
none(refusing<NonNullable<EndpointOptions['limits']>>())
none(refusing<ListenOptions>())
none(refusing<DialOptions>())
none(refusing<TlsContextOptions>())
none(refusing<TlsDialOptions>())
none(refusing<TlsListenOptions>())
none(refusing<UpgradeOptions>())
none(refusing<WebSocketDialOptions>())
none(refusing<WebSocketListenOptions>())
none(refusing<RedialOptions>())
none(refusing<SocketOptions>())
none(refusing<CallOptions>())
none(refusing<TypedCallOptions<number>>())
none(refusing<PushOptions>())
none(refusing<RouteOptions<number>>())
none(refusing<RouteTypes<number>>())
none(refusing<OverloadOptions>())
none(refusing<MultiClientOptions>())
none(refusing<HttpOptions>())
none(refusing<RedisOptions>())
none(refusing<GzipOptions>())
none(refusing<BrotliOptions>())
none(refusing<CborOptions>())
none(refusing<MsgpackOptions>())
none(refusing<AuthOptions>())
none(refusing<EarlyOptions>())
none(refusing<HeartbeatPingOptions>())
none(refusing<HeartbeatPongOptions>())
none(refusing<BodyCipherOptions>())
none(refusing<SecureBodyOptions>())
none(refusing<ProxyOptions>())
none(refusing<RunLogOptions>())
none(refusing<TestNetworkOptions>())
none(refusing<RunOptions>())
none(refusing<Faults>())
none(refusing<Way>())
none(refusing<Plugin>())

type Options<Function extends (...args: never) => unknown, Index extends keyof Parameters<Function> = 0> = NonNullable<
  Parameters<Function>[Index]
>
none(refusing<Options<Endpoint['close']>>())
none(refusing<Options<Session['close']>>())
none(refusing<Options<MultiClient['close']>>())
none(refusing<Options<Session['earlyReceive']>>())
none(refusing<Options<Session['socket']['setBufferSizes']>>())
none(refusing<Options<TestNetwork['partition'], 2>>())
none(refusing<NonNullable<ConstructorParameters<typeof StatusError>[3]>>())

declare const endpoint: Endpoint
declare const signal: AbortSignal | undefined
export const dialled = endpoint.dial('tcp://127.0.0.1:1', { signal })
