import { isUtf8 } from 'node:buffer'
import { type Incoming, TextHint } from '../../message/message.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/** Memory for an unescaped body while the message is borrowed. Larger bodies get memory of their own. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024)

/** The byte that an escape's letter stands for; 0 for `u` and for letters that are no escape. */
const escapes = new Uint8Array(256)
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  escapes[letter.charCodeAt(0)] = meaning.charCodeAt(0)
}

/**
 * Makes `bytes[start, end)` the body, as Go wrote it: Go escapes only `"`, so each `"` has one backslash too many
 * before it, and every other byte stands for itself, even invalid UTF-8 (docs/spec/wire.md#json,
 * docs/spec/go-defects.md W1).
 *
 * @returns false, with nothing changed, when there is a `"` without a backslash, which Go does not write
 */
export function takeGoBody(bytes: Buffer, start: number, end: number, message: Incoming): boolean {
  let high = 0
  let at = start
  for (; at < end; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) break
    high |= byte
  }
  if (at === end) return take(message, bytes, start, end, high)
  const target = room(end - start)
  let size = 0
  for (at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte !== QUOTE) {
      high |= byte
      target[size++] = byte
    } else {
      if (bytes[at - 1] !== BACKSLASH) return false
      target[size - 1] = QUOTE
    }
  }
  return take(message, target, 0, size, high)
}

/**
 * Makes the inside of a JSON string, `bytes[start, end)`, the body; in place when it has no escape.
 *
 * @returns false, with nothing changed, when it is no JSON or no UTF-8
 */
export function takeJsonBody(bytes: Buffer, start: number, end: number, message: Incoming): boolean {
  let high = 0
  let at = start
  for (; at < end; at++) {
    const byte = bytes[at]
    if (byte === BACKSLASH) break
    if (byte < SPACE || byte === QUOTE) return false
    high |= byte
  }
  if (at === end) return (high < 0x80 || isUtf8(bytes.subarray(start, end))) && take(message, bytes, start, end, high)
  const target = room(end - start)
  let size = 0
  for (at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte === BACKSLASH) {
      const meaning = ++at < end ? escapes[bytes[at]] : 0
      if (meaning === 0) return takeParsed(bytes, start, end, message)
      target[size++] = meaning
    } else {
      if (byte < SPACE || byte === QUOTE) return false
      high |= byte
      target[size++] = byte
    }
  }
  return (high < 0x80 || isUtf8(target.subarray(0, size))) && take(message, target, 0, size, high)
}

/** Handles bodies with `\u`, which are rare: text needs it only for control characters. */
function takeParsed(bytes: Buffer, start: number, end: number, message: Incoming): boolean {
  try {
    message.setBody(Buffer.from(JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string))
    return true
  } catch {
    return false
  }
}

function take(message: Incoming, buffer: Buffer, start: number, end: number, high: number): boolean {
  message.buffer = buffer
  // All other ranges are empty and lie before the body.
  message.nameStart = message.nameEnd = message.statusStart = message.statusEnd = message.metaStart = message.metaEnd = start
  message.bodyStart = start
  message.bodyEnd = end
  message.hint = high < 0x80 ? TextHint.Ascii : TextHint.Nothing
  return true
}

function room(size: number): Buffer {
  return size <= scratch.length ? scratch : Buffer.allocUnsafe(size)
}
