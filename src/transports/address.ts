import { ipVersion } from './ip.ts'

/** Where to listen or dial. `host` is a name or an IP address without brackets. */
export type Address =
  | {
      kind: 'tcp'
      host: string
      port: number
      /** Scheme of what is spoken below the messages; undefined for plain TCP. */
      scheme?: Layered | undefined
      /** Path of a WebSocket, with its query if there is one; undefined without WebSocket. */
      path?: string | undefined
    }
  | UdpAddress<'kcp'>
  | QuicAddress
  | {
      kind: 'unix'
      /** Path of the socket. */
      path: string
    }

/** @typeParam Scheme of what makes a stream of datagrams */
interface UdpAddress<Scheme extends string> {
  kind: 'udp'
  host: string
  port: number
  scheme: Scheme
}

export type QuicAddress = UdpAddress<'quic'>

/** Schemes of TCP with something between the socket and the messages. */
type Layered = 'tls' | 'ws' | 'wss'

/**
 * Longest path of a Unix socket in bytes: `sun_path` of Linux less its final NUL. The shortest limit of our platforms
 * except for macOS (103), which reports its own error.
 */
export const MAX_UNIX_PATH = 107
const MAX_HOST = 253
const FORMS = 'tcp://, tls://, ws://, wss://, kcp:// or quic://host:port, or unix:///path'
/** Longest path of a WebSocket in bytes, so that a request with it stays well below what servers accept. */
const MAX_WEBSOCKET_PATH = 2048

/**
 * Reads `tcp://host:port`, `tcp://[::1]:0`, `tcp://:0` (all interfaces, 0.0.0.0 as in Go), `tls://host:port`,
 * `ws://host:port/path?query`, `wss://…` (port 80 or 443 if there is none), `kcp://host:port`, `quic://host:port`,
 * `unix:///abs/path`, `unix://rel/path`. Nothing is percent-decoded. Port 0 lets the system choose.
 * @throws TypeError with the url and what is expected
 */
export function parseAddress(url: string): Address {
  if (typeof url !== 'string') throw new TypeError(`an address must be a string, got ${typeof url}`)
  const mark = url.indexOf('://')
  if (mark <= 0) throw invalid(url, `expected ${FORMS}`)
  const scheme = url.slice(0, mark).toLowerCase()
  const rest = url.slice(mark + 3)
  if (scheme === 'tcp') return parseTcp(url, rest)
  if (scheme === 'tls') return { ...parseTcp(url, rest), scheme }
  if (scheme === 'ws' || scheme === 'wss') return parseWebSocket(url, scheme, rest)
  if (scheme === 'kcp') return { ...parseTcp(url, rest), kind: 'udp', scheme }
  if (scheme === 'quic') return { ...parseTcp(url, rest), kind: 'udp', scheme }
  if (scheme === 'unix') return parseUnix(url, rest)
  throw invalid(url, `unknown scheme, expected ${FORMS}`)
}

/**
 * Checks that an address can be dialled.
 * @throws TypeError for port 0
 */
export function requirePort(address: Address): void {
  if (address.kind !== 'unix' && address.port === 0) throw invalid(formatAddress(address), 'expected a port of 1 to 65535 to dial')
}

/** The url of an address, the inverse of parseAddress, with IPv6 hosts in brackets. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix://${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  const path = address.kind === 'tcp' ? (address.path ?? '') : ''
  return `${address.scheme ?? 'tcp'}://${host}:${address.port}${path}`
}

/** Whether an address always has TLS. */
export function isSecure(address: Address): boolean {
  return address.kind !== 'unix' && (address.scheme === 'tls' || address.scheme === 'wss' || address.scheme === 'quic')
}

/** Whether QUIC runs at an address. */
export function isQuic(address: Address): address is QuicAddress {
  return address.kind === 'udp' && address.scheme === 'quic'
}

/** A bound address with what is spoken on it. */
export function withLayers(bound: Address, asked: Address): Address {
  return bound.kind === 'tcp' && asked.kind === 'tcp' ? { ...bound, scheme: asked.scheme, path: asked.path } : bound
}

