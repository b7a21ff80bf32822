import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2'
import type { PeerCertificate } from 'node:tls'
import { runInRoot } from '../../../base/async/root-context.ts'
import { type Clock, type ClockTimer, realClock } from '../../../base/time/clock.ts'
import { contextOptionsOf, type TlsDialOptions } from '../../../transports/tls/options.ts'
import { type CallHandler, type CallHeaders, GrpcCall } from './grpc-call.ts'
import { type EtcdError, unavailable } from './grpc-status.ts'

/** A server of etcd. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/**
 * Milliseconds between two pings of a connection that has calls. By its default etcd closes connections that are pinged
 * more often than every 5 s.
 */
const PING_PERIOD_MS = 6_000
/** Milliseconds after which a connection that does not answer a ping is lost. */
const PING_TIMEOUT_MS = 3_000
/** Bytes that a server may send ahead on one stream, and on all of them: the default of 64 KiB slows large answers. */
const STREAM_WINDOW = 1024 * 1024
const CONNECTION_WINDOW = 4 * STREAM_WINDOW
/** Mebibytes of which node:http2 refuses new streams; its default of 10 is less than what many watches take. */
const MAX_SESSION_MEMORY_MIB = 256

/** One connection with one server. Calls share it. */
export class Connection {
  readonly #session: ClientHttp2Session
  readonly #clock: Clock
  readonly #calls = new Set<GrpcCall>()
  #retired = false
  #pinger: ClockTimer | undefined
  #pingTimer: ClockTimer | undefined

  private constructor(session: ClientHttp2Session, clock: Clock) {
    this.#session = session
    this.#clock = clock
    // The end is handled in 'close', which always follows.
    session.on('error', () => {})
    session.on('goaway', () => this.#onGoaway())
    session.on('close', () => this.#onClose())
    session.unref()
  }

  /**
   * Connects. The server must have shown that it speaks HTTP/2.
   * @param timeout milliseconds
   * @throws EtcdError with code 14
   */
  static open(endpoint: Endpoint, tls: TlsDialOptions | undefined, timeout: number, clock: Clock = realClock): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const session = runInRoot(() => connectTo(endpoint, tls), undefined)
      const fail = (reason: string): void => {
        clock.clearTimeout(timer)
        session.destroy()
        reject(unavailable(`${endpoint.host}:${endpoint.port}: ${reason}`))
      }
      const timer = clock.setTimeout(() => fail(`no connection within ${timeout} ms`), timeout)
      const onError = (error: Error): void => fail(error.message)
      const onClose = (): void => fail('closed by the server')
      session.on('error', onError)
      session.once('close', onClose)
      session.once('remoteSettings', () => {
        clock.clearTimeout(timer)
        const connection = new Connection(session, clock)
        session.off('error', onError)
        session.off('close', onClose)
        session.setLocalWindowSize(CONNECTION_WINDOW)
        resolve(connection)
      })
    })
  }

  /** Whether it takes new calls. */
  get isUsable(): boolean {
    return !this.#retired && !this.#session.closed && !this.#session.destroyed
  }

  /** Whether it has not ended; one that takes no new calls is open until the last call ends. */
  get isOpen(): boolean {
    return !this.#session.destroyed
  }

  /**
   * Starts a call.
   * @throws EtcdError with code 14 when it takes no new calls
   */
  call(path: string, headers: CallHeaders, handler: CallHandler): GrpcCall {
    if (!this.isUsable) throw unavailable('the connection is lost')
    let call: GrpcCall
    const onEnd = (error: EtcdError | undefined): void => {
      this.#calls.delete(call)
      if (this.#calls.size === 0) this.#onIdle()
      handler.onEnd(error)
    }
    try {
      const start = (): GrpcCall => new GrpcCall(this.#session, path, headers, { onMessage: (bytes) => handler.onMessage(bytes), onEnd })
      call = runInRoot(start, undefined)
    } catch (error) {
      throw unavailable(`the connection is lost: ${(error as Error).message}`)
    }
    this.#calls.add(call)
    if (this.#calls.size === 1) this.#onBusy()
    return call
  }

  /** Takes no new calls, and closes after the last one. */
  retire(): void {
    this.#retired = true
    if (this.#calls.size === 0) this.#session.close()
  }

  /** Closes at once; calls end with code 14. */
  destroy(reason: string): void {
    this.#retired = true
    for (const call of [...this.#calls]) call.cancel(unavailable(reason))
    this.#session.destroy()
  }

  #onBusy(): void {
    this.#session.ref()
    this.#pinger = this.#clock.setTimeout(() => this.#ping(), PING_PERIOD_MS)
  }

  #onIdle(): void {
    this.#session.unref()
    this.#stopPinging()
    if (this.#retired) this.#session.close()
  }

  #ping(): void {
    if (this.#session.destroyed) return
    this.#pingTimer = this.#clock.setTimeout(() => this.destroy('the server does not answer'), PING_TIMEOUT_MS)
    const onAnswer = (error: Error | null): void => {
      this.#clock.clearTimeout(this.#pingTimer)
      if (error !== null || this.#calls.size === 0) return
      this.#clock.clearTimeout(this.#pinger)
      this.#pinger = this.#clock.setTimeout(() => this.#ping(), PING_PERIOD_MS)
    }
    try {
      this.#session.ping(onAnswer)
    } catch {
      this.destroy('the connection is lost')
    }
  }

  #stopPinging(): void {
    this.#clock.clearTimeout(this.#pinger)
    this.#clock.clearTimeout(this.#pingTimer)
  }

  /**
   * The server is about to end. It lets calls go on, and watches stay open without anything coming any more: they are
   * ended, to begin again with another server.
   */
  #onGoaway(): void {
    this.destroy('the server is shutting down')
  }

  #onClose(): void {
    this.#stopPinging()
    this.#retired = true
    for (const call of [...this.#calls]) call.cancel(unavailable('the connection is lost'))
  }
}

function connectTo({ host, port }: Endpoint, tls: TlsDialOptions | undefined): ClientHttp2Session {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const settings = { enablePush: false, initialWindowSize: STREAM_WINDOW }
  const options: SecureClientSessionOptions = { settings, maxSessionMemory: MAX_SESSION_MEMORY_MIB }
  if (tls === undefined) return connect(`http://${authority}`, options)
  const { servername, checkServerIdentity, rejectUnauthorized = true } = tls
  Object.assign(options, contextOptionsOf(tls), { rejectUnauthorized, ALPNProtocols: ['h2'] })
  if (servername !== undefined) options.servername = servername
  if (checkServerIdentity !== undefined)
    options.checkServerIdentity = (name: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate)
  return connect(`https://${authority}`, options)
}
