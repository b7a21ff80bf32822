/** Origins whose pages may call this endpoint from a browser: every origin, or those of a list. */
export type CorsOption = '*' | readonly string[]

/** Handles cross-origin requests of browsers (the Fetch standard's CORS protocol). */
export class Cors {
  readonly #origins: ReadonlySet<string> | undefined

  constructor(option: CorsOption) {
    if (option !== '*' && !Array.isArray(option)) throw new TypeError(`cors must be '*' or a list of origins`)
    if (option !== '*') for (const each of option) if (!isOrigin(each)) throw new TypeError(badOrigin(each))
    this.#origins = option === '*' ? undefined : new Set(option)
  }

  /** Whether pages of every origin may call. */
  get any(): boolean {
    return this.#origins === undefined
  }

  /** Whether the origin is in the list. */
  lists(origin: string): boolean {
    return this.#origins?.has(origin) === true
  }

  /** Header lines for a reply to a request from `origin`; '' for a request without one. */
  lines(origin: string): string {
    const expose = 'Access-Control-Expose-Headers: *\r\n'
    if (this.#origins === undefined) return `Access-Control-Allow-Origin: *\r\n${expose}`
    // A cache must know that the reply depends on the origin, even when the origin was refused.
    return this.#origins.has(origin) ? `Access-Control-Allow-Origin: ${origin}\r\nVary: Origin\r\n${expose}` : 'Vary: Origin\r\n'
  }

  /** Further header lines for the reply to a preflight request from `origin`. */
  preflight(origin: string, askedHeaders: string): string {
    if (!this.any && !this.lists(origin)) return ''
    // The parser rejects control characters, so the requested headers can be repeated safely.
    const headers = askedHeaders === '' ? '' : `Access-Control-Allow-Headers: ${askedHeaders}\r\n`
    return `Access-Control-Allow-Methods: GET, HEAD, POST\r\n${headers}Access-Control-Max-Age: 600\r\n`
  }
}

/**
 * Whether `text` is an origin as browsers write it: in lower case, without a default port, path or trailing slash.
 * `null`, the origin of sandboxed pages, could be any page's.
 */
function isOrigin(text: unknown): boolean {
  if (typeof text !== 'string' || !/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\]+$/.test(text) || !URL.canParse(text)) return false
  const { origin } = new URL(text)
  return origin === text || origin === 'null' // schemes that only their browsers know, such as those of extensions
}

function badOrigin(given: unknown): string {
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 64)) : typeof given
  return `option cors: each must be an origin such as 'https://a.example', without a path or a slash behind it, got ${shown}`
}
