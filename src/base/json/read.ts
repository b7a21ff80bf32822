import { innerKey, KEY_BYTES, keyBytes, keySizes, keyTexts, mayLearn, nextKey, slotOfBytes, slotOfText, storeOf } from './keys.ts'
import { setKnownMember } from './members.ts'

/** Returned by `readJson` for what JSON.parse must read. */
export const UNREAD: unique symbol = Symbol('unread')

/** Longest JSON that `readJson` reads, in bytes: beyond it JSON.parse is as fast. */
export const MAX_READ = 1024
/** Deepest nesting that `readJson` reads. */
const MAX_DEPTH = 32

const latin1Slice = Buffer.prototype.latin1Slice as (this: Uint8Array, start: number, end: number) => string
const utf8Slice = Buffer.prototype.utf8Slice as (this: Uint8Array, start: number, end: number) => string

/** Longest string that `substring` copies: a longer one would keep the text alive that it is a part of. */
const MAX_COPIED = 12
/** Digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15
const powers = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent)

let bytes: Uint8Array = new Uint8Array(0)
let at = 0
let limit = 0
/** The text of `textSource[textStart, textEnd)`, once a short string was met; `textStart` is -1 before. */
let text = ''
let textStart = -1
let textEnd = 0
let textSource: Uint8Array | undefined
/** Memory whose bytes up to `batchEnd` stay as they are until the next `beginBatch`. */
let batch: Uint8Array | undefined
let batchEnd = 0
/** Most bytes of text that are made at once. */
const MAX_TEXT = 2048

/**
 * Tells that bytes were received, in which bodies lie side by side: then one text serves several of them. Comes before
 * the first of them is read, and again before their memory is used for others.
 *
 * @param end where the bytes end in `source`; 0 when nothing is known
 */
export function beginBatch(source: Uint8Array, end: number): void {
  batch = source
  batchEnd = end
  textStart = -1
}

/**
 * Reads JSON out of `source[start, end)` as JSON.parse does of the same bytes as UTF-8, with U+FFFD for invalid ones.
 * Half the time of JSON.parse for the small objects that messages are, since it needs no string of the whole, knows
 * their keys, and stays in compiled JavaScript.
 *
 * @param maxDepth as `deeperThan` counts
 * @returns UNREAD when it is not surely valid, deeper than `maxDepth`, long, or unusual: then JSON.parse is to be asked
 */
export function readJson(source: Uint8Array, start: number, end: number, maxDepth: number): unknown {
  if (end - start > MAX_READ || !mayLearn()) return UNREAD
  bytes = source
  at = start
  limit = end
  if (source !== textSource || start < textStart || end > textEnd) textStart = -1
  const value = readValue(maxDepth < MAX_DEPTH ? maxDepth : MAX_DEPTH, 0)
  if (at !== end && (value === UNREAD || skipSpace() !== -1)) return UNREAD
  return value
}

/** The next byte; -1 at the end. */
function peek(): number {
  return at < limit ? bytes[at] : -1
}

/** Skips white space. Returns the next byte; -1 at the end. */
function skipSpace(): number {
  let c = peek()
  while (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) {
    at++
    c = peek()
  }
  return c
}

/**
 * @param depth how many levels of containers may follow
 * @param parent slot of the key whose value this is
 */
function readValue(depth: number, parent: number): unknown {
  let c = peek()
  if (c <= 0x20) c = skipSpace()
  if (c === 0x22) return readString()
  if (c === 0x7b) return depth === 0 ? UNREAD : readObject(depth - 1, parent)
  if (c === 0x5b) return depth === 0 ? UNREAD : readArray(depth - 1, parent)
  if (c <= 0x39) return readNumber(c)
  return readWord(c)
}

function readObject(depth: number, parent: number): unknown {
  const object: Record<string, unknown> = {}
  let previous = 0
  at++
  let c = peek()
  if (c <= 0x20) c = skipSpace()
  if (c === 0x7d) {
    at++
    return object
  }
  for (;;) {
    if (c !== 0x22) return UNREAD
    const slot = readKey(previous === 0 ? innerKey[parent] : nextKey[previous])
    if (slot === 0) return UNREAD
    if (previous === 0) innerKey[parent] = slot
    else nextKey[previous] = slot
    previous = slot
    const value = readValue(depth, slot)
    if (value === UNREAD) return UNREAD
    setKnownMember(object, storeOf(slot), keyTexts[slot], value)
    c = peek()
    if (c <= 0x20) c = skipSpace()
    at++
    if (c === 0x7d) return object
    if (c !== 0x2c) return UNREAD
    c = peek()
    if (c <= 0x20) c = skipSpace()
  }
}

/**
 * Reads a key and its colon.
 *
 * @param expected slot of the key that is likely
 * @returns its slot; 0 when there is none
 */
function readKey(expected: number): number {
  const size = keySizes[expected]
  const known = expected * KEY_BYTES
  if (expected !== 0 && at + size <= limit) {
    let i = 1
    while (i < size && bytes[at + i] === keyBytes[known + i]) i++
    if (i === size) {
      at += size
      return expected
    }
  }
  const start = at + 1
  let end = start
  for (; end < limit; end++) {
    const c = bytes[end]
    if (c === 0x22) break
    if (c < 0x20 || c > 0x7e || c === 0x5c) return 0
  }
  if (end >= limit) return 0
  at = end + 1
  if (skipSpace() !== 0x3a) return 0
  at++
  return slotOfBytes(bytes, start, end) || slotOfText(latin1Slice.call(bytes, start, end))
}

