import type { Limits } from './limits.ts'
import { TextHint } from './message.ts'

/**
 * Turns values into body bytes and back (spec/wire.md §3). Absent bodies and bodies that are bytes never reach a codec
 * (§2.5). A codec keeps no state between messages.
 */
export interface Codec {
  /** The byte on the wire, 1..255. */
  readonly id: number
  readonly name: string
  /** @throws TypeError when this codec has no form for `value` */
  encode(value: unknown): string | Uint8Array
  /**
   * Optional: true when `text` encodes to itself between quotation marks, all of it ASCII. A transport then writes it without
   * making the encoded text first, and `encode` is not asked.
   */
  quotes?(text: string): boolean
  /**
   * Decodes `buffer[start, end)`, which is borrowed: the result must not refer to it.
   * @param hint what the transport knows of the bytes
   * @throws StatusError 400 when the bytes are unreadable or break a limit
   */
  decode(buffer: Buffer, start: number, end: number, hint: TextHint, limits: Pick<Limits, 'maxDepth'>): unknown
}

/** The body as text, invalid UTF-8 as U+FFFD. A copy. For codecs whose bodies are text. */
export function bodyText(buffer: Buffer, start: number, end: number, hint: TextHint): string {
  const slices = buffer as unknown as Slices
  return hint !== TextHint.Nothing ? slices.latin1Slice(start, end) : slices.utf8Slice(start, end)
}

/** Methods of every Buffer that its type declarations leave out; `toString` adds about 20 ns of looking the encoding up. */
interface Slices {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}
