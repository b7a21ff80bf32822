import { flag, requireOptions, timeLimit } from '../base/check-options.ts'
import { ContentTypes } from './http/content-type.ts'
import type { CorsOption } from './http/cors.ts'
import { Hosts } from './http/hosts.ts'
import { prepareLlhttp } from './http/llhttp.ts'
import { matchHttp } from './http/match.ts'
import { Pages, type PagesOption } from './http/pages.ts'
import { HttpSession } from './http/session.ts'
import { Writer } from './http/write.ts'
import type { Proto } from './proto.ts'

/** Options of `http`. */
export interface HttpOptions {
  /**
   * Origins whose pages may call this endpoint from a browser: `'*'` or a list such as `['https://example.org']`. Their
   * preflight requests are answered by the protocol. Default: only pages from this endpoint's own origin.
   */
  cors?: CorsOption | undefined
  /**
   * Which requests are protected against web pages.
   *
   * - `'cors'`: a page that `cors` does not allow reaches no handler. Requests that any page could make are refused,
   *   whoever sends them: a plain call must be a POST with a Content-Type that a browser sends to another origin only
   *   after asking, such as `application/json`, or the GET of a route registered as `safe`.
   * - `'any'`: every method and type is served, without looking for signs of a page. For networks without browsers.
   *
   * Default: 'cors'.
   */
  pages?: PagesOption | undefined
  /**
   * Milliseconds after which an accepted connection is closed on which nothing was received, or nothing more after the
   * last response to a plain request; 0 or Infinity means never. Clients are informed by the header `Keep-Alive`.
   * Connections on which a DMicro peer has sent or received a call stay open. Default: 75,000.
   */
  idleTimeout?: number | undefined
  /**
   * Whether calls carry the dialled host in the header `Host`, which every HTTP server but DMicro requires. It is left
   * out for a peer that has answered as a DMicro peer; a Go peer sees it as meta until then. Default: true.
   */
  host?: boolean | undefined
  /**
   * Further media types and the ids of their codecs, such as `{ 'application/x-thing': 200 }` (Go's `RegBodyCodec`).
   * Default: none.
   */
  contentTypes?: Readonly<Record<string, number>> | undefined
}

const known: ReadonlySet<string> = new Set(['cors', 'pages', 'idleTimeout', 'host', 'contentTypes'])

/**
 * The protocol `http` (docs/spec/wire.md#http): HTTP/1.1 for two kinds of peers.
 *
 * - DMicro peers, whose messages have an `X-Seq` header: many calls at a time in both directions, replies in any
 *   order. There is no PUSH. A service method must begin with '/'. Filters: gzip once, on the body.
 * - Any HTTP client: curl, browsers. The path is the service method of a POST, or of a GET when its route is `safe`;
 *   replies are sent in the order of the requests. The Content-Type names the codec of the body: `…+json` is JSON, an
 *   unknown one is a 415. The reply is of the same type unless `Accept` names another known one; the reply to a form or
 *   a text is JSON. OK is 200, also without a result. An error has its own code if that is 400 to 599, else 500, and
 *   the body `{"code":..,"msg":..,"cause":..}`; an error with `retryAfter` has `Retry-After` in seconds. Replies of 1
 *   KiB and more are compressed with gzip if the client accepts that.
 *
 * Our calls also reach other HTTP servers, which answer in order: 2xx is a result, anything else a StatusError with
 * that code, or with the status in its body. They get the dialled `Host`, unless the meta of a call names one.
 *
 * `docs/http.md` says what web pages may do, and more about what is accepted and sent.
 *
 * Meta are headers. Go changes the case of header names, so **every key arrives in lower case**: a key sent as
 * `author`, `Author` or `userId` is `ctx.meta.author` and `ctx.meta.userid`. Keys of the framework keep their spelling:
 * `X-Accept-Body-Codec`, `X-Real-IP`, `X-Secure-Body`, `X-Reply-Secure-Body`, `X-Sealed-Body`, `X-Retry-After`, `hb_`.
 * Query parameters are meta too, in their own case; a header with the same name wins. Repeated headers have their
 * values joined by `, `. Headers of the connection and of HTTP itself (`Host`, `User-Agent`, `Connection`, ...) are
 * never meta; those that browsers add to every request (`Accept-Language`, `Sec-*`, `Referer`, ...) are not in plain
 * requests; `Authorization`, `Cookie` and `Origin` are. A call or reply fails when a key is no header name or one of
 * HTTP itself, or a value has a control character.
 *
 * @throws TypeError or RangeError for bad options
 */
export function http(options: HttpOptions = {}): Proto {
  requireOptions('options of http', options, known)
  const types = new ContentTypes(options.contentTypes)
  const pages = new Pages(options.pages, options.cors)
  const host = flag('host', options.host, true)
  const idleTimeout = timeLimit('idleTimeout', options.idleTimeout, IDLE_TIMEOUT)
  const hosts = host ? new Hosts() : undefined
  const writer = new Writer(types)
  return {
    id: 0x68,
    name: 'http',
    framing: 'stream',
    bodyFilters: ['gzip'],
    match: matchHttp,
    prepare: prepareLlhttp,
    open: (link) => new HttpSession(link, types, writer, pages, hosts, idleTimeout),
  }
}

/** Default idle timeout in milliseconds, as in nginx. */
const IDLE_TIMEOUT = 75_000
