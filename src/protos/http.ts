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

export interface HttpOptions {
  /**
   * Which origins' pages a browser lets call this endpoint: `'*'` or a list such as `['https://example.org']`. Their preflight requests are
   * answered here. Default: none but those that come from here themselves.
   */
  cors?: CorsOption | undefined
  /**
   * `'cors'` (default): a page that `cors` does not let in reaches no handler. What could be any page's is refused, whoever sends it: a plain call is a
   * POST whose Content-Type a browser sends to no other origin without asking first, such as `application/json`, or the GET of a route that
   * is registered as `safe`. `'any'`: every method and type is served, and no mark of a page is looked at; for networks without browsers.
   */
  pages?: PagesOption | undefined
  /**
   * Milliseconds after which an accepted connection is closed that nothing came on, or nothing more after the last answer to a plain request; clients are
   * told (`Keep-Alive`). Connections of DMicro peers that have said something, or were called, stay. Default 75,000; 0 or Infinity: none is closed.
   */
  idleTimeout?: number | undefined
  /**
   * Whether calls say where they were dialled (`Host`), which every HTTP server but DMicro wants. A peer that has answered as a DMicro one is told no
   * more; to a Go one it is meta before that. Default true.
   */
  host?: boolean | undefined
  /** Further media types and the ids of the codecs they stand for, such as `{ 'application/x-thing': 200 }` (Go: `RegBodyCodec`). */
  contentTypes?: Readonly<Record<string, number>> | undefined
}

const known: ReadonlySet<string> = new Set(['cors', 'pages', 'idleTimeout', 'host', 'contentTypes'])

/**
 * The protocol `http` (docs/spec/wire.md#http): HTTP/1.1 for two kinds of peers.
 *
 * - DMicro peers, whose messages have an `X-Seq` header: many calls at a time in both directions, replies in any order. PUSH has no form. A
 *   service method must begin with '/'. Filters: gzip once, on the body.
 * - Any HTTP client: curl, browsers. The path is the service method of a POST, or of a GET when its route is `safe`; replies come in the order
 *   of the requests. The Content-Type says how the body is encoded: `…+json` is JSON, an unknown one 415. The reply is of the same type unless
 *   `Accept` names another known one; to a form or a text it is JSON. OK is 200, also without a result. An error has its own code if that is 400 to 599, else 500, and
 *   `{"code":..,"msg":..,"cause":..}` as its body, and one that says when to try again has `Retry-After` in seconds. Replies of 1 KiB and more
 *   go through gzip if the client takes it.
 *
 * Our calls also reach other HTTP servers, which answer in order: 2xx is a result, anything else a StatusError with that code, or with the
 * status in its body. They are told the `Host` that was dialled, unless the meta of a call names one.
 *
 * What web pages may do, and more of what is accepted and sent, is in `docs/http.md`.
 *
 * Meta are headers. Go changes the case of header names, so **every key arrives in lower case**: what was sent as `author`, `Author` or `userId`
 * is `ctx.meta.author` and `ctx.meta.userid`. Keys that the framework knows keep their spelling: `X-Accept-Body-Codec`, `X-Real-IP`,
 * `X-Secure-Body`, `X-Reply-Secure-Body`, `X-Sealed-Body`, `X-Retry-After`, `hb_`. Query parameters are meta too, in the case they have; a header of the same name wins. A header
 * that came several times has its values joined by `, `. Headers of the connection and of HTTP itself (`Host`, `User-Agent`, `Connection`,
 * ...) are never meta, those that browsers add to every request (`Accept-Language`, `Sec-*`, `Referer`, ...) are not in plain requests;
 * `Authorization`, `Cookie` and `Origin` are. A key that is no header name, or one of HTTP itself, and a value with a control character make a
 * call or reply fail.
 * @throws TypeError, RangeError for bad options
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

/** As nginx has it. */
const IDLE_TIMEOUT = 75_000
