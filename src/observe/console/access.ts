import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { nodeCrypto } from '../../base/builtin.ts'

/** Policy of the pages: a browser loads nothing from elsewhere, and no script or style within a page. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Headers of all answers. */
export const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // With `no-referrer` a browser would send our own forms with the origin `null`.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/** Decides who may see the pages, and whose forms are taken. */
export class Access {
  /** Value that forms must have, which pages of other origins cannot know. */
  readonly csrf = secret()
  readonly #token: Buffer | undefined
  readonly #cookie = secret()
  readonly #hosts: ReadonlySet<string>

  /** @param hosts names of this host, in lower case */
  constructor(token: string | undefined, hosts: readonly string[]) {
    this.#token = token === undefined ? undefined : digest(token)
    this.#hosts = new Set(['localhost', ...hosts.map((host) => host.toLowerCase())])
  }

  /**
   * Whether a browser was not led here by a name that is not ours, which makes pages of others pages of ours
   * (DNS rebinding), and whether no page of another origin has made the request. Links to here are allowed.
   */
  isOurs(request: IncomingMessage): boolean {
    const { host, origin } = request.headers
    const site = request.headers['sec-fetch-site']
    if (host === undefined || !this.#isOurHost(host)) return false
    if (request.method === 'GET' || request.method === 'HEAD') {
      const isLink = request.headers['sec-fetch-mode'] === 'navigate' && request.headers['sec-fetch-dest'] === 'document'
      return site === undefined || site === 'same-origin' || site === 'none' || isLink
    }
    if (site !== undefined && site !== 'same-origin') return false
    return origin === undefined || origin === `http://${host}` || origin === `https://${host}`
  }

  #isOurHost(host: string): boolean {
    const name = host.replace(/:\d+$/, '').toLowerCase()
    return isIP(name.replace(/^\[|\]$/g, '')) !== 0 || this.#hosts.has(name)
  }

  /** Whether a token is asked for. */
  get hasToken(): boolean {
    return this.#token !== undefined
  }

  /** Whether the request shows the token, or the cookie that was given for it. */
  isKnown(request: IncomingMessage): boolean {
    if (this.#token === undefined) return true
    const { authorization = '', cookie = '' } = request.headers
    const bearer = /^bearer +/i.exec(authorization)
    if (bearer !== null) return this.isToken(authorization.slice(bearer[0].length))
    const shown = cookie.split(';').map((part) => part.trim())
    return shown.some((part) => part.startsWith(`${cookieName(request)}=`) && same(part.slice(part.indexOf('=') + 1), this.#cookie))
  }

  isToken(text: string): boolean {
    return this.#token !== undefined && nodeCrypto().timingSafeEqual(digest(text), this.#token)
  }

  /** Header that lets the browser in from now on. */
  cookieFor(request: IncomingMessage): string {
    return `${cookieName(request)}=${this.#cookie}; Path=/; HttpOnly; SameSite=Strict`
  }

  isForm(csrf: string | null): boolean {
    return csrf !== null && same(csrf, this.csrf)
  }
}

/** Cookies do not know of ports, and several consoles may run on a host. */
function cookieName({ socket }: IncomingMessage): string {
  return `dmicro-console-${socket.localPort}`
}

function secret(): string {
  return nodeCrypto().randomBytes(24).toString('base64url')
}

function digest(text: string): Buffer {
  return nodeCrypto().createHash('sha256').update(text).digest()
}

function same(a: string, b: string): boolean {
  return nodeCrypto().timingSafeEqual(digest(a), digest(b))
}
