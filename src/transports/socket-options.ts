import { Code, StatusError } from '../base/errors/status.ts'

/**
 * How the sockets of connections are set up. What is not named stays as the system has it, unless a default is given here. On Unix sockets
 * `noDelay` and `keepAlive` do nothing: they never delay, and their peer cannot vanish in silence.
 */
export interface SocketOptions {
  /** Small messages leave at once (TCP_NODELAY). Default true. */
  noDelay?: boolean | undefined
  /**
   * The system asks a silent peer for a sign of life, and ends the connection when none comes (SO_KEEPALIVE). Default false. It does not
   * notice a peer whose process hangs: heartbeats do.
   */
  keepAlive?: boolean | undefined
  /**
   * Milliseconds of silence before it asks, rounded up to whole seconds, 32,767,000 at most; then it asks ten times, a second apart.
   * Default 15,000, as in Go. Means nothing without `keepAlive`.
   */
  keepAliveIdle?: number | undefined
  /** Bytes that the system may hold of what was received (SO_RCVBUF); it clamps them, and Linux doubles them. Native transport only. */
  receiveBuffer?: number | undefined
  /** Bytes that the system may hold of what is sent (SO_SNDBUF), likewise. Native transport only. */
  sendBuffer?: number | undefined
}

/** The same, complete and checked; buffers of size 0 are left as they are. */
export interface SocketSettings {
  readonly noDelay: boolean
  readonly keepAlive: boolean
  readonly keepAliveIdle: number
  readonly receiveBuffer: number
  readonly sendBuffer: number
}

export const defaultSocket: SocketSettings = Object.freeze({
  noDelay: true,
  keepAlive: false,
  keepAliveIdle: 15_000,
  receiveBuffer: 0,
  sendBuffer: 0,
})

/** What Linux takes (MAX_TCP_KEEPIDLE), in milliseconds. */
const MAX_IDLE = 32_767_000
/** The system doubles it, and counts in an int32. */
const MAX_BUFFER = 2 ** 30 - 1

/**
 * `options` over `base`.
 * @param name of the option that holds them
 * @throws TypeError, RangeError that name the option, what was expected and what came
 */
export function readSocketOptions(name: string, options: SocketOptions | undefined, base: SocketSettings): SocketSettings {
  if (options === undefined) return base
  if (typeof options !== 'object' || options === null) throw new TypeError(`option ${name} must be an object`)
  for (const key of Object.keys(options))
    if (!Object.hasOwn(defaultSocket, key)) throw new TypeError(`unknown option ${JSON.stringify(`${name}.${key}`)}`)
  const { noDelay, keepAlive, keepAliveIdle, receiveBuffer, sendBuffer } = options
  return Object.freeze({
    noDelay: noDelay === undefined ? base.noDelay : checkFlag(`${name}.noDelay`, noDelay),
    keepAlive: keepAlive === undefined ? base.keepAlive : checkFlag(`${name}.keepAlive`, keepAlive),
    keepAliveIdle: keepAliveIdle === undefined ? base.keepAliveIdle : checkIdle(`${name}.keepAliveIdle`, keepAliveIdle),
    receiveBuffer: receiveBuffer === undefined ? base.receiveBuffer : checkBuffer(`${name}.receiveBuffer`, receiveBuffer),
    sendBuffer: sendBuffer === undefined ? base.sendBuffer : checkBuffer(`${name}.sendBuffer`, sendBuffer),
  })
}

/** Seconds of silence for the system, 0 for no keep-alive. */
export function keepAliveSeconds(keepAlive: boolean, idle: number): number {
  return keepAlive ? Math.ceil(idle / 1000) : 0
}

/** @throws StatusError 1 for what the JavaScript transport cannot do, so that it is never dropped in silence */
export function requireSupported({ receiveBuffer, sendBuffer }: SocketSettings, kind: 'native' | 'js' | 'memory'): void {
  if (kind !== 'native' && (receiveBuffer !== 0 || sendBuffer !== 0)) throw unsupportedBuffers()
}

export function unsupportedBuffers(): StatusError {
  return new StatusError(Code.InvalidOperation, undefined, 'the JavaScript transport cannot size the buffers of sockets')
}

/** @throws TypeError */
export function checkFlag(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`option ${name} must be true or false, got ${String(value)}`)
  return value
}

/** @throws TypeError, RangeError */
export function checkIdle(name: string, value: number): number {
  return checkNumber(name, value, MAX_IDLE, 'ms')
}

/** @throws TypeError, RangeError */
export function checkBuffer(name: string, value: number): number {
  checkNumber(name, value, MAX_BUFFER, 'bytes')
  if (!Number.isInteger(value)) throw new RangeError(`option ${name} must be a whole number, got ${value}`)
  return value
}

function checkNumber(name: string, value: number, max: number, unit: string): number {
  if (typeof value !== 'number') throw new TypeError(`option ${name} must be a number, got ${String(value)}`)
  if (!(value >= 1 && value <= max)) throw new RangeError(`option ${name} must be 1 to ${max} ${unit}, got ${value}`)
  return value
}
