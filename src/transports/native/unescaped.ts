import { UTF8_BYTES } from './outbox.ts'
import { MAX_UNESCAPED } from './ring-layout.ts'

/** Shortest text, in UTF-16 units, for which the core's check saves time: shorter ones are written by a loop. */
const MIN_UNITS = 41
/** Least `maxMessage` at which no frame of such a text can be too large, whatever its other fields. */
const MIN_MAX_MESSAGE = 256 * 1024
/** Most bytes that JSON takes for one byte of UTF-8. */
const ESCAPE_BYTES = 6

const { utf8Write } = Buffer.prototype as unknown as { utf8Write(this: Buffer, text: string, at: number): number }

/**
 * Whether the escapes of a text that JSON encodes can be left to the core, which looks at eight bytes at a time.
 *
 * @param used bytes that wait in the outbox
 * @param share bytes at which it is drained: with every byte escaped, no more than that waits
 */
export function mayStayUnescaped({ length }: string, used: number, share: number, maxMessage: number): boolean {
  return length >= MIN_UNITS && UTF8_BYTES * length <= MAX_UNESCAPED && ESCAPE_BYTES * used <= share && maxMessage >= MIN_MAX_MESSAGE
}

/**
 * Writes a text in quotes, its escapes left to the core.
 *
 * @returns where it ends; -1 for a text with lone surrogates, which JSON escapes and UTF-8 has not
 */
export function writeUnescaped(target: Buffer, text: string, at: number): number {
  const size = utf8Write.call(target, text, at + 1)
  if (size !== text.length && !text.isWellFormed()) return -1
  target[at] = target[at + 1 + size] = 0x22
  return at + size + 2
}
