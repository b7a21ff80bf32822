// An application that uses what the package offers to its users.
import { EventEmitter } from 'node:events'
import {
  type AesGcm,
  type AesGcmOptions,
  type AuthOptions,
  type AuthSession,
  aesGcm,
  authBearer,
  authChecker,
  type BaseSession,
  type BodyCipherOptions,
  type BrotliOptions,
  brotli,
  bytes,
  type CallContext,
  type CallForwarder,
  type CallHandler,
  type CallOptions,
  type CborOptions,
  Code,
  type Controller,
  type CorsOption,
  type CtxSession,
  cbor,
  consoleLogger,
  constantTimeEqual,
  type DialOptions,
  defaultLimits,
  type EarlyMessage,
  type EarlyOptions,
  type EarlySession,
  Endpoint,
  type EndpointEventMap,
  type EndpointEvents,
  type EndpointLoad,
  type EndpointOptions,
  type EndpointStats,
  type EventsOptions,
  events,
  type Gap,
  type GzipOptions,
  gzip,
  type HeartbeatPing,
  type HeartbeatPingOptions,
  type HeartbeatPongOptions,
  type HttpOptions,
  heartbeatPing,
  heartbeatPong,
  http,
  httpName,
  type IoThreads,
  ignoreCase,
  insecureAes,
  insecureSecureBody,
  type LimitOptions,
  type Limits,
  type Listener,
  type ListenOptions,
  type LogFields,
  type Logger,
  type LogLevel,
  type MessageType,
  type Meta,
  type MsgpackOptions,
  MultiClient,
  type MultiClientOptions,
  msgpack,
  type NameMapper,
  type OverloadOptions,
  type PagesOption,
  type ProxyLabel,
  type ProxyOptions,
  type ProxyTarget,
  type PushContext,
  type PushForwarder,
  type PushHandler,
  type PushOptions,
  proxy,
  pushAll,
  type ReceiveOnce,
  type RedialOptions,
  type RedisOptions,
  type Reply,
  type RouteGroup,
  type RouteOptions,
  type RouteTypes,
  type RunLogOptions,
  redis,
  redisBuffers,
  replyMeta,
  replySecureMeta,
  rpcName,
  runLog,
  type SecureBody,
  type SecureBodyKeys,
  type SecureBodyOptions,
  type SendOnce,
  Session,
  type SessionEvents,
  type SessionSocket,
  type SessionState,
  type SimpleString,
  type SocketOptions,
  type StandardSchemaV1,
  StatusError,
  secureBody,
  secureMeta,
  silentLogger,
  simple,
  statusText,
  type TransportChoice,
  type TransportInfo,
  type TransportKind,
} from 'dmicro'

const limits: LimitOptions & Partial<Limits> = { maxMessage: defaultLimits.maxMessage, maxRunning: 100 }
const socket: SocketOptions = { noDelay: true, keepAlive: true, keepAliveIdle: 1000 }
const redial: RedialOptions = { times: 3, minDelay: 10, maxDelay: 1000, calls: 'wait', resume: true }
const overload: OverloadOptions = { queueTimeout: 100, exempt: ['/health'] }
const logLevel: LogLevel = 'warn'
const log: Logger = consoleLogger(logLevel, (line) => void line)
const logFields: LogFields = { session: 'a', attempts: 2 }
log.info('begun', logFields)
const kinds: TransportKind[] = ['native', 'js']
log.debug('transports', { kinds: kinds.join() })
const mapper: NameMapper = (prefix, name) => httpName(prefix, rpcName(prefix, name))
const transport: TransportChoice = 'auto'
const ioThreads: IoThreads = 'auto'
const key = new Uint8Array(32)

