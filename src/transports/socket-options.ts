import { Code, StatusError } from '../base/errors/status.ts'

/**
 * Options of the sockets of connections. Options that are not given stay as the system has them, unless there is a
 * default here. On Unix sockets `noDelay` and `keepAlive` do nothing: they never delay, and their peer cannot vanish
 * silently.
 */
export interface SocketOptions {
  /**
   * Sends small messages at once (TCP_NODELAY).
   * @default true
   */
  noDelay?: boolean | undefined
  /**
   * Lets the system probe a silent peer, and close the connection when no answer comes (SO_KEEPALIVE). A peer whose
   * process hangs is not noticed: heartbeats notice it.
   * @default false
   */
  keepAlive?: boolean | undefined
  /**
   * Milliseconds of silence before the first probe, rounded up to whole seconds, at most 32,767,000; then ten probes
   * are sent, a second apart. No effect without `keepAlive`.
   * @default 15,000, as in Go
   */
  keepAliveIdle?: number | undefined
  /**
   * Most bytes that the system buffers of what is received (SO_RCVBUF). The system clamps the value, and Linux doubles
   * it. Native transport only.
   * @default the system's
   */
  receiveBuffer?: number | undefined
  /**
   * Most bytes that the system buffers of what is sent (SO_SNDBUF). The system clamps the value, and Linux doubles it.
   * Native transport only.
   * @default the system's
   */
  sendBuffer?: number | undefined
}

/** `SocketOptions`, complete and checked; a buffer size of 0 stands for the system's. */
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

/** Longest idle time that Linux takes (MAX_TCP_KEEPIDLE), in milliseconds. */
const MAX_IDLE = 32_767_000
/** Largest buffer in bytes: the system doubles the value, and counts in an int32. */
const MAX_BUFFER = 2 ** 30 - 1

/**
 * `options` over `base`.
 * @param name name of the option that holds `options`, for error texts
 * @throws TypeError, RangeError that name the option, what was expected and what was given
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

/**
 * Refuses options that the transport does not have, so that they are never ignored silently.
 * @throws StatusError 1 for buffer sizes on a transport other than native
 */
export function requireSupported({ receiveBuffer, sendBuffer }: SocketSettings, kind: 'native' | 'js' | 'memory' | 'browser'): void {
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

/**
 * @throws TypeError
 * @throws RangeError
 */
export function checkIdle(name: string, value: number): number {
  return checkNumber(name, value, MAX_IDLE, 'ms')
}

/**
 * @throws TypeError
 * @throws RangeError
 */
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
