import { Cors, type CorsOption } from './cors.ts'
import type { Fields } from './fields.ts'
import { Site } from './site.ts'

/** Which web pages may call: those that `cors` allows, or any. */
export type PagesOption = 'cors' | 'any'

/** The method of a request, as far as it matters here. */
export const Verb = { Post: 0, Get: 1, Head: 2, Options: 3, Connect: 4, Other: 5 } as const
export type Verb = (typeof Verb)[keyof typeof Verb]

/** Methods that some route may handle. */
export const ALLOWED = 'Allow: GET, HEAD, OPTIONS, POST\r\n'
/** Methods of a route with effects. */
export const ALLOWED_UNSAFE = 'Allow: OPTIONS, POST\r\n'

/** The verb of a method. The parser accepts only known methods, so length and first letter suffice. */
export function verbOf(bytes: Uint8Array, start: number, end: number): Verb {
  const length = end - start
  switch (bytes[start]) {
    case 0x50: // P, and PUT, PATCH, PURGE
      return length === 4 && bytes[start + 1] === 0x4f ? Verb.Post : Verb.Other
    case 0x47:
      return length === 3 ? Verb.Get : Verb.Other
    case 0x48:
      return length === 4 ? Verb.Head : Verb.Other
    case 0x4f:
      return Verb.Options
    case 0x43: // C, and COPY, CHECKOUT
      return length === 7 ? Verb.Connect : Verb.Other
    default:
      return Verb.Other
  }
}

/** Why a request is refused before anything runs: an HTTP status and the cause. */
export interface Denial {
  readonly status: number
  readonly cause: string
  /** Header lines, each with its CRLF. */
  readonly lines: string
}

const foreign: Denial = { status: 403, cause: 'pages of this origin may not call (option cors)', lines: '' }
const otherMethod: Denial = { status: 405, cause: 'calls are POST, or GET of routes that are registered as safe', lines: ALLOWED }

/**
 * Decides whether a request may be served that a web page may have made a browser send.
 *
 * A browser sends to any address what HTML can make it send: GET, and POST with the types of forms. Before anything
 * else to another origin it sends a preflight request (OPTIONS), and it names the origin in `Origin` and
 * `Sec-Fetch-Site`. So requests that any page could make without a preflight run nothing, with or without signs of a
 * page: old browsers leave out `Origin`, and no browser sends `Sec-Fetch-Site` to an address that is neither HTTPS nor
 * local. An `Origin` that equals `Host` proves nothing, because a site's name can be made to resolve to this address.
 */
export class Pages {
  /** Origins allowed by CORS; undefined for none. */
  readonly cors: Cors | undefined
  /** Whether everything is served, as if there were no browsers. */
  readonly any: boolean

  /**
   * Checks the options.
   *
   * @throws TypeError for bad options
   */
  constructor(pages: PagesOption = 'cors', cors: CorsOption | undefined) {
    if (pages !== 'cors' && pages !== 'any') throw new TypeError(`option pages must be 'cors' or 'any', got ${JSON.stringify(pages)}`)
    this.any = pages === 'any'
    this.cors = cors === undefined ? undefined : new Cors(cors)
  }

  /**
   * Returns why a request is refused; undefined when it is not.
   *
   * @param plain whether it lacks X-Seq, a header for which browsers send a preflight request
   */
  denial(verb: Verb, plain: boolean, fields: Fields): Denial | undefined {
    if (this.any || verb === Verb.Options) return undefined
    const { origin, site, pageType, codec } = fields
    // Requests of programs.
    if (verb === Verb.Post && origin === '' && site === Site.Unsaid && !(plain && (pageType || codec < 0))) return undefined
    const known = site === Site.Own || (origin !== '' && this.cors?.lists(origin) === true)
    if (!known && this.cors?.any !== true && (origin !== '' || site === Site.Foreign)) return foreign
    if (verb === Verb.Other) return otherMethod
    if (verb === Verb.Post && plain && !known && (codec < 0 || pageType)) {
      const type = codec < 0 ? 'a body without Content-Type' : fields.mediaType
      return { status: 415, cause: `${type} is what any web page can send: name another type, such as application/json`, lines: '' }
    }
    return undefined
  }
}
