import { connect } from 'node:net'
import { orAborted } from '../../base/async/or-aborted.ts'
import { duration, requireFunction, requireOptions, whole } from '../../base/check-options.ts'
import type { Clock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'

/** When a process counts as running: one of `line`, `port`, `path`, `ping` and `message`. */
export type ReadyOptions =
  | {
      /** A line of stdout that contains this text or matches this expression. */
      line: string | RegExp
    }
  | {
      /** Somebody accepts connections on this TCP port. */
      port: number
      /** Host of `port`. Default: '127.0.0.1'. */
      host?: string
      /** Milliseconds between two attempts. Default: 50. */
      interval?: number
    }
  | {
      /** Somebody accepts connections on this Unix socket. */
      path: string
      /** Milliseconds between two attempts. Default: 50. */
      interval?: number
    }
  | {
      /** A function that resolves to anything but false. While it rejects or gives false it is asked again. */
      ping: (process: { readonly name: string; readonly pid: number }, signal: AbortSignal) => unknown
      /** Milliseconds between two attempts. Default: 50. */
      interval?: number
    }
  | {
      /** A message of the process (`ipc`): this text, or an object whose `type` is this text. */
      message: string
    }

interface AnyReady {
  line?: unknown
  port?: number
  host?: string
  path?: string
  ping?: (process: { readonly name: string; readonly pid: number }, signal: AbortSignal) => unknown
  message?: unknown
  interval?: number
}

/** Checked options with their defaults. */
export interface ReadySettings extends AnyReady {
  /** Milliseconds after which a process without a check is ready. */
  readonly after: number
  /** Milliseconds within which a check must succeed. */
  readonly timeout: number
  readonly interval: number
}

const keys = ['line', 'port', 'path', 'ping', 'message'] as const
const known = new Set([...keys, 'host', 'interval'])
/** Longest part of a line that is looked at. */
const MAX_LINE = 64 * 2 ** 10

/** @throws TypeError or RangeError for bad options */
export function readReadyOptions(options: ReadyOptions | undefined, after: number, timeout: number): ReadySettings {
  const given: AnyReady = { ...(options as AnyReady | undefined) }
  requireOptions('option ready', options ?? {}, known, 'ready.')
  if (options !== undefined && keys.filter((key) => given[key] !== undefined).length !== 1)
    throw new TypeError(`option ready needs one of ${keys.join(', ')}`)
  if (given.line !== undefined && typeof given.line !== 'string' && !(given.line instanceof RegExp))
    throw new TypeError('option ready.line must be text or a regular expression')
  if (given.message !== undefined && typeof given.message !== 'string') throw new TypeError('option ready.message must be text')
  if (given.port !== undefined) whole('ready.port', given.port, 1, 65_535)
  requireFunction('ready.ping', given.ping)
  return { ...given, after, timeout, interval: duration('ready.interval', given.interval, 50, 1) }
}

/** The process that a check looks at. */
interface Watched {
  readonly name: string
  readonly pid: number
  /** Calls the listener with output of stdout; the function returned ends that. */
  onStdout(listener: (chunk: Buffer) => void): () => void
  onMessage(listener: (message: unknown) => void): () => void
}

/**
 * Resolves when the process is ready; rejects when `signal` fires, and when the check has not succeeded in time. The
 * line and message checks listen when this is called, so nothing of the child is missed.
 */
export async function whenReady(settings: ReadySettings, process: Watched, clock: Clock, signal: AbortSignal): Promise<void> {
  if (keys.every((key) => settings[key] === undefined)) {
    if (settings.after > 0) await sleep(clock, settings.after, signal)
    return
  }
  const end = new AbortController()
  const stop = (): void => end.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const timer = clock.setTimeout(() => end.abort(new Error(`not ready within ${settings.timeout} ms`)), settings.timeout)
  try {
    signal.throwIfAborted()
    await check(settings, process, clock, end.signal)
  } finally {
    clock.clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    end.abort()
  }
}

function check(settings: ReadySettings, process: Watched, clock: Clock, signal: AbortSignal): Promise<void> {
  const { line, message, ping } = settings
  if (line !== undefined) return heard(process.onStdout, lineMatcher(line as string | RegExp), signal)
  if (message !== undefined) return heard(process.onMessage, (value) => value === message || typeOf(value) === message, signal)
  const ask = ping === undefined ? () => accepts(settings, signal) : async () => (await ping(process, signal)) !== false
  return poll(ask, settings.interval, clock, signal)
}

function typeOf(message: unknown): unknown {
  return (Object(message) as { type?: unknown }).type
}

/** Resolves with the first value of a source that matches. */
function heard<T>(
  source: (listener: (value: T) => void) => () => void,
  matches: (value: T) => boolean,
  signal: AbortSignal,
): Promise<void> {
  let end: (() => void) | undefined
  const found = new Promise<void>((resolve, reject) => {
    end = source((value) => {
      try {
        if (matches(value)) resolve()
      } catch (error) {
        reject(error)
      }
    })
  })
  return orAborted(found, signal).finally(end)
}

function lineMatcher(line: string | RegExp): (chunk: Buffer) => boolean {
  let partial = ''
  const matches = (text: string): boolean => {
    if (typeof line === 'string') return text.includes(line)
    line.lastIndex = 0
    return line.test(text)
  }
  return (chunk) => {
    const lines = `${partial}${chunk.toString('latin1')}`.split('\n')
    partial = (lines.pop() as string).slice(-MAX_LINE)
    return lines.some((each) => matches(Buffer.from(each, 'latin1').toString()))
  }
}

async function poll(ask: () => Promise<boolean>, interval: number, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    const ready = await orAborted(
      ask().catch(() => false),
      signal,
    )
    if (ready) return
    await sleep(clock, interval, signal)
  }
}

/** Whether a connection is accepted. */
function accepts({ port, host = '127.0.0.1', path }: ReadySettings, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = path === undefined ? connect({ port: port as number, host }) : connect({ path })
    const end = (result: boolean): void => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      resolve(result)
    }
    const abort = (): void => end(false)
    signal.addEventListener('abort', abort)
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
