/** The HTTP request that a WebSocket began with. */
export interface UpgradeRequest {
  /** Path as it was sent, without the query. */
  readonly path: string
  /** The query, decoded. */
  readonly query: URLSearchParams
  /** Header fields by name in lower case, without a prototype. Values of repeated ones are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Sub-protocols that were asked for. */
  readonly subprotocols: readonly string[]
  /** Address of the peer: `host:port`. Behind a proxy that of the proxy. */
  readonly remoteAddress: string
}

/** A request of which only text is kept until somebody looks at its parts: sessions live long, and few ask. */
export class ReceivedRequest implements UpgradeRequest {
  readonly path: string
  readonly subprotocols: readonly string[]
  readonly remoteAddress: string
  readonly #search: string
  /** Names and values in turn, one a line: their syntax has no line feed. */
  readonly #fields: string
  #query: URLSearchParams | undefined = undefined
  #headers: Readonly<Record<string, string>> | undefined = undefined

  /** @param fields which `headersOf` takes */
  constructor(path: string, search: string, fields: readonly string[], subprotocols: readonly string[], remoteAddress: string) {
    this.path = path
    this.#search = search
    this.#fields = fields.join('\n')
    this.subprotocols = subprotocols
    this.remoteAddress = remoteAddress
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search)
    return this.#query
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= headersOf(this.#fields.split('\n')) as Record<string, string>
    return this.#headers
  }
}

/** Header fields that may be there once: with several, servers and proxies could see different ones. */
const single = new Set([
  'host',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-accept',
  'content-length',
  'upgrade',
])

/**
 * Collects header fields.
 *
 * @param pairs names and values in turn
 * @returns undefined when a field is repeated that must not be
 */
export function headersOf(pairs: readonly string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = Object.create(null)
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = pairs[i].toLowerCase()
    const before = headers[name]
    if (before !== undefined && single.has(name)) return undefined
    headers[name] = before === undefined ? pairs[i + 1] : `${before}, ${pairs[i + 1]}`
  }
  return headers
}

/** The elements of a list of tokens in a header field. */
export function listOf(value: string | undefined): string[] {
  if (value === undefined) return []
  return value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '')
}

/** Whether a list of tokens has this one, in any case. */
export function hasToken(value: string | undefined, token: string): boolean {
  return listOf(value).some((element) => element.toLowerCase() === token)
}