/** The path of a WebSocket, with its query; undefined for other addresses. */
export function webSocketPath(address: Address): string | undefined {
  return address.kind === 'tcp' ? address.path : undefined
}

/**
 * The authority that a request to `address` names: `host:port` as in a URL, with IPv6 hosts in brackets and without
 * their zones, which have no meaning elsewhere; `localhost` for a Unix socket.
 */
export function authorityOf(address: Address): string {
  if (address.kind === 'unix') return 'localhost'
  const host = address.host.includes(':') ? `[${address.host.split('%', 1)[0]}]` : address.host
  return address.port === usualPort(address.scheme) ? host : `${host}:${address.port}`
}

/** Port that a request need not name; undefined where all are named, as Go does. */
function usualPort(scheme: Layered | 'kcp' | 'quic' | undefined): number | undefined {
  return scheme === 'ws' ? 80 : scheme === 'wss' ? 443 : undefined
}

function parseWebSocket(url: string, scheme: 'ws' | 'wss', rest: string): Address {
  const end = rest.search(/[/?#]/)
  let authority = end < 0 ? rest : rest.slice(0, end)
  const path = end < 0 ? '/' : rest[end] === '/' ? rest.slice(end) : `/${rest.slice(end)}`
  if (path.includes('#')) throw invalid(url, 'expected no fragment, which is never sent')
  if (!/^[!-~]*$/.test(path)) throw invalid(url, 'expected a path of visible ASCII characters: percent-encode the others')
  if (path.length > MAX_WEBSOCKET_PATH) throw invalid(url, `expected a path of at most ${MAX_WEBSOCKET_PATH} bytes`)
  if (authority.includes('@')) throw invalid(url, 'expected no user and password')
  // As browsers write it.
  if (authority !== '' && !/:[^\]]*$/.test(authority)) authority += scheme === 'ws' ? ':80' : ':443'
  return { ...parseTcp(url, authority), scheme, path }
}

function parseTcp(url: string, rest: string): Extract<Address, { kind: 'tcp' }> {
  const colon = rest.lastIndexOf(':')
  if (colon < 0 || rest.endsWith(']')) throw invalid(url, 'expected a port, as in tcp://host:port')
  return { kind: 'tcp', host: parseHost(url, rest.slice(0, colon)), port: parsePort(url, rest.slice(colon + 1)) }
}

function parseHost(url: string, host: string): string {
  if (host === '') return '0.0.0.0'
  if (host.startsWith('[') && host.endsWith(']')) {
    const inner = host.slice(1, -1)
    if (ipVersion(inner) !== 6) throw invalid(url, 'expected an IPv6 address between the brackets')
    return inner
  }
  if (host.includes(':')) throw invalid(url, 'expected an IPv6 address in brackets, as in tcp://[::1]:80')
  if (host.length > MAX_HOST || !/^[A-Za-z0-9._-]+$/.test(host))
    throw invalid(url, 'expected a host name of letters, digits, dots and hyphens')
  return host
}

function parsePort(url: string, text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1
  if (port < 0 || port > 65_535) throw invalid(url, 'expected a port of 0 to 65535')
  return port
}

function parseUnix(url: string, path: string): Address {
  if (path === '') throw invalid(url, 'expected a path, as in unix:///run/app.sock')
  if (path.startsWith('@')) throw invalid(url, 'abstract Unix sockets are not supported, expected a path in the file system')
  if (path.includes('\0')) throw invalid(url, 'expected a path without NUL')
  if (!path.isWellFormed()) throw invalid(url, 'expected a path of well-formed text')
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_UNIX_PATH) throw invalid(url, `expected a path of at most ${MAX_UNIX_PATH} bytes, got ${bytes}`)
  return { kind: 'unix', path }
}

/** The error for a url. The url is quoted and cut, since addresses may come from a registry. */
function invalid(url: string, expected: string): TypeError {
  const shown = url.length > 200 ? `${url.slice(0, 200)}...` : url
  return new TypeError(`invalid address ${JSON.stringify(shown)}: ${expected}`)
}
