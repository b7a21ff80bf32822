import { type Limits, MAX_COMMAND_ELEMENTS, MAX_INLINE_BYTES } from '../../base/limits.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { ProtoError } from '../proto.ts'

/**
 * Finds redis commands in a stream, written by clients (arrays of bulk strings) or typed by humans (a line of words).
 * It remembers its position, so each byte is read once however the stream is cut; its memory does not grow with the
 * sizes that the stream announces.
 */
export class CommandReader {
  /** Start of the command's name, from the start of the command. */
  nameStart = 0
  nameEnd = 0
  /** Start of the array elements after the name. */
  argsStart = 0
  /** Words of a typed line; undefined for an array. */
  words: readonly string[] | undefined
  readonly #limits: Readonly<Limits>
  #at = 0
  /** Number of elements still to come; 0 before the first line. */
  #left = 0
  /** The number that `#number` read. */
  #value = 0

  constructor(limits: Readonly<Limits>) {
    this.#limits = limits
  }

  /**
   * Reads on in `bytes[start, end)`, which begins at the start of the command.
   *
   * @returns the size of the command; 0 when more bytes are needed; negative when that many bytes must be skipped
   * @throws ProtoError when it is no command
   */
  read(bytes: Buffer, start: number, end: number): number {
    if (this.#left === 0) {
      if (start >= end) return 0
      const first = bytes[start]
      if (first !== ASTERISK) return this.#line(first, bytes, start, end)
      const next = this.#number(bytes, start, end, 'invalid multibulk length')
      if (next === 0) return 0
      if (this.#value > MAX_COMMAND_ELEMENTS) throw refusal('invalid multibulk length', CloseReason.TooLarge)
      if (this.#value < 1) return -next // as in redis, where Go closes the session
      this.words = undefined
      this.nameEnd = 0
      this.#at = next
      this.#left = this.#value
    }
    return this.#elements(bytes, start, end)
  }

  #elements(bytes: Buffer, start: number, end: number): number {
    while (this.#left > 0) {
      const line = start + this.#at
      if (line >= end) return 0
      if (bytes[line] !== DOLLAR) throw refusal(`expected '$', got '${String.fromCharCode(bytes[line]).replace(/[^!-~]/, '?')}'`)
      const size = this.#number(bytes, line, end, 'invalid bulk length')
      if (size === 0) return 0
      if (this.#value < 0) throw refusal('invalid bulk length')
      const from = this.#at + size
      const next = from + this.#value + 2
      if (next > this.#limits.maxMessage) throw refusal('invalid bulk length', CloseReason.TooLarge)
      if (start + next > end) return 0
      if (bytes[start + next - 2] !== CR || bytes[start + next - 1] !== LF) throw refusal('a bulk string without its line end')
      if (this.nameEnd === 0) {
        this.nameStart = from
        this.nameEnd = next - 2
        this.argsStart = next
      }
      this.#at = next
      this.#left--
    }
    const size = this.#at
    this.#at = 0
    return size
  }

  #line(first: number, bytes: Buffer, start: number, end: number): number {
    if (first === DOLLAR) throw refusal("expected '*', got '$'")
    const found = bytes.subarray(start + this.#at, end).indexOf(LF)
    const size = found < 0 ? end - start : this.#at + found + 1
    if (size > MAX_INLINE_BYTES) throw refusal('too big inline request', CloseReason.TooLarge)
    if (found < 0) {
      this.#at = size
      return 0
    }
    this.#at = 0
    // A reply, although we sent no command: skipped, as in Go.
    if (first === PLUS || first === MINUS || first === COLON) return -size
    const words = bytes.toString('utf8', start, start + size).split(/[ \t\r\n]+/)
    this.words = words.filter((word) => word !== '')
    return this.words.length === 0 ? -size : size
  }

  /**
   * Reads `*12` or `$12` into `#value`.
   *
   * @returns the length with the line end; 0 when it is incomplete
   */
  #number(bytes: Buffer, start: number, end: number, complaint: string): number {
    const last = Math.min(end, start + MAX_NUMBER_LINE)
    for (let at = start + 1; at < last; at++) {
      if (bytes[at] !== LF) continue
      const text = bytes.toString('latin1', start + 1, at - 1)
      if (bytes[at - 1] !== CR || !/^-?[0-9]+$/.test(text)) throw refusal(complaint)
      this.#value = Number(text)
      return at + 1 - start
    }
    if (last < end) throw refusal(complaint)
    return 0
  }
}

/** Maximum length of `*` or `$`, a number of 64 bits, CR and LF. */
const MAX_NUMBER_LINE = 24

const LF = 0x0a
const CR = 0x0d
const DOLLAR = 0x24
const ASTERISK = 0x2a
const PLUS = 0x2b
const MINUS = 0x2d
const COLON = 0x3a

function refusal(complaint: string, reason?: CloseReason): ProtoError {
  return new ProtoError(complaint, reason, `-ERR Protocol error: ${complaint}\r\n`)
}
