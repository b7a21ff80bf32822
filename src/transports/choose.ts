import { nodeOs } from '../base/builtin.ts'
import type { Logger } from '../base/log.ts'
import { JsTransport } from './js.ts'
import { loadNative } from './native/addon.ts'
import { NativeTransport } from './native.ts'
import type { Transport, TransportKind } from './transport.ts'

/** Which transport an endpoint asks for; `auto` is native where that runs, else js. */
export type TransportChoice = 'auto' | 'native' | 'js'

/** Number of threads for sockets besides the one JavaScript runs on, or 'auto': see `EndpointOptions.ioThreads`. */
export type IoThreads = number | 'auto'

/** The transport that an endpoint runs on. */
export interface TransportInfo {
  /** `native`, `js`, or `memory` for that of `dmicro/testing`. */
  readonly kind: TransportKind
  /** Number of threads for sockets; 0 when the thread of JavaScript serves them. */
  readonly ioThreads: number
  /**
   * Why `kind` is `js`, the name of a transport that was passed in, or how `ioThreads: 'auto'` was decided; otherwise
   * ''.
   */
  readonly reason: string
  /** `native` when OpenSSL in the core does TLS, `node:tls` when Node's streams do, '' where there is no TLS. */
  readonly tls: 'native' | 'node:tls' | ''
  /** Text for people, for example `native`, `native, 2 IO threads` or `js (reason)`. */
  toString(): string
}

const MAX_IO_THREADS = 64

interface ChosenTransport {
  transport: Transport
  info: TransportInfo
}

const native = new Map<number, { transport: NativeTransport } | { reason: string }>()
let js: JsTransport | undefined
let warned = false

/**
 * The environment's transport for `choice`. DMICRO_TRANSPORT and DMICRO_IO_THREADS, when set, override choice and
 * threads. `auto` falls back to JavaScript where the native transport cannot run, and logs that once. A transport that
 * is passed in is used as it is.
 * @throws TypeError for an unknown choice
 * @throws RangeError for a bad number of threads
 * @throws Error when `native` is asked for and cannot run
 */
export function chooseTransport(choice: TransportChoice | Transport, threads: IoThreads, log: Logger): ChosenTransport {
  if (typeof choice === 'object') return { transport: choice, info: describe(choice.kind, 0, choice.name ?? '', '') }
  const asked = process.env.DMICRO_TRANSPORT || choice
  const { count, reason } = countThreads(threads)
  if (asked === 'js') {
    const by = asked === choice ? "the option transport: 'js'" : 'DMICRO_TRANSPORT=js'
    return onJs(`asked for by ${by}`)
  }
  if (asked !== 'auto' && asked !== 'native')
    throw new TypeError(
      `${asked === choice ? 'option transport' : 'DMICRO_TRANSPORT'} must be 'auto', 'native' or 'js', got ${JSON.stringify(asked)}`,
    )
  let started = native.get(count)
  if (started === undefined) native.set(count, (started = startNative(count)))
  if ('transport' in started) {
    const { transport } = started
    const { noTls } = transport
    const reasons = [reason, noTls === '' ? '' : `tls by node:tls: ${noTls}`].filter((text) => text !== '')
    return { transport, info: describe('native', count, reasons.join('; '), noTls === '' ? 'native' : 'node:tls') }
  }
  if (asked === 'native') throw new Error(`the native transport cannot run: ${started.reason}`)
  if (!warned) log.warn(`running on the JavaScript transport: ${started.reason}`)
  warned = true
  return onJs(started.reason)
}

/** @throws RangeError when the number is neither 'auto' nor a whole number from 0 to `MAX_IO_THREADS` */
function countThreads(threads: IoThreads): { count: number; reason: string } {
  const asked = process.env.DMICRO_IO_THREADS || threads
  if (asked !== 'auto') {
    const count = Number(asked)
    if (asked === null || !Number.isInteger(count) || count < 0 || count > MAX_IO_THREADS)
      throw new RangeError(`ioThreads must be 'auto' or a whole number from 0 to ${MAX_IO_THREADS}, got ${JSON.stringify(asked)}`)
    return { count, reason: '' }
  }
  // A thread is of use where it has a core beside those of JavaScript and of the work the handlers cause. One thread
  // serves about a million messages a second, as many as one JavaScript thread can handle.
  const cores = nodeOs().availableParallelism()
  const count = cores >= 8 ? 2 : cores >= 4 ? 1 : 0
  return { count, reason: `ioThreads auto: ${cores} ${cores === 1 ? 'core' : 'cores'}` }
}

function startNative(threads: number): { transport: NativeTransport } | { reason: string } {
  const loaded = loadNative()
  if ('reason' in loaded) return loaded
  try {
    return { transport: new NativeTransport(loaded.addon, threads, javaScriptTransport) }
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}

function onJs(reason: string): ChosenTransport {
  return { transport: javaScriptTransport(), info: describe('js', 0, reason, 'node:tls') }
}

/** The environment's JavaScript transport, which also serves what the native one does not. */
export function javaScriptTransport(): JsTransport {
  js ??= new JsTransport()
  return js
}

function describe(kind: TransportKind, ioThreads: number, reason: string, tls: TransportInfo['tls']): TransportInfo {
  const threads = ioThreads === 0 ? '' : `, ${ioThreads} IO ${ioThreads === 1 ? 'thread' : 'threads'}`
  const text = `${kind}${threads}${reason === '' ? '' : ` (${reason})`}`
  return Object.freeze({ kind, ioThreads, reason, tls, toString: () => text })
}
