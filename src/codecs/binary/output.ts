import { innerKey, isPlainKey, KEY_BYTES, keyBytes, keySizes, keyTexts, mayLearn, nextKey, slotOfText } from '../../base/json/keys.ts'

// Writes the bytes of one body: either into memory that grows (`encoded`), or in place (`writtenTo`). The state is the
// module's, since one body is written at a time and V8 reaches it faster than fields. Positions are passed on and
// returned; -1 stands for no room, which is only so in place.

/** Largest buffer, in bytes, that is kept for the next message. */
const MAX_KEPT = 256 * 1024
const FIRST = 1024

/** Bytes that a writer may want without asking again: a key, a number, the head of a text. */
export const ROOM = KEY_BYTES + 16
/** Longest text, in UTF-16 units, for which a loop is faster than a call into Node's C++. */
const SHORT = 40

/** Number of values that are encoded after one that was too large to be written in place: others may be, too. */
const PAUSE = 15
let pause = 0

export let target: Buffer = Buffer.alloc(0)
/** Where the room ends. */
export let end = 0
let grows = false

/** Writes a value at a position and returns where it ends, or -1. With a negative `parent` no keys may be learnt. */
type WriteRoot = (value: unknown, at: number, parent: number) => number

const { utf8Write } = Buffer.prototype as unknown as { utf8Write(this: Buffer, text: string, at: number): number }

/**
 * The buffer of the last message. Taken out while in use, so that a message inside of another, made by a getter, has a
 * buffer of its own.
 */
let spare: Buffer | undefined

/** Views of the beginning of `spare`, by size: making one takes as long as writing a small message. */
let viewed: Buffer | undefined
let views: (Buffer | undefined)[] = []
const VIEWS = 256

/** The bytes that `write` writes; valid until this is called again. */
export function encoded(write: WriteRoot, value: unknown): Uint8Array {
  const before = target
  const limit = end
  const grew = grows
  const first = spare ?? Buffer.allocUnsafeSlow(FIRST)
  spare = undefined
  target = first
  end = first.length
  grows = true
  try {
    const size = write(value, 0, mayLearn() ? 0 : -1)
    return keep(target, size)
  } finally {
    target = before
    end = limit
    grows = grew
  }
}

function keep(buffer: Buffer, size: number): Uint8Array {
  if (size > MAX_KEPT) return buffer.subarray(0, size)
  spare = buffer
  if (buffer !== viewed) {
    viewed = buffer
    views = new Array(VIEWS).fill(undefined)
  }
  if (size >= VIEWS) return buffer.subarray(0, size)
  return (views[size] ??= buffer.subarray(0, size))
}

/** Lets `write` write into `into[at, room)`, as `Codec.write` does. */
export function writtenTo(write: WriteRoot, value: unknown, into: Buffer, at: number, room: number): number {
  if (pause > 0) {
    pause--
    return -1
  }
  const before = target
  const limit = end
  const grew = grows
  target = into
  end = room
  grows = false
  try {
    const after = write(value, at, mayLearn() ? 0 : -1)
    if (after < 0 && typeof value !== 'string') pause = PAUSE
    return after
  } finally {
    target = before
    end = limit
    grows = grew
  }
}

/** Makes room for `size` bytes behind `at`; false when there cannot be. */
export function makeRoom(at: number, size: number): boolean {
  if (at + size <= end) return true
  if (!grows) return false
  const larger = Buffer.allocUnsafeSlow(Math.max(at + size, 2 * target.length))
  larger.set(target.subarray(0, at))
  target = larger
  end = larger.length
  return true
}

/**
 * The slot of a key that is to be written; 0 when it is none that is remembered.
 * @param previous slot of the key before it; 0 for none
 * @param parent slot of the key whose value the object is; negative when no keys may be learnt
 */
export function slotOfKey(key: string, previous: number, parent: number): number {
  if (parent < 0) return 0
  const expected = previous === 0 ? innerKey[parent] : nextKey[previous]
  return keyTexts[expected] === key && keySizes[expected] !== 0 ? expected : learnKey(key, previous, parent)
}

