import { nodeCrypto, nodeHttp } from '../../base/builtin.ts'
import { encodeStatus } from '../../message/status-json.ts'
import type { WebSocketSettings } from '../../transports/websocket-settings.ts'
import type { WebSocketListen } from './options.ts'
import { hasToken, headersOf, listOf, ReceivedRequest, type UpgradeRequest } from './upgrade-request.ts'

/** A name in RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Prefix of the sub-protocols that name a protocol of dmicro. */
const PREFIX = 'dmicro.'
/** Most characters of a sub-protocol that is repeated in the response, which must stay small for proxies. */
const MAX_SUBPROTOCOL = 64

export const DEFLATE = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'

/** The value that proves that a server has read a key. */
export function acceptOf(key: string): string {
  return nodeCrypto().createHash('sha1').update(`${key}${GUID}`).digest('base64')
}

/** Why a request is refused: an HTTP status, the cause, and header lines with their CRLF. */
export interface Refusal {
  readonly status: number
  readonly cause: string
  readonly lines?: string
}

/** A request that may be answered by 101. */
export interface Upgrade {
  readonly request: UpgradeRequest
  readonly key: string
  readonly secWebSocketExtensions: string | undefined
}

/** The first lines of an HTTP request. */
export interface RequestHead {
  readonly method: string
  readonly target: string
  /** Names and values in turn. */
  readonly fields: readonly string[]
}

/** Checks a request (RFC 6455 §4.2.1), and whether a web page made a browser send it. */
export function checkUpgrade(head: RequestHead, listen: WebSocketListen, remoteAddress: string): Upgrade | Refusal {
  const { method, target, fields } = head
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  if (path !== listen.path) return { status: 404, cause: 'no WebSocket has this path' }
  const headers = headersOf(fields)
  if (headers === undefined) return { status: 400, cause: 'a header field that must be there once is repeated' }
  if (headers.host === undefined) return { status: 400, cause: 'no Host' }
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    return { status: 400, cause: 'a request for a WebSocket has no body' }
  if (!hasToken(headers.upgrade, 'websocket') || !hasToken(headers.connection, 'upgrade'))
    return { status: 426, cause: 'this address speaks WebSocket', lines: 'Upgrade: websocket\r\n' }
  if (method !== 'GET') return { status: 405, cause: 'a request for a WebSocket is a GET', lines: 'Allow: GET\r\n' }
  if (headers['sec-websocket-version'] !== '13')
    return { status: 400, cause: 'the version of WebSocket must be 13', lines: 'Sec-WebSocket-Version: 13\r\n' }
  const key = headers['sec-websocket-key'] ?? ''
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) return { status: 400, cause: 'no Sec-WebSocket-Key of 16 bytes' }
  if (isForeign(headers.origin, listen)) return { status: 403, cause: 'pages of this origin may not connect (option websocket.origins)' }
  const subprotocols = listOf(headers['sec-websocket-protocol'])
  const search = mark < 0 ? '' : target.slice(mark + 1)
  const request = new ReceivedRequest(listen.path, search, fields, subprotocols, remoteAddress)
  return { request, key, secWebSocketExtensions: headers['sec-websocket-extensions'] }
}

/**
 * Whether a page of an origin that is not allowed made a browser send the request. A browser sends it to any address,
 * and no preflight request comes before. Go's client sends its own address as origin, which no page has.
 */
function isForeign(origin: string | undefined, { origins }: WebSocketListen): boolean {
  if (origin === undefined || /^wss?:/i.test(origin)) return false
  return origins?.any !== true && origins?.lists(origin) !== true
}

/**
 * Chooses the protocol by the sub-protocols that a request asks for: `dmicro.NAME`, or the first protocol when none is
 * of dmicro.
 *
 * @returns the index of the protocol and the sub-protocol to answer with ('' for none); undefined when those of dmicro
 *   that are asked for are not offered
 */
export function chooseProtocol(names: readonly string[], asked: readonly string[]): { index: number; answer: string } | undefined {
  let ours = false
  for (const each of asked) {
    if (!each.startsWith(PREFIX) || each.length > MAX_SUBPROTOCOL) continue
    const index = names.indexOf(each.slice(PREFIX.length))
    if (index >= 0) return { index, answer: each }
    ours = true
  }
  return ours ? undefined : { index: 0, answer: '' }
}

/** Whether an offer of extensions has permessage-deflate with parameters that can be kept here. */
export function offersDeflate(extensions: string | undefined): boolean {
  return listOf(extensions).some((offer) => {
    const [name, ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase())
    if (name !== 'permessage-deflate') return false
    // A window that is smaller than ours cannot be promised: zlib chooses it when it is made.
    return parameters.every((each) => /^(server_no_context_takeover|client_no_context_takeover|client_max_window_bits(=.*)?)$/.test(each))
  })
}

/** The response that begins a WebSocket. It stays below 3 KiB, more than which proxies refuse. */
export function switchingProtocols(key: string, subprotocol: string, compression: boolean): string {
  const protocol = subprotocol === '' ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`
  const extensions = compression ? `Sec-WebSocket-Extensions: ${DEFLATE}\r\n` : ''
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n${protocol}${extensions}\r\n`
}

/** The response that refuses a request. */
export function refusalText({ status, cause, lines = '' }: Refusal): string {
  const text = nodeHttp().STATUS_CODES[status] ?? 'Forbidden'
  const body = encodeStatus(status, text, cause)
  return `HTTP/1.1 ${status} ${text}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${lines}Connection: close\r\n\r\n${body}`
}

/** Settings of the accepting side. */
export function settingsOf({ text }: { readonly text: boolean }, client: boolean, compression: boolean): WebSocketSettings {
  return { client, text, compression }
}