const gcmOptions: AesGcmOptions = { keys: { 1: key }, current: 1 }
const gcm: AesGcm = aesGcm(gcmOptions)
gcm.setKeys({ keys: { 2: key }, current: 2 })
const gzipOptions: GzipOptions = { level: 6 }
const brotliOptions: BrotliOptions = { quality: 4 }
const cborOptions: CborOptions = { tags: { 258: (value) => new Set(value as unknown[]) } }
const msgpackOptions: MsgpackOptions = { extensions: { 0: () => undefined } }
export const binary = new Endpoint({ codecs: [cbor(cborOptions), msgpack(msgpackOptions)] })
const filters = [gcm, gzip(gzipOptions), brotli(brotliOptions), insecureAes(key)]

const cors: CorsOption = ['https://app.example']
const pages: PagesOption = 'cors'
const httpOptions: HttpOptions = { cors, pages, contentTypes: { 'application/x-mine': 1 } }
const redisOptions: RedisOptions = { prefix: '/redis/' }

const cipher: BodyCipherOptions = { require: true }
const secureKeys: SecureBodyKeys = { keys: { 1: key }, current: 1 }
const secureOptions: SecureBodyOptions = { ...secureKeys, ...cipher }
const secure: SecureBody = secureBody(secureOptions)
secure.setKeys(secureKeys)
const pingOptions: HeartbeatPingOptions = { interval: 1000 }
const pongOptions: HeartbeatPongOptions = { maxSilence: 3000 }
const ping: HeartbeatPing = heartbeatPing(pingOptions)
ping.setOptions({ interval: 2000, call: true })
const runLogOptions: RunLogOptions = { slow: 100, detail: true, redact: (name, value) => (name === 'token' ? undefined : value), log }
const authOptions: AuthOptions = { codec: 'json', timeout: 1000 }
const bearer = authBearer(async (session: AuthSession, sendOnce: SendOnce) => void (await sendOnce({ id: session.id })), authOptions)
const checker = authChecker(async (session: AuthSession, receiveOnce: ReceiveOnce) => {
  if (!constantTimeEqual(await receiveOnce(), 'secret')) throw new StatusError(Code.Unauthorized)
  session.setId('known')
}, authOptions)
const emitter = new EventEmitter<EndpointEventMap>()
const eventsOptions: EventsOptions = { log }
emitter.on('endpoint_accept', ({ session }) => {
  const early: EarlySession = session
  const options: EarlyOptions = { meta: { a: 'b' } }
  void early.earlyCall('/hello', 1, options)
  void early.earlyReceive({ timeout: 10 }).then((message: EarlyMessage) => message.meta.a)
})
emitter.on('endpoint_close', ({ session }: { session: BaseSession }) => void session.id)

const options: EndpointOptions = {
  transport,
  timeout: 1000,
  dialTimeout: 1000,
  redial,
  socket,
  filters,
  protocols: [http(httpOptions), redis(redisOptions)],
  plugins: [events(emitter, eventsOptions), secure, ping, heartbeatPong(pongOptions), runLog(runLogOptions), ignoreCase(), bearer, checker],
  mapper,
  limits,
  overload,
  ioThreads,
  log,
}
export const endpoint: Endpoint = new Endpoint(options)
new Endpoint({ log: silentLogger, plugins: [insecureSecureBody('0123456789abcdef', cipher)] })
const info: TransportInfo = endpoint.transport
const stats: EndpointStats = endpoint.stats
const load: EndpointLoad | undefined = endpoint.load
export const told: [string, number, number | undefined] = [info.kind, stats.accepted, load?.running]

