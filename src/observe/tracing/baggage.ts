import { type Baggage, type BaggageEntry, baggageEntryMetadataFromString, propagation } from '@opentelemetry/api'

/** Limits of the baggage of one message, received and sent. What is beyond them is left out. */
const MAX_BYTES = 8192
const MAX_MEMBERS = 64

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Printable ASCII without spaces, quotes, commas, semicolons and backslashes. */
const plainValue = /^[!#-+\--:<-[\]-~]*$/

/**
 * Reads W3C baggage. Members that break its grammar are left out, the others are kept.
 *
 * @returns undefined for none
 */
export function readBaggage(text: string | undefined): Baggage | undefined {
  if (text === undefined || text === '' || text.length > MAX_BYTES) return undefined
  const entries: Record<string, BaggageEntry> = Object.create(null)
  let count = 0
  for (const member of text.split(',', MAX_MEMBERS)) {
    const end = member.indexOf(';')
    const pair = (end < 0 ? member : member.slice(0, end)).trim()
    const equals = pair.indexOf('=')
    const key = pair.slice(0, equals).trimEnd()
    const value = decoded(pair.slice(equals + 1).trimStart())
    if (equals < 0 || !token.test(key) || value === undefined) continue
    const properties = end < 0 ? '' : member.slice(end + 1).trim()
    entries[key] = properties === '' ? { value } : { value, metadata: baggageEntryMetadataFromString(properties) }
    count++
  }
  return count === 0 ? undefined : propagation.createBaggage({ ...entries })
}

/** Writes baggage with percent-encoded values; undefined for none. */
export function writeBaggage(baggage: Baggage | undefined): string | undefined {
  let text = ''
  let count = 0
  for (const [key, { value, metadata }] of baggage?.getAllEntries() ?? []) {
    if (count === MAX_MEMBERS) break
    if (!token.test(key)) continue
    const properties = metadata?.toString()
    const member = `${key}=${encodeURIComponent(String(value).toWellFormed())}${isPlain(properties) ? `;${properties}` : ''}`
    if (text.length + member.length + 1 > MAX_BYTES) continue
    text += count++ === 0 ? member : `,${member}`
  }
  return text === '' ? undefined : text
}

function isPlain(properties: string | undefined): boolean {
  return properties !== undefined && properties !== '' && /^[!-+\--~ ]*$/.test(properties)
}

function decoded(value: string): string | undefined {
  if (!plainValue.test(value)) return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
