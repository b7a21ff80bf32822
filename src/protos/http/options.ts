import { flag, requireOptions, timeLimit } from '../../base/check-options.ts'
import { ContentTypes } from './content-type.ts'
import type { CorsOption } from './cors.ts'
import { Pages, type PagesOption } from './pages.ts'

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

/** `HttpOptions`, checked. */
export interface HttpSettings {
  readonly types: ContentTypes
  readonly pages: Pages
  readonly host: boolean
  readonly idleTimeout: number
}

const known: ReadonlySet<string> = new Set(['cors', 'pages', 'idleTimeout', 'host', 'contentTypes'])

/** As nginx has it. */
const IDLE_TIMEOUT = 75_000

/** @throws TypeError, RangeError for bad options */
export function readHttpOptions(options: HttpOptions): HttpSettings {
  requireOptions('options of http', options, known)
  return {
    types: new ContentTypes(options.contentTypes),
    pages: new Pages(options.pages, options.cors),
    host: flag('host', options.host, true),
    idleTimeout: timeLimit('idleTimeout', options.idleTimeout, IDLE_TIMEOUT),
  }
}