// Routes.
const add: CallHandler<number[], number> = (numbers, ctx: CallContext) => {
  ctx.setMeta('count', `${numbers.length}`)
  if (numbers.length === 0) throw new StatusError(4711, statusText(Code.BadMessage), 'none', { retryAfter: 10 })
  return numbers.reduce((a, b) => a + b, 0)
}
const say: PushHandler<string> = (text, ctx: PushContext) => {
  const meta: Meta = ctx.meta
  const author: string | undefined = meta.author
  void ctx.session.push('/echo', `${author}: ${text}`, { ...pushOptions })
}
class Math2 {
  double(n: number, _ctx: CallContext): number {
    return n * 2
  }
}
const pushOptions: PushOptions = { meta: { author: 'me' }, codec: 'json', filters: ['gzip'] }
const controller: Controller = new Math2()
export const names: string[] = endpoint.routeCall('/add', add)
endpoint.routePush('/say', say)
endpoint.routeCall(controller)
const group: RouteGroup = endpoint.group('v2', ignoreCase())
const numberType: MessageType<number> = {
  encode: () => ({ finish: () => new Uint8Array() }),
  decode: (body) => body.length,
}
const types: RouteTypes<number> = { arg: numberType }
const routeOptions: RouteOptions<number> = { ...types, plugins: [ignoreCase()] }
group.routeCall('/typed', (n: number) => n.toFixed(1), routeOptions)
endpoint.routeCall('/bytes', (body: Uint8Array) => body.byteLength, { arg: bytes })
endpoint.routeCall('/redis/get', (args: Buffer[]): SimpleString => simple(args.join(' ')), { arg: redisBuffers })
endpoint.setUnknownCall((body: Uint8Array) => body)
endpoint.setUnknownPush((body: Uint8Array) => void body)

// Plugins that forward.
const forwarder: CallForwarder & PushForwarder = new MultiClient(endpoint, 'tcp://127.0.0.1:1')
const target: ProxyTarget<CallForwarder> = (label: ProxyLabel) => (label.serviceMethod === '/x' ? forwarder : undefined)
const proxyOptions: ProxyOptions = { call: target, filters: true }
endpoint.plugins.appendRight(
  proxy(proxyOptions),
  proxy(() => forwarder),
)

// Sessions.
export async function main(): Promise<void> {
  const listenOptions: ListenOptions = { protocols: ['raw', 'http'], socket }
  const listener: Listener = await endpoint.listen('tcp://127.0.0.1:0', listenOptions)
  const dialOptions: DialOptions = { protocol: 'raw', redial: true, signal: AbortSignal.timeout(1000) }
  const session: Session = await endpoint.dial(listener.url, dialOptions)
  const state: SessionState = session.state
  const events: (keyof SessionEvents)[] = ['close', 'gap', 'redialed']
  session.on('gap', ({ sent, received }: Gap) => void [sent, received, state, events])
  session.once('close', (reason: StatusError | undefined) => void reason?.code)
  const accepted = (event: EndpointEvents['session']): void => void event[0].id
  endpoint.on('session', (other) => accepted([other]))
  const raw: SessionSocket = session.socket
  raw.setBufferSizes({ receive: 65_536 })
  const callOptions: CallOptions = { timeout: 100, idempotent: true, signal: new AbortController().signal, acceptCodec: 'json' }
  const sum = await session.call<number>('/add', [1, 2, 3], callOptions)
  const typed: string = (await session.call('/typed', 1, { result: numberType })).toFixed(1)
  const whole: Uint8Array = await session.call('/bytes', new Uint8Array(1), { result: bytes })
  const reply: Reply<number> = await session.callReply<number>('/add', [sum], { meta: secureMeta })
  const view: CtxSession = session
  const taken: number = await pushAll([session], '/say', sum, pushOptions)
  await view.push('/say', typed + whole.length + reply.body + taken, { meta: replySecureMeta(true) })
  try {
    await session.call('/none')
  } catch (error) {
    if (error instanceof StatusError) void [error.code, error.cause, error.retryAfter, replyMeta(error).count]
  }
  const poolOptions: MultiClientOptions = { min: 1, max: 4, idle: 1000, dial: { protocol: 'raw' } }
  const pool = new MultiClient(endpoint, listener.url, poolOptions)
  const pooled: number = await pool.call<number>('/add', [pool.size])
  await pool.close({ timeout: pooled })
  await listener.close()
  await endpoint.close({ timeout: 100 })
}

/** A schema of one's own. */
export const positive: StandardSchemaV1<unknown, number> = {
  '~standard': {
    version: 1,
    vendor: 'mine',
    validate: (value) => (typeof value === 'number' && value > 0 ? { value } : { issues: [{ message: 'not positive' }] }),
  },
}
export const isSession = (value: unknown): value is Session => value instanceof Session
