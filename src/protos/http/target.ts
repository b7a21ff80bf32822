import { isUtf8 } from 'node:buffer'
import { CloseReason } from '../../message/close-reason.ts'
import { findName } from '../../message/names.ts'
import type { Refuse } from './refusal.ts'

/** The parsed target of a request. */
export interface Target {
  /** Id of the service method, as `Incoming.route`. */
  route: number
  method: string | undefined
  /** Query parameters, of equal ones the last; undefined when there are none. */
  query: Map<string, string> | undefined
}

/**
 * Parses the request target `bytes[start, end)`: the percent-decoded path is the service method, the query parameters
 * are meta (docs/spec/go-defects.md W7). Of `http://host/path` only the path counts. Go sends UTF-8 unescaped.
 */
export function readTarget(bytes: Buffer, start: number, end: number, maxPairs: number, into: Target, refuse: Refuse): void {
  const from = bytes[start] === 0x2f ? start : pathOf(bytes, start, end)
  let escaped = false
  let stop = from
  for (; stop < end && bytes[stop] !== 0x3f; stop++) {
    if (bytes[stop] === 0x25) escaped = true
    else if (bytes[stop] === 0x23) throw refuse(400, 'a fragment in the request target')
  }
  into.query = stop + 1 < end ? readQuery(utf8(bytes, stop + 1, end, refuse), maxPairs, refuse) : undefined
  into.route = escaped || from === stop ? -1 : findName(bytes, from, stop)
  if (into.route >= 0) into.method = undefined
  else if (from === stop) into.method = '/'
  else into.method = decode(utf8(bytes, from, stop, refuse), refuse)
}

function utf8(bytes: Buffer, start: number, end: number, refuse: Refuse): string {
  const text = bytes.toString('utf8', start, end)
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) throw refuse(400, 'a request target that is not UTF-8')
  return text
}

/** Start of the path after `scheme://authority`; `*` is its own path. */
function pathOf(bytes: Buffer, start: number, end: number): number {
  const scheme = bytes.indexOf('://', start, 'latin1')
  if (scheme < 0 || scheme >= end) return start
  let at = scheme + 3
  while (at < end && bytes[at] !== 0x2f && bytes[at] !== 0x3f) at++
  return at
}

function readQuery(text: string, maxPairs: number, refuse: Refuse): Map<string, string> | undefined {
  if (text.includes('#')) throw refuse(400, 'a fragment in the request target')
  const query = new Map<string, string>()
  const pairs = text.split('&', maxPairs + 1)
  if (pairs.length > maxPairs) throw refuse(431, 'too many header fields and query parameters', CloseReason.Meta)
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = formDecode(equals < 0 ? pair : pair.slice(0, equals), refuse)
    if (name === '') continue
    query.set(name, equals < 0 ? '' : formDecode(pair.slice(equals + 1), refuse))
  }
  return query.size === 0 ? undefined : query
}

function formDecode(text: string, refuse: Refuse): string {
  return decode(text.includes('+') ? text.replaceAll('+', ' ') : text, refuse)
}

function decode(text: string, refuse: Refuse): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse(400, 'a percent sign that begins no UTF-8')
  }
}
