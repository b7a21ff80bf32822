import type { TestContext } from 'node:test'
import { describe } from 'node:test'
import { Endpoint, type EndpointOptions, type Listener, type Logger, type Session } from '../../src/index.ts'
import { TestNetwork } from '../../src/testing/index.ts'
import { loadNative } from '../../src/transports/native/addon.ts'
import { certificates } from './certificates.ts'

export type Kind = 'native' | 'js'

/**
 * Both transports pass every end-to-end suite; DMICRO_TEST_TRANSPORT=js narrows a run to one. Where no native binary could be
 * built its half is left out, in one line; in CI that is a failure.
 */
export const transports: readonly Kind[] =
  process.env.DMICRO_TEST_TRANSPORT === 'memory'
    ? [inMemory()]
    : available().filter((kind) => (process.env.DMICRO_TEST_TRANSPORT ?? kind) === kind)

function available(): Kind[] {
  const loaded = loadNative()
  if (!('reason' in loaded)) return ['native', 'js']
  if (process.env.CI) throw new Error(`no native transport to test: ${loaded.reason}`)
  console.log(`native transport not tested: ${loaded.reason}`)
  return ['js']
}

/** DMICRO_TEST_TRANSPORT=memory: all on one host of a network in memory, where time passes by itself. Not for suites that use sockets of their own. */
function inMemory(): Kind {
  const net = new TestNetwork()
  net.start()
  return Object.assign(Object.create(net.host('localhost').transport), { toString: () => 'memory' }) as Kind
}

/** The protocol of endpoints that name none: DMICRO_TEST_PROTOCOL runs a suite over another one than raw. */
const protocol = process.env.DMICRO_TEST_PROTOCOL || 'raw'

/** What suites listen on that name no address of their own: DMICRO_TEST_SCHEME=ws puts a WebSocket below them. */
export const overWebSocket = process.env.DMICRO_TEST_SCHEME === 'ws'

function useWebSocket(made: Endpoint): void {
  const { listen } = made
  const over: Record<string, string> = { 'tcp://127.0.0.1:0': 'ws://127.0.0.1:0/rpc', 'tls://127.0.0.1:0': 'wss://127.0.0.1:0/rpc' }
  // Several protocols are about first bytes, which a WebSocket has none of.
  made.listen = (url, options) => listen.call(made, options?.protocols === undefined ? (over[url] ?? url) : url, options)
}

/** DMICRO_TEST_SCHEME=kcp runs a suite over KCP: where it listens on tcp://127.0.0.1:0, endpoints listen on kcp://. */
export const overKcp = process.env.DMICRO_TEST_SCHEME === 'kcp'

function useKcp(made: Endpoint): void {
  const { listen, dial } = made
  const kcp = 'fast'
  made.listen = (given, options) => {
    const url = given === 'tcp://127.0.0.1:0' ? 'kcp://127.0.0.1:0' : given
    return listen.call(made, url, url.startsWith('kcp:') ? { kcp, ...options } : options)
  }
  made.dial = (url, options) => dial.call(made, url, url.startsWith('kcp:') ? { kcp, ...options } : options)
}

/** DMICRO_TEST_SCHEME=quic runs a suite over QUIC: where it listens on tcp://127.0.0.1:0, endpoints listen on quic://. */
export const overQuic = process.env.DMICRO_TEST_SCHEME === 'quic'

function useQuic(made: Endpoint): void {
  const { authority, server } = certificates()
  const { listen, dial } = made
  const ca = { ca: authority.cert }
  // Silence alone tells of a connection that is cut: suites that cut some name a short idle timeout.
  const idleTimeout = Number(process.env.DMICRO_TEST_QUIC_IDLE || 30_000)
  const quic = { idleTimeout }
  made.listen = (given, options) => {
    const url = given === 'tcp://127.0.0.1:0' ? 'quic://127.0.0.1:0' : given
    return listen.call(made, url, url.startsWith('quic:') ? { tls: server, quic, ...options } : options)
  }
  made.dial = (url, options) => dial.call(made, url, url.startsWith('quic:') ? { tls: ca, quic, ...options } : options)
}

/** Runs `suite` once for each transport. */
export function onEachTransport(name: string, suite: (transport: Kind) => void): void {
  for (const transport of transports) describe(`${name} (${transport})`, () => suite(transport))
}

/** An endpoint that is closed when the test ends. Quiet unless a log is given. */
export function endpoint(t: TestContext, options: EndpointOptions): Endpoint {
  const made = new Endpoint({ log: false, closeTimeout: 200, protocol, ...options })
  if (overWebSocket) useWebSocket(made)
  if (overKcp) useKcp(made)
  if (overQuic) useQuic(made)
  t.after(() => made.close())
  if (overTls) useTls(made)
  return made
}

/** DMICRO_TEST_TLS=1 runs a suite over TLS: where it listens on tcp://, endpoints listen on tls://, and dial what they are told. */
export const overTls = process.env.DMICRO_TEST_TLS === '1'

function useTls(made: Endpoint): void {
  const { authority, server } = certificates()
  const { listen, dial } = made
  const ca = { ca: authority.cert }
  made.listen = (url, options) => {
    const secure = url.replace(/^tcp:/, 'tls:')
    return listen.call(made, secure, /^(tls|wss):/.test(secure) ? { tls: server, ...options } : options)
  }
  made.dial = (url, options) => dial.call(made, url, /^(tls|wss):/.test(url) ? { tls: ca, ...options } : options)
}

export interface Pair {
  server: Endpoint
  client: Endpoint
  listener: Listener
  /** The client's end. */
  session: Session
  /** The server's end of it. */
  peer: Session
}

/** A server listening on loopback and a client that has dialled it. */
export async function pair(
  t: TestContext,
  transport: Kind,
  options: { server?: EndpointOptions; client?: EndpointOptions; url?: string } = {},
): Promise<Pair> {
  const server = endpoint(t, { transport, ...options.server })
  const client = endpoint(t, { transport, ...options.client })
  const listener = await server.listen(options.url ?? 'tcp://127.0.0.1:0')
  const accepted = once<Session>()
  server.once('session', accepted.resolve)
  const session = await client.dial(listener.url)
  return { server, client, listener, session, peer: await accepted.promise }
}

export interface Once<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

/** A promise settled from outside: what a test waits on in place of time. */
export function once<T = void>(): Once<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}

/** A logger that keeps its lines. */
export function recorder(): Logger & { lines: { level: string; text: string; fields: Record<string, unknown> }[] } {
  const lines: { level: string; text: string; fields: Record<string, unknown> }[] = []
  const at =
    (level: string) =>
    (text: string, fields: Readonly<Record<string, unknown>> = {}) => {
      lines.push({ level, text, fields })
    }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** What a rejected call looks like: `[code, message, cause]`. */
export async function status(promise: Promise<unknown>): Promise<[number, string, string]> {
  try {
    await promise
  } catch (error) {
    const { code, message, cause } = error as { code: number; message: string; cause: string }
    return [code, message, cause]
  }
  throw new Error('expected a failure')
}