function readArray(depth: number, parent: number): unknown {
  at++
  let c = peek()
  if (c <= 0x20) c = skipSpace()
  if (c === 0x5d) {
    at++
    return []
  }
  // An array that `push` makes has room for 17 items, which takes longer than reading few.
  const first = readValue(depth, parent)
  if (!hasNext(first)) return ended ? [first] : UNREAD
  const second = readValue(depth, parent)
  if (!hasNext(second)) return ended ? [first, second] : UNREAD
  const third = readValue(depth, parent)
  if (!hasNext(third)) return ended ? [first, second, third] : UNREAD
  const array = [first, second, third]
  for (;;) {
    const item = readValue(depth, parent)
    const more = hasNext(item)
    if (!more && !ended) return UNREAD
    array.push(item)
    if (!more) return array
  }
}

/** Whether the array ended after the item for which `hasNext` returned false. */
let ended = false

/** Reads what follows an item of an array. False after the last item, and after what is not valid. */
function hasNext(item: unknown): boolean {
  ended = false
  if (item === UNREAD) return false
  let c = peek()
  if (c <= 0x20) c = skipSpace()
  at++
  ended = c === 0x5d
  return c === 0x2c
}

function readString(): unknown {
  const start = ++at
  for (; at < limit; at++) {
    const c = bytes[at]
    if (c === 0x22) return plainString(start, at++)
    if (c < 0x20 || c > 0x7e || c === 0x5c) return unusualString(start)
  }
  return UNREAD
}

function plainString(start: number, end: number): string {
  if (end - start > MAX_COPIED) return latin1Slice.call(bytes, start, end)
  if (textStart < 0) makeText(start)
  return text.substring(start - textStart, end - textStart)
}

/** Makes the text of the body from `start` on, and of those behind it in the same batch. */
function makeText(start: number): void {
  const shared = bytes === batch
  textStart = start
  textEnd = shared ? Math.max(limit, Math.min(batchEnd, start + MAX_TEXT)) : limit
  // Other memory may have changed at the next call.
  textSource = shared ? bytes : undefined
  text = latin1Slice.call(bytes, textStart, textEnd)
}

/** Reads a string that has escapes or is not ASCII, or none: JSON.parse tells. */
function unusualString(start: number): unknown {
  for (; at < limit; at++) {
    const c = bytes[at]
    if (c === 0x22) break
    if (c === 0x5c) at++
  }
  if (at >= limit) return UNREAD
  at++
  return parsed(utf8Slice.call(bytes, start - 1, at))
}

function readNumber(first: number): unknown {
  const start = at
  const negative = first === 0x2d
  let c = first
  if (negative) {
    at++
    c = peek()
  }
  let value = c - 0x30
  if (value < 0 || value > 9) return UNREAD
  at++
  c = peek()
  if (value !== 0) {
    // Nine digits fit into an int32, whatever they are.
    const ninth = at + 8
    while (c >= 0x30 && c <= 0x39 && at < ninth) {
      value = value * 10 + (c - 0x30)
      at++
      c = peek()
    }
  }
  if ((c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x65 || c === 0x45) return readLongNumber(start, value, negative)
  return negative ? -value : value
}

/** Goes on with a number of more than nine digits, or with a fraction or an exponent. */
function readLongNumber(start: number, begin: number, negative: boolean): unknown {
  let value = begin
  let digits = at - start
  let c = peek()
  // No digit may follow a zero.
  while (begin !== 0 && c >= 0x30 && c <= 0x39) {
    value = value * 10 + (c - 0x30)
    digits++
    at++
    c = peek()
  }
  if (c === 0x2e) {
    const point = at++
    c = peek()
    while (c >= 0x30 && c <= 0x39) {
      value = value * 10 + (c - 0x30)
      digits++
      at++
      c = peek()
    }
    const decimals = at - point - 1
    // One division of exact numbers is rounded as the decimal itself.
    if (decimals > 0 && digits <= EXACT_DIGITS && c !== 0x65 && c !== 0x45) {
      value /= powers[decimals]
      return negative ? -value : value
    }
  } else if (digits <= EXACT_DIGITS && c !== 0x65 && c !== 0x45) {
    return negative ? -value : value
  }
  while ((c >= 0x30 && c <= 0x39) || c === 0x2b || c === 0x2d || c === 0x65 || c === 0x45 || c === 0x2e) {
    at++
    c = peek()
  }
  return parsed(latin1Slice.call(bytes, start, at))
}

function readWord(c: number): unknown {
  if (c === 0x74 && follows(0x72, 0x75, 0x65)) {
    at += 4
    return true
  }
  if (c === 0x6e && follows(0x75, 0x6c, 0x6c)) {
    at += 4
    return null
  }
  if (c === 0x66 && follows(0x61, 0x6c, 0x73) && at + 4 < limit && bytes[at + 4] === 0x65) {
    at += 5
    return false
  }
  return UNREAD
}

function follows(a: number, b: number, c: number): boolean {
  return at + 3 < limit && bytes[at + 1] === a && bytes[at + 2] === b && bytes[at + 3] === c
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return UNREAD
  }
}
