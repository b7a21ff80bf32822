import { badMessage } from '../base/errors/status.ts'
import { MAX_COMMAND_ELEMENTS } from '../base/limits.ts'
import { hasMark, marked, markOf } from '../base/mark.ts'
import type { MessageType } from '../message/message-type.ts'
import type { Codec } from './codec.ts'
import { isRecord, kindOf, represented } from './record.ts'

/**
 * Arguments of redis commands and replies to them (RESP2), for the protocol of the same name. Its two directions are
 * not each other's reverse: a server reads arguments and writes replies. Go's codec has base64 in between, which never
 * leaves its process.
 *
 * - Decodes the arguments of a command to a list of texts, with U+FFFD for invalid UTF-8; with `{ arg: redisBuffers }`
 *   to a list of Buffers.
 * - Encodes text and Uint8Arrays (bulk strings), `simple('OK')`, whole numbers and booleans (integers), null and
 *   undefined (null), lists and sets of all of these (arrays), objects and maps (arrays of keys and values in turn,
 *   maps in RESP3). Numbers with a fraction are text, as in redis. `toJSON` counts as in JSON.
 */
export const redisCodec: Codec = {
  id: 0x72,
  name: 'redis',

  encode(value) {
    if (typeof value === 'string') return bulk(value)
    const reply = new Reply()
    reply.add(represented(value, ''), 0)
    return reply.finish()
  },

  decode(buffer, start, end, _hint, _limits, type) {
    const list: unknown[] = []
    const asBuffers = type !== undefined && hasMark(type, asBuffersMark)
    for (let at = skipHeader(buffer, start, end); at < end; ) {
      const line = lineEnd(buffer, at + 1, end)
      const size = buffer[at] === DOLLAR ? decimal(buffer, at + 1, line) : -1
      const next = line + 2 + size + 2
      if (size < 0 || next > end || list.length === MAX_COMMAND_ELEMENTS) throw badMessage('redis: these are no arguments of a command')
      list.push(asBuffers ? Buffer.from(buffer.subarray(line + 2, next - 2)) : buffer.toString('utf8', line + 2, next - 2))
      at = next
    }
    return list
  },
}

const asBuffersMark = markOf('redisBuffers')

/**
 * The type of a redis route that receives its arguments as Buffers: `routeCall('/redis/set', handler, { arg:
 * redisBuffers })`.
 */
export const redisBuffers: MessageType<Buffer[]> = Object.freeze({
  [asBuffersMark]: true,
  encode(): never {
    throw new TypeError('redisBuffers is a type of arguments only')
  },
  decode: (body: Uint8Array) => [Buffer.from(body)],
})

/** A redis reply that is a status line, made by `simple('OK')`. */
export class SimpleString {
  /** The line, without its `+` and line end. */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  static {
    marked(SimpleString, 'SimpleString')
  }
}

/**
 * A redis reply that is a status line, such as `simple('OK')`.
 * @param text one line
 * @throws TypeError for text with a line break, which would be read as further replies, and for no text
 */
export function simple(text: string): SimpleString {
  if (typeof text !== 'string' || /[\r\n]/.test(text)) throw new TypeError('redis: a simple string is text on one line')
  return new SimpleString(text)
}

/**
 * An encoded reply that contains bytes. A class of its own, because any other Uint8Array is a value and becomes a bulk
 * string.
 */
export class EncodedReply extends Uint8Array {
  /** Numbers of the arrays, in the order they begin, that are objects: maps in RESP3. Undefined for none. */
  maps: ReadonlySet<number> | undefined
}

/** Deepest nesting of a reply: other codecs read no deeper by default. */
const MAX_DEPTH = 128

/** A reply that is being written: kept as text until bytes occur in it. */
class Reply {
  #text = ''
  #parts: Uint8Array[] | undefined
  #arrays = 0
  #maps: Set<number> | undefined

  add(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) throw new TypeError(`redis: a reply nests deeper than ${MAX_DEPTH}`)
    if (value instanceof Uint8Array) this.#addBytes(value)
    else if (Array.isArray(value)) this.#addList(value, value.length, depth)
    else if (value instanceof Set) this.#addList(value, value.size, depth)
    else if (value instanceof Map) this.#addMembers([...value], depth)
    else if (isRecord(value) && !(value instanceof SimpleString)) this.#addMembers(Object.entries(value), depth)
    else this.#text += scalar(value)
  }

  finish(): string | EncodedReply {
    if (this.#parts === undefined && this.#maps === undefined) return this.#text
    const all = Buffer.concat([...(this.#parts ?? []), Buffer.from(this.#text)])
    const reply = new EncodedReply(all.buffer, all.byteOffset, all.length)
    reply.maps = this.#maps
    return reply
  }

  #addList(values: Iterable<unknown>, size: number, depth: number): void {
    this.#text += `*${size}\r\n`
    this.#arrays++
    let i = 0
    for (const value of values) this.add(represented(value, i++), depth + 1)
  }

  #addMembers(members: readonly (readonly [key: unknown, value: unknown])[], depth: number): void {
    this.#text += `*${members.length * 2}\r\n`
    this.#maps ??= new Set()
    this.#maps.add(this.#arrays++)
    for (const [key, value] of members) {
      this.add(key, depth + 1)
      this.add(represented(value, String(key)), depth + 1)
    }
  }

  #addBytes(value: Uint8Array): void {
    this.#parts ??= []
    this.#parts.push(Buffer.from(`${this.#text}$${value.length}\r\n`), value)
    this.#text = '\r\n'
  }
}

function scalar(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return bulk(value)
    case 'number':
      return Number.isSafeInteger(value) ? `:${value}\r\n` : bulk(`${value}`)
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? `:${value}\r\n` : bulk(`${value}`)
    case 'boolean':
      return value ? ':1\r\n' : ':0\r\n'
    case 'undefined':
      return '$-1\r\n'
  }
  if (value === null) return '$-1\r\n'
  if (value instanceof SimpleString) return `+${value.text}\r\n`
  throw new TypeError(`redis cannot encode ${kindOf(value)}`)
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

const ASTERISK = 0x2a
const DOLLAR = 0x24
const CR = 0x0d

/** Skips the array header of the arguments, if there is one: the number of arguments is counted instead. */
function skipHeader(buffer: Buffer, start: number, end: number): number {
  return start < end && buffer[start] === ASTERISK ? lineEnd(buffer, start, end) + 2 : start
}

/** The index of the CR that ends a short line, or `end`. */
function lineEnd(buffer: Buffer, start: number, end: number): number {
  const last = Math.min(end, start + 24)
  for (let at = start; at < last; at++) if (buffer[at] === CR) return at
  return end
}

function decimal(buffer: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = buffer[at] - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return end > start ? value : -1
}
