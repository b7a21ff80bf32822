import {
  aesGcm,
  authChecker,
  brotli,
  type CallOptions,
  cbor,
  type DialOptions,
  Endpoint,
  type EndpointOptions,
  events,
  gzip,
  heartbeatPing,
  heartbeatPong,
  http,
  type ListenOptions,
  MultiClient,
  type MultiClientOptions,
  msgpack,
  type OverloadOptions,
  type Plugin,
  type PushOptions,
  proxy,
  type RedialOptions,
  type RouteOptions,
  redis,
  runLog,
  type Session,
  type SocketOptions,
  StatusError,
  secureBody,
} from '../../src/index.ts'

// Compiled and never run, with exactOptionalPropertyTypes: every option may be given as undefined, as the run time takes it.

/** `true` for types of which this holds. */
type Undefined<Options> = { [Key in keyof Options as object extends Pick<Options, Key> ? Key : never]-?: undefined }
type Optionals<Options> = { [Key in keyof Options as object extends Pick<Options, Key> ? Key : never]: Options[Key] }
type Allows<Options> = Undefined<Options> extends Optionals<Options> ? true : never

export const options: [
  Allows<EndpointOptions>,
  Allows<NonNullable<EndpointOptions['limits']>>,
  Allows<ListenOptions>,
  Allows<DialOptions>,
  Allows<CallOptions>,
  Allows<PushOptions>,
  Allows<RouteOptions>,
  Allows<RedialOptions>,
  Allows<SocketOptions>,
  Allows<OverloadOptions>,
  Allows<MultiClientOptions>,
  Allows<Plugin>,
] = [true, true, true, true, true, true, true, true, true, true, true, true]

// @ts-expect-error the check tells what does not hold
export const strict: Allows<{ only?: number }> = true

export async function asValues(session: Session, value: undefined): Promise<void> {
  const endpoint = new Endpoint({ timeout: value, limits: { maxMessage: value }, redial: value, log: value, plugins: value })
  await endpoint.listen('tcp://x:1', { protocols: value, socket: value, reusePort: value })
  await endpoint.dial('tcp://x:1', { signal: value, timeout: value })
  await session.call('/x', 1, { timeout: value, meta: value, filters: value })
  await session.push('/x', 1, { codec: value })
  await session.close({ timeout: value })
  await endpoint.close({ timeout: value })
  new MultiClient(endpoint, 'tcp://x:1', { min: value, dial: { redial: value } })
  heartbeatPing({ interval: value, call: value })
  heartbeatPong({ maxSilence: value })
  authChecker(() => {}, { codec: value, timeout: value })
  runLog({ slow: value, redact: value, log: value })
  proxy({ call: value, push: () => value, filters: value })
  secureBody({ keys: {}, current: 1, status: value, require: value })
  events({ emit: () => true }, { log: value })
  aesGcm({ keys: {}, current: 1 })
  gzip({ level: value })
  brotli({ quality: value })
  redis({ prefix: value })
  http({ cors: value })
  cbor({ tags: value })
  msgpack({ extensions: value })
  throw new StatusError(1, value, value, { stack: value, retryAfter: value })
}
