import { isUtf8 } from 'node:buffer'
import { asciiText } from '../../base/text/ascii.ts'

/** Longest text in bytes for which a loop beats the call of Buffer's decoder: half the time at 46 bytes of Chinese. */
const SHORT = 64

const { utf8Slice } = Buffer.prototype as unknown as { utf8Slice(this: Buffer, start: number, end: number): string }

/**
 * The string field in `buf[start, end)` as text.
 * @param strict whether invalid UTF-8 throws, as in Go for proto3; otherwise it becomes U+FFFD
 */
export function readText(buf: Buffer, start: number, end: number, strict: boolean): string {
  if (end - start <= SHORT) {
    let bits = 0
    for (let at = start; at < end; at++) bits |= buf[at]
    if (bits < 0x80) return asciiText(buf, start, end)
    const units = shortText(buf, start, end)
    if (units !== undefined) return String.fromCharCode.apply(null, units)
  }
  const text = utf8Slice.call(buf, start, end)
  // U+FFFD was either sent, or stands for invalid UTF-8.
  if (strict && text.includes('\ufffd') && !isUtf8(buf.subarray(start, end))) throw new Error('a string field is no UTF-8')
  return text
}

/** The UTF-16 units of sequences of one to three bytes; undefined when there are other sequences, valid or not. */
function shortText(buf: Buffer, start: number, end: number): number[] | undefined {
  const units: number[] = []
  for (let at = start; at < end; ) {
    const first = buf[at++]
    if (first < 0x80) {
      units.push(first)
      continue
    }
    if (first < 0xc2 || first >= 0xf0 || at + (first < 0xe0 ? 1 : 2) > end) return undefined
    const second = buf[at++]
    if ((second & 0xc0) !== 0x80) return undefined
    if (first < 0xe0) {
      units.push(((first & 0x1f) << 6) | (second & 0x3f))
      continue
    }
    const third = buf[at++]
    const unit = ((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f)
    // Overlong forms and surrogates are invalid UTF-8.
    if ((third & 0xc0) !== 0x80 || unit < 0x800 || (unit & 0xf800) === 0xd800) return undefined
    units.push(unit)
  }
  return units
}
