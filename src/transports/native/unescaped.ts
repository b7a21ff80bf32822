import { writeText } from '../../base/text/write-text.ts'
import type { ConnectionOptions } from '../transport.ts'
import { UTF8_BYTES } from './outbox.ts'
import { MAX_UNESCAPED } from './ring-layout.ts'

/** Shortest text, in UTF-16 units, for which the core's check saves time: shorter ones are written by a loop. */
const MIN_UNITS = 41
/** Least `maxMessage` at which no frame of such a text can be too large, whatever its other fields. */
const MIN_MAX_MESSAGE = 256 * 1024
/** Most bytes that JSON takes for one byte of UTF-8. */
const ESCAPE_BYTES = 6

/** Whether the escapes of texts may be left to the core, which looks at eight bytes at a time. */
export function leavesEscapes({ maxMessage, countsBodies }: ConnectionOptions): boolean {
  return countsBodies !== true && maxMessage >= MIN_MAX_MESSAGE
}

/**
 * Whether those of this text that JSON encodes are left to it.
 *
 * @param used bytes that wait in the outbox
 * @param share bytes at which it is drained: with every byte escaped, no more than that waits
 */
export function mayStayUnescaped({ length }: string, used: number, share: number): boolean {
  return length >= MIN_UNITS && UTF8_BYTES * length <= MAX_UNESCAPED && ESCAPE_BYTES * used <= share
}

/**
 * Writes a text in quotes, its escapes left to the core.
 *
 * @returns where it ends; -1 for a text with lone surrogates, which JSON escapes and UTF-8 has not
 */
export function writeUnescaped(target: Buffer, text: string, at: number): number {
  const end = writeText(target, text, at + 1)
  if (end - at - 1 !== text.length && !text.isWellFormed()) return -1
  target[at] = target[end] = 0x22
  return end + 1
}
