import { badMessage } from '../../base/errors/status.ts'
import { isPlainKey, KEY_BYTES, keyBytes, keySizes, mayLearn, slotOfBytes, slotOfText } from '../../base/json/keys.ts'
import { MAX_CONTAINERS } from '../../base/limits.ts'
import { readText } from '../protobuf/text.ts'

// Reads the bytes of one body in order. No length is acted on before its bytes are known to be there, and no result
// refers to borrowed memory. All functions throw StatusError 400. The state is the module's, since one body is read at
// a time and V8 reaches it faster than fields.

let bytes: Buffer = Buffer.alloc(0)
let at = 0
let limit = 0
let codec = ''
let maxDepth = 0
let containers = 0
/** Whether keys may be learnt from this body (base/json/keys.ts). */
export let learning = false

/**
 * Begins with `source[start, end)`.
 * @param name name of the codec, for error texts
 * @param depth most levels of arrays, maps and tags
 */
export function beginBody(name: string, source: Buffer, start: number, end: number, depth: number): void {
  bytes = source
  at = start
  limit = end
  codec = name
  maxDepth = depth
  containers = 0
  learning = mayLearn()
}

export function endBody(): void {
  if (at !== limit) refuse(`${limit - at} bytes after the value`)
}

/** Returns what `call` returns, which may read other bodies; then this one goes on. */
export function aside<T>(call: () => T): T {
  const [before, place, end, name, depth, count, learns] = [bytes, at, limit, codec, maxDepth, containers, learning]
  const value = call()
  bytes = before
  at = place
  limit = end
  codec = name
  maxDepth = depth
  containers = count
  learning = learns
  return value
}

export function refuse(reason: string): never {
  throw badMessage(`${codec}: ${reason}`)
}

function cutOff(): never {
  refuse('the body is cut off')
}

/** Throws unless `size` more bytes follow. */
export function requireLeft(size: number): void {
  if (size > limit - at) cutOff()
}

/**
 * Counts an array, a map or a tag that begins inside of `depth` others.
 * @param items number of items that must follow, each at least a byte long
 */
export function open(depth: number, items: number): void {
  if (depth >= maxDepth) refuse(`nests deeper than ${maxDepth}`)
  if (items > limit - at) cutOff()
  if (++containers > MAX_CONTAINERS) refuse(`more than ${MAX_CONTAINERS} arrays and maps`)
}

/** The next byte, which is not consumed. */
export function peek(): number {
  if (at >= limit) cutOff()
  return bytes[at]
}

export function u8(): number {
  if (at >= limit) cutOff()
  return bytes[at++]
}

export function u16(): number {
  if (limit - at < 2) cutOff()
  at += 2
  return (bytes[at - 2] << 8) | bytes[at - 1]
}

export function u32(): number {
  return i32() >>> 0
}

export function i32(): number {
  if (limit - at < 4) cutOff()
  at += 4
  return (bytes[at - 4] << 24) | (bytes[at - 3] << 16) | (bytes[at - 2] << 8) | bytes[at - 1]
}

/** An unsigned integer of 64 bits; a BigInt where a number would lose digits. */
export function u64(): number | bigint {
  requireLeft(8)
  const high = u32()
  const low = u32()
  return high < 0x20_0000 ? high * 2 ** 32 + low : bytes.readBigUInt64BE(at - 8)
}

export function i64(): number | bigint {
  requireLeft(8)
  const value = i32() * 2 ** 32 + u32()
  return Number.isSafeInteger(value) ? value : bytes.readBigInt64BE(at - 8)
}

export function f32(): number {
  requireLeft(4)
  at += 4
  return bytes.readFloatBE(at - 4)
}

const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

export function f64(): number {
  if (limit - at < 8) cutOff()
  at += 8
  // Written out: a loop takes about 10 ns more.
  scratchBytes[0] = bytes[at - 8]
  scratchBytes[1] = bytes[at - 7]
  scratchBytes[2] = bytes[at - 6]
  scratchBytes[3] = bytes[at - 5]
  scratchBytes[4] = bytes[at - 4]
  scratchBytes[5] = bytes[at - 3]
  scratchBytes[6] = bytes[at - 2]
  scratchBytes[7] = bytes[at - 1]
  return scratch.getFloat64(0)
}

/** `size` bytes as UTF-8 text; invalid bytes become U+FFFD, as in json. */
export function textOf(size: number): string {
  if (size > limit - at) cutOff()
  const start = at
  at += size
  return readText(bytes, start, at, false)
}

/** A copy of the next `size` bytes. */
export function bytesOf(size: number): Uint8Array {
  if (size > limit - at) cutOff()
  at += size
  return new Uint8Array(bytes.subarray(at - size, at))
}

/** Copies the next `size` bytes to `target` at `to`. Requires room for them. */
export function copyTo(target: Buffer, to: number, size: number): void {
  requireLeft(size)
  bytes.copy(target, to, at, at + size)
  at += size
}

/**
 * Reads a key if it is one of those that are remembered, or can be. Its head is one byte, `head` plus its size.
 * @param expected slot of the key that is likely
 * @param most largest size with such a head
 * @returns its slot; 0 when it is another item, which is not consumed
 */
export function readKey(expected: number, head: number, most: number): number {
  const size = keySizes[expected] - 3
  if (size >= 0 && size <= most && at + size < limit && bytes[at] === head + size) {
    const known = expected * KEY_BYTES
    let i = 1
    while (i <= size && bytes[at + i] === keyBytes[known + i]) i++
    if (i > size) {
      at += i
      return expected
    }
  }
  return otherKey(head, most)
}

function otherKey(head: number, most: number): number {
  const size = at < limit ? bytes[at] - head : -1
  const start = at + 1
  const end = start + size
  if (size < 0 || size > most || end > limit) return 0
  let slot = slotOfBytes(bytes, start, end)
  if (slot === 0) {
    const key = readText(bytes, start, end, false)
    if (isPlainKey(key)) slot = slotOfText(key)
  }
  if (slot !== 0) at = end
  return slot
}

/** Sets an own property, whatever its name. Of a repeated key the last wins. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}
