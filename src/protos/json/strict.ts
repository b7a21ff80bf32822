import type { Limits } from '../../base/limits.ts'
import { JsonScanner } from '../../base/text/json-scan.ts'
import type { Incoming } from '../../message/message.ts'
import { ProtoError } from '../proto.ts'
import { OUT_OF_RANGE, setMeta, setNumbers, setStatus } from './fields.ts'

/** The members of a document; of repeated ones the last counts. */
class Members {
  type = 0
  seq = 0
  codec = 0
  method = ''
  /** Status JSON; undefined when the member was neither text nor an object. */
  status: string | undefined = ''
  meta: string | undefined = ''
  body = ''
}

/**
 * Reads a document of any layout (docs/spec/wire.md#json): strict JSON, members in any order, unknown ones ignored,
 * absent and null ones zero. As in Go, numbers may be strings, and status and meta objects. Invalid UTF-8 becomes
 * U+FFFD.
 *
 * @throws ProtoError when it is no JSON or a field is out of range
 */
export function unpackStrict(bytes: Buffer, start: number, end: number, limits: Readonly<Limits>, message: Incoming): void {
  const json = new JsonScanner(bytes.toString('utf8', start, end), false)
  const members = new Members()
  if (!object(json, members, limits.maxDepth) || !Number.isNaN(json.peek()))
    throw new ProtoError('not a JSON document of the json protocol')
  setNumbers(message, members.type, members.seq, members.codec)
  setStatus(message, members.status, limits)
  setMeta(message, members.meta, limits)
  if (members.method !== '') message.method = members.method
  if (members.body !== '') message.setBody(Buffer.from(members.body))
}

function object(json: JsonScanner, members: Members, maxDepth: number): boolean {
  if (!json.take(0x7b)) return false
  if (json.take(0x7d)) return true
  do {
    const key = json.key()
    if (key === undefined || !member(json, key, members, maxDepth - 1)) return false
  } while (json.take(0x2c))
  return json.take(0x7d)
}

/**
 * Reads one member.
 *
 * @returns false when the value is no JSON, or of a kind that the member cannot be
 */
function member(json: JsonScanner, key: string, members: Members, maxDepth: number): boolean {
  switch (key) {
    case 'seq':
      return (members.seq = integer(json)) !== NONE
    case 'mtype':
      return (members.type = integer(json)) !== NONE
    case 'bodyCodec':
      return (members.codec = integer(json)) !== NONE
    case 'serviceMethod':
    case 'body': {
      const text = json.word('null') ? '' : json.string()
      if (text === undefined) return false
      if (key === 'body') members.body = text
      else members.method = text
      return true
    }
    case 'status':
    case 'meta': {
      const at = json.at
      members[key] = embedded(json, maxDepth)
      return json.at !== at
    }
    default:
      return json.skip(maxDepth)
  }
}

/** A value that stands for something that is no number. */
const NONE = OUT_OF_RANGE + 1

/** Reads a number, also within a string; `OUT_OF_RANGE` when it is no int32. */
function integer(json: JsonScanner): number {
  if (json.word('null')) return 0
  const text = json.peek() === 0x22 ? json.string() : json.number()
  if (text === undefined) return NONE
  if (!/^-?[0-9]{1,10}$/.test(text)) return OUT_OF_RANGE
  const value = Number(text)
  return (value | 0) === value ? value | 0 : OUT_OF_RANGE
}

/**
 * Reads the JSON within a string, or the exact text of an object in its place. At anything else `json` stays where it
 * is.
 */
function embedded(json: JsonScanner, maxDepth: number): string | undefined {
  const before = json.at
  const first = json.peek()
  if (first === 0x22) {
    const text = json.string()
    if (text === undefined) json.at = before
    return text
  }
  if (json.word('null')) return ''
  const start = json.at
  if (!json.skip(maxDepth)) {
    json.at = before
    return undefined
  }
  return first === 0x7b ? json.text.slice(start, json.at) : undefined
}