function learnKey(key: string, previous: number, parent: number): number {
  const slot = isPlainKey(key) ? slotOfText(key) : 0
  if (previous === 0) innerKey[parent] = slot
  else nextKey[previous] = slot
  return slot
}

/** Writes the key of a slot after its head, one byte: `head` plus its size. Requires room for both. */
export function putKey(slot: number, head: number, start: number): number {
  const size = keySizes[slot] - 3
  const key = slot * KEY_BYTES + 1
  target[start] = head + size
  const at = start + 1
  for (let i = 0; i < size; i++) target[at + i] = keyBytes[key + i]
  return at + size
}

/** Writes text that is ASCII; -1 when it has other characters. Requires room for one byte per UTF-16 unit. */
export function putAscii(text: string, start: number): number {
  const { length } = text
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return -1
    target[start + i] = unit
  }
  return start + length
}

/** Writes text as UTF-8, with U+FFFD for lone surrogates. Requires room for three bytes per UTF-16 unit. */
export function putText(text: string, start: number): number {
  const { length } = text
  if (length > SHORT) return start + utf8Write.call(target, text, start)
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return putWideText(text, i, start + i)
    target[start + i] = unit
  }
  return start + length
}

function putWideText(text: string, from: number, start: number): number {
  let at = start
  for (let i = from; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      target[at++] = unit
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6)
      target[at++] = 0x80 | (unit & 0x3f)
    } else {
      if ((unit & 0xf800) === 0xd800) return at + utf8Write.call(target, text.slice(i), at)
      target[at++] = 0xe0 | (unit >> 12)
      target[at++] = 0x80 | ((unit >> 6) & 0x3f)
      target[at++] = 0x80 | (unit & 0x3f)
    }
  }
  return at
}

/** Whether text of `length` UTF-16 units may be written before it is measured. */
export function fitsAnyway(length: number, at: number): boolean {
  return length < 1024 && (at + 3 * length + ROOM <= end || (grows && makeRoom(at, 3 * length + ROOM)))
}

/** Writes text, measured before, of `size` bytes. Requires room for them. */
export function putMeasured(text: string, at: number, size: number): number {
  utf8Write.call(target, text, at)
  return at + size
}

/** Moves what lies in `[at, after)` by some bytes, to make a larger head. Requires room. */
export function shift(at: number, after: number, by: number): number {
  target.copyWithin(at + by, at, after)
  return after + by
}

export function putU8(first: number, value: number, at: number): number {
  target[at] = first
  target[at + 1] = value
  return at + 2
}

export function putU16(first: number, value: number, at: number): number {
  target[at] = first
  target[at + 1] = value >> 8
  target[at + 2] = value
  return at + 3
}

/** Writes a byte and a whole number of up to 32 bits. */
export function putU32(first: number, value: number, at: number): number {
  target[at] = first
  return putWord(value, at + 1)
}

/** Writes a byte and the 64 bits of a whole number, in two's complement when it is negative. */
export function putU64(first: number, value: number | bigint, at: number): number {
  target[at] = first
  if (typeof value === 'bigint') return target.writeBigUInt64BE(BigInt.asUintN(64, value), at + 1)
  putWord(Math.floor(value / 2 ** 32), at + 1)
  return putWord(value, at + 5)
}

/** Writes the lower 32 bits of a whole number. */
export function putWord(value: number, at: number): number {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
  return at + 4
}

const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

/** Writes a byte and a double. */
export function putDouble(first: number, value: number, at: number): number {
  scratch.setFloat64(0, value)
  target[at] = first
  // Written out: a loop takes about 10 ns more.
  target[at + 1] = scratchBytes[0]
  target[at + 2] = scratchBytes[1]
  target[at + 3] = scratchBytes[2]
  target[at + 4] = scratchBytes[3]
  target[at + 5] = scratchBytes[4]
  target[at + 6] = scratchBytes[5]
  target[at + 7] = scratchBytes[6]
  target[at + 8] = scratchBytes[7]
  return at + 9
}

/** Writes bytes as they are. Requires room for them. */
export function putBytes(bytes: Uint8Array, at: number): number {
  target.set(bytes, at)
  return at + bytes.length
}
