import type { Proto } from '../proto.ts'
import { ContentTypes } from './http/content-type.ts'
import { Cors, type CorsOption } from './http/cors.ts'
import { matchHttp } from './http/match.ts'
import { HttpSession } from './http/session.ts'
import { Writer } from './http/write.ts'

export interface HttpOptions {
  /**
   * Which origins' pages a browser lets call this endpoint: `'*'` or a list such as `['https://example.org']`. Their preflight requests are
   * answered here. Default: none, no header of CORS is sent.
   */
  cors?: CorsOption | undefined
  /** Further media types and the ids of the codecs they stand for, such as `{ 'application/x-thing': 200 }` (Go: `RegBodyCodec`). */
  contentTypes?: Readonly<Record<string, number>> | undefined
}

/**
 * The protocol `http` (spec/wire.md §8.5): HTTP/1.1 for two kinds of peers.
 *
 * - DMicro peers, whose messages have an `X-Seq` header: many calls at a time in both directions, replies in any order. PUSH has no form. A
 *   service method must begin with '/'. Filters: gzip once, on the body.
 * - Any HTTP client: curl, browsers. The path is the service method, whatever the HTTP method; replies come in the order of the requests. The
 *   Content-Type says how the body is encoded: JSON without one. The reply is JSON too unless `Accept` names another known type, or the body
 *   was of one. OK is 200, also without a result. An error has its own code if that is 400 to 599, else 500, and
 *   `{"code":..,"msg":..,"cause":..}` as its body, and one that says when to try again has `Retry-After` in seconds. Replies of 1 KiB and more
 *   go through gzip if the client takes it.
 *
 * Our calls also reach other HTTP servers, which answer in order: 2xx is a result, anything else a StatusError with that code, or with the
 * status in its body. They want a `Host`, which can be given in the meta of a call.
 *
 * Meta are headers. Go changes the case of header names, so **every key arrives in lower case**: what was sent as `author`, `Author` or `userId`
 * is `ctx.meta.author` and `ctx.meta.userid`. Keys that the framework knows keep their spelling: `X-Accept-Body-Codec`, `X-Real-IP`,
 * `X-Secure-Body`, `X-Reply-Secure-Body`, `X-Sealed-Body`, `X-Retry-After`, `hb_`. Query parameters are meta too, in the case they have; a header of the same name wins. A header
 * that came several times has its values joined by `, `. Headers of the connection and of HTTP itself (`Host`, `User-Agent`, `Connection`,
 * ...) are never meta, those that browsers add to every request (`Accept-Language`, `Sec-*`, `Referer`, ...) are not in plain requests;
 * `Authorization`, `Cookie` and `Origin` are. A key that is no header name, or one of HTTP itself, and a value with a control character make a
 * call or reply fail.
 */
export function http(options: HttpOptions = {}): Proto {
  const types = new ContentTypes(options.contentTypes)
  const cors = options.cors === undefined ? undefined : new Cors(options.cors)
  const writer = new Writer(types)
  return {
    id: 0x68,
    name: 'http',
    framing: 'stream',
    bodyFilters: ['gzip'],
    match: matchHttp,
    open: (link) => new HttpSession(link, types, writer, cors),
  }
}
