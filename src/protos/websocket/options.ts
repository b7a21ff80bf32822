import { flag, optionNames, requireMeta, requireOptions } from '../../base/check-options.ts'
import { Cors, type CorsOption } from '../http/cors.ts'
import type { Protocol } from '../proto-table.ts'
import { isText } from './protocols.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

/** Option `websocket` of `Endpoint.listen` and `Endpoint.upgrade`. */
export interface WebSocketListenOptions {
  /**
   * Path of the WebSocket on an address of another scheme, such as `tcp://…`: the listener then takes WebSockets beside
   * its other protocols. On `ws://` and `wss://` the address has the path. Default: none.
   */
  path?: string | undefined
  /**
   * Web pages that may connect: their origins, such as 'https://a.example', or '*' for those of every page. Requests
   * without an `Origin`, and those of programs whose `Origin` is no page's (`ws://…`, as Go sends it), are not
   * concerned. Default: none, also not pages of the same host (docs/http.md says why).
   */
  origins?: CorsOption | undefined
  /**
   * Decides about a request before it is answered: throws, or rejects with, a StatusError to refuse it with its code
   * (401, 403, …; 403 for codes that HTTP does not have). A text that it returns becomes the id of the session;
   * anything but a text and undefined refuses the request with 403. Default: everybody may connect.
   */
  authorize?: ((request: UpgradeRequest) => unknown) | undefined
  /**
   * Whether messages are sent as text, which only `json`, `jsonrpc` and protocols of your own with streams of text
   * allow. Both kinds are received. Default: false.
   */
  text?: boolean | undefined
  /**
   * Whether permessage-deflate is accepted, without context takeover; what is inflated is bounded by
   * `limits.maxMessage`. Costs CPU time for each message; such sockets are served by the JavaScript transport. Default:
   * false.
   */
  perMessageDeflate?: boolean | undefined
  /**
   * 'uws' serves a `ws://` address by uWebSockets.js, which must be installed. `listen` only. Default: the endpoint's
   * transport.
   */
  engine?: 'uws' | undefined
}

/** Option `websocket` of `Endpoint.dial`. */
export interface WebSocketDialOptions {
  /** Further header fields of the request, such as Authorization. Default: none. */
  headers?: Readonly<Record<string, string>> | undefined
  /** The sub-protocol to ask for; '' for none. Default: `dmicro.` and the name of the protocol. */
  subprotocol?: string | undefined
  /** As in `WebSocketListenOptions`. Default: false. */
  text?: boolean | undefined
  /** Whether permessage-deflate is offered; as in `WebSocketListenOptions`. Default: false. */
  perMessageDeflate?: boolean | undefined
}

/** The checked options of a listener. */
export interface WebSocketListen {
  /** Path without query. */
  readonly path: string
  readonly origins: Cors | undefined
  readonly authorize: ((request: UpgradeRequest) => unknown) | undefined
  readonly text: boolean
  readonly perMessageDeflate: boolean
  /** Checked by `listenEngine`. */
  readonly engine: 'uws' | undefined
}

/** The checked options of a dial. */
export interface WebSocketDial {
  /** Path with its query. */
  readonly path: string
  /** Header lines, each with its CRLF. */
  readonly lines: string
  readonly subprotocol: string
  readonly text: boolean
  readonly perMessageDeflate: boolean
}

const listenNames = optionNames<WebSocketListenOptions>({
  path: true,
  origins: true,
  authorize: true,
  text: true,
  perMessageDeflate: true,
  engine: true,
})
const dialNames = optionNames<WebSocketDialOptions>({ headers: true, subprotocol: true, text: true, perMessageDeflate: true })
/** Header fields that belong to the handshake. */
const own = /^(?:host|upgrade|connection|content-length|transfer-encoding|sec-websocket-(?:key|version|protocol|extensions|accept))$/i
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * Checks the options of a listener.
 *
 * @param path path of the address; undefined when the options name it
 * @param protocols those offered
 * @returns undefined when no WebSockets are taken
 * @throws TypeError that names the option
 */
export function readWebSocketListen(
  path: string | undefined,
  options: WebSocketListenOptions | undefined,
  protocols: readonly Protocol[],
): WebSocketListen | undefined {
  if (options !== undefined) requireOptions('option websocket', options, listenNames)
  if (path !== undefined && options?.path !== undefined) throw new TypeError('option websocket.path: the address has the path')
  const whole = path ?? options?.path
  if (whole === undefined) {
    if (options === undefined) return undefined
    throw new TypeError('option websocket.path is missing: this address has none')
  }
  if (typeof whole !== 'string' || !/^\/[!-~]*$/.test(whole)) throw new TypeError('option websocket.path must begin with / and be ASCII')
  if (options?.authorize !== undefined && typeof options.authorize !== 'function')
    throw new TypeError('option websocket.authorize must be a function')
  return {
    path: whole.split('?', 1)[0],
    origins: options?.origins === undefined ? undefined : new Cors(options.origins),
    authorize: options?.authorize,
    text: readText(options?.text, protocols),
    perMessageDeflate: flag('websocket.perMessageDeflate', options?.perMessageDeflate, false),
    engine: options?.engine,
  }
}

/**
 * Checks the options of a dial.
 *
 * @param path path of the address; undefined when it has none
 * @throws TypeError that names the option
 */
export function readWebSocketDial(
  path: string | undefined,
  options: WebSocketDialOptions | undefined,
  protocol: Protocol,
): WebSocketDial | undefined {
  if (options !== undefined) requireOptions('option websocket', options, dialNames)
  if (path === undefined) {
    if (options === undefined) return undefined
    throw new TypeError('option websocket needs a ws:// or wss:// address')
  }
  const subprotocol = options?.subprotocol ?? `dmicro.${protocol.name}`
  if (typeof subprotocol !== 'string' || (subprotocol !== '' && !token.test(subprotocol)))
    throw new TypeError('option websocket.subprotocol must be a token as in HTTP')
  requireMeta('websocket.headers', options?.headers)
  let lines = ''
  for (const [name, value] of Object.entries(options?.headers ?? {})) {
    if (!token.test(name) || own.test(name)) throw new TypeError(`option websocket.headers: ${JSON.stringify(name)} cannot be set`)
    if (!/^[\t -~\x80-\xff]*$/.test(value)) throw new TypeError(`option websocket.headers: bad value of ${name}`)
    lines += `${name}: ${value}\r\n`
  }
  const text = readText(options?.text, [protocol])
  return { path, lines, subprotocol, text, perMessageDeflate: flag('websocket.perMessageDeflate', options?.perMessageDeflate, false) }
}

/** @throws TypeError for a protocol whose messages are not text: a peer must close at the first that is not */
function readText(value: boolean | undefined, protocols: readonly Protocol[]): boolean {
  const text = flag('websocket.text', value, false)
  const binary = text ? protocols.find((protocol) => !isText(protocol)) : undefined
  if (binary !== undefined) throw new TypeError(`option websocket.text: messages of the protocol ${binary.name} are not text`)
  return text
}
