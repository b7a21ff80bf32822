import { flag, requireOptions, timeLimit } from '../../base/check-options.ts'
import type { CorsOption } from './cors.ts'
import { Pages, type PagesOption } from './pages.ts'

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

/** `HttpOptions`, complete and checked. */
export interface HttpSettings {
  /** Further media types and the ids of their codecs. */
  readonly contentTypes: Readonly<Record<string, number>>
  readonly pages: Pages
  readonly host: boolean
  readonly idleTimeout: number
}

const known: ReadonlySet<string> = new Set(['cors', 'pages', 'idleTimeout', 'host', 'contentTypes'])

/** Default idle timeout in milliseconds, as in nginx. */
const IDLE_TIMEOUT = 75_000

/**
 * Checks the options.
 *
 * @throws TypeError or RangeError for bad options
 */
export function readHttpOptions(options: HttpOptions): HttpSettings {
  requireOptions('options of http', options, known)
  return {
    contentTypes: readContentTypes(options.contentTypes),
    pages: new Pages(options.pages, options.cors),
    host: flag('host', options.host, true),
    idleTimeout: timeLimit('idleTimeout', options.idleTimeout, IDLE_TIMEOUT),
  }
}

function readContentTypes(types: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  for (const [type, codec] of Object.entries(types)) {
    if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type)) throw new TypeError(`contentTypes: ${JSON.stringify(type)} is no media type`)
    if (!Number.isInteger(codec) || codec < 1 || codec > 255) throw new RangeError(`contentTypes: the codec id of ${type} must be 1 to 255`)
  }
  return { ...types }
}
