import type { Logger } from '../log.ts'
import { loadNative } from '../native.ts'
import type { Transport } from '../transport.ts'
import { JsTransport } from './js.ts'
import { NativeTransport } from './native.ts'

export type TransportChoice = 'auto' | 'native' | 'js'

/** Which transport an endpoint runs on. `reason` says why when it is `js`, and is '' when it is `native`. */
export interface TransportInfo {
  readonly kind: 'native' | 'js'
  readonly reason: string
  /** `native`, or `js (reason)`. */
  toString(): string
}

export interface ChosenTransport {
  transport: Transport
  info: TransportInfo
}

let native: { transport: NativeTransport } | { reason: string } | undefined
let js: JsTransport | undefined
let told = false

/**
 * The environment's transport for `choice`; DMICRO_TRANSPORT, when set, overrides it. `auto` falls back to JavaScript where
 * the native one cannot run, and says so once.
 * @throws TypeError for an unknown choice, Error when `native` is asked for and cannot run
 */
export function chooseTransport(choice: TransportChoice, log: Logger): ChosenTransport {
  const asked = process.env.DMICRO_TRANSPORT || choice
  if (asked === 'js') {
    const by = asked === choice ? "the option transport: 'js'" : 'DMICRO_TRANSPORT=js'
    return onJs(`asked for by ${by}`)
  }
  if (asked !== 'auto' && asked !== 'native')
    throw new TypeError(`transport must be 'auto', 'native' or 'js', got ${JSON.stringify(asked)}`)
  native ??= startNative()
  if ('transport' in native) return { transport: native.transport, info: describe('native', '') }
  if (asked === 'native') throw new Error(`the native transport cannot run: ${native.reason}`)
  if (!told) log.warn(`running on the JavaScript transport: ${native.reason}`)
  told = true
  return onJs(native.reason)
}

function startNative(): { transport: NativeTransport } | { reason: string } {
  const loaded = loadNative()
  if ('reason' in loaded) return loaded
  try {
    return { transport: new NativeTransport(loaded.addon) }
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}

function onJs(reason: string): ChosenTransport {
  js ??= new JsTransport()
  return { transport: js, info: describe('js', reason) }
}

function describe(kind: 'native' | 'js', reason: string): TransportInfo {
  return Object.freeze({ kind, reason, toString: () => (reason === '' ? kind : `${kind} (${reason})`) })
}
