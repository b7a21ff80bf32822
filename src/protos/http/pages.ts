import { Cors, type CorsOption } from './cors.ts'
import type { Fields } from './fields.ts'
import { Site } from './site.ts'

/** Which web pages may call: those that `cors` lets, or any. */
export type PagesOption = 'cors' | 'any'

/** A request's method, as far as it makes a difference. */
export const Verb = { Post: 0, Get: 1, Head: 2, Options: 3, Connect: 4, Other: 5 } as const
export type Verb = (typeof Verb)[keyof typeof Verb]

/** Methods that some route may take. */
export const ALLOWED = 'Allow: GET, HEAD, OPTIONS, POST\r\n'
/** Those of a route with effects. */
export const ALLOWED_UNSAFE = 'Allow: OPTIONS, POST\r\n'

/** Of a method that the parser knows, so that its length and first letter tell. */
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

/** Why a request is not served, before anything runs: an HTTP status and the cause. */
export interface Denial {
  readonly status: number
  readonly cause: string
  /** Header lines. */
  readonly lines: string
}

const foreign: Denial = { status: 403, cause: 'pages of this origin may not call (option cors)', lines: '' }
const otherMethod: Denial = { status: 405, cause: 'calls are POST, or GET of routes that are registered as safe', lines: ALLOWED }

/**
 * Whether the page of a web site that has a browser send requests here may do so. A browser sends to any address whatever HTML can make it
 * send: GET, and POST of a form's types. It asks first (OPTIONS) before it sends anything else to another origin, and says in `Origin` and
 * `Sec-Fetch-Site` who wants it. So what could come from any page unasked runs nothing, whether or not it bears a mark of a page: old browsers
 * leave `Origin` out, and none sends `Sec-Fetch-Site` to an address that is neither HTTPS nor of this machine. An `Origin` that equals `Host`
 * proves nothing, since a site's name may be made to lead here.
 */
export class Pages {
  /** Undefined: no page of another origin. */
  readonly cors: Cors | undefined
  /** Everything is served, as if there were no browsers. */
  readonly any: boolean

  /** @throws TypeError */
  constructor(pages: PagesOption = 'cors', cors: CorsOption | undefined) {
    if (pages !== 'cors' && pages !== 'any') throw new TypeError(`option pages must be 'cors' or 'any', got ${JSON.stringify(pages)}`)
    this.any = pages === 'any'
    this.cors = cors === undefined ? undefined : new Cors(cors)
  }

  /** @param plain without X-Seq, a header for which a browser asks first */
  denial(verb: Verb, plain: boolean, fields: Fields): Denial | undefined {
    if (this.any || verb === Verb.Options) return undefined
    const { origin, site, pageType, codec } = fields
    // What programs send.
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
