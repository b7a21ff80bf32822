import { deflateSync, inflateSync } from 'node:zlib'

/** The payload of a node's TXT record. */
export interface TxtPayload {
  readonly service: string
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
}

/** Longest TXT string, whose length is one byte. */
const MAX_STRING = 255
/** Largest payload as JSON, in bytes. What it is packed into may be a thousand times smaller. */
const MAX_JSON = 16_384

/** TXT strings of a payload in Go's dialect: hex of zlib of JSON, with capitalised keys in this order. */
export function encodeTxt({ service, version, metadata }: TxtPayload): string[] {
  const json = JSON.stringify({ Service: service, Version: version, Metadata: metadata })
  if (Buffer.byteLength(json) > MAX_JSON) throw new TypeError(`version and metadata of a node take more than ${MAX_JSON} bytes`)
  const hex = deflateSync(json).toString('hex')
  const strings: string[] = []
  for (let i = 0; i < hex.length; i += MAX_STRING) strings.push(hex.slice(i, i + MAX_STRING))
  return strings
}

/**
 * The payload of TXT strings, which anybody may have sent; undefined for all that is none.
 * @param hex the strings, joined
 */
export function decodeTxt(hex: string): TxtPayload | undefined {
  const packed = Buffer.from(hex, 'hex')
  // The conversion stops silently at the first character that is none.
  if (packed.length === 0 || packed.length * 2 !== hex.length) return undefined
  try {
    const json = inflateSync(packed, { maxOutputLength: MAX_JSON }).toString()
    return read(JSON.parse(json))
  } catch {
    return undefined
  }
}

/** Like Go's decoder, which fails for values of other types, and takes null for none. */
function read(value: unknown): TxtPayload | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { Service: service, Version: version, Metadata: metadata } = value as Record<string, unknown>
  if (typeof service !== 'string' || typeof version !== 'string') return undefined
  if (metadata === null || metadata === undefined) return { service, version, metadata: {} }
  if (typeof metadata !== 'object' || Array.isArray(metadata)) return undefined
  const entries = Object.entries(metadata as object)
  if (entries.some(([, text]) => typeof text !== 'string')) return undefined
  // Defines each key, so that `__proto__` is a key like any other.
  return { service, version, metadata: Object.fromEntries(entries) as Record<string, string> }
}
