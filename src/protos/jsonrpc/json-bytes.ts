/**
 * Checks the grammar of JSON in bytes without decoding anything, so that a body can be passed on in place. Time is
 * linear, stack depth constant. Strings are not checked for valid UTF-8.
 */
export class JsonBytes {
  // `private`, not `#`, because every token of every message passes here.
  bytes: Uint8Array = none
  /** Index of the next unread byte. */
  at = 0
  /** End of the text. */
  end = 0
  /** Whether a line break was skipped since `set`. */
  broken = false
  /** Whether the last string consumed has an escape. */
  escaped = false
  /** Closing brackets of the open containers. Entries beyond the number of open ones are unused. */
  private readonly closers: number[] = []

  /** Starts reading `bytes[start, end)`. */
  set(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.broken = false
  }

  /** Skips white space and returns the next byte without consuming it; -1 at the end. */
  peek(): number {
    const { bytes, end } = this
    const first = this.at < end ? bytes[this.at] : 0
    if (first > 0x20) return first
    for (let at = this.at; at < end; at++) {
      const c = bytes[at]
      if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) {
        this.at = at
        return c
      }
      if (c === 0x0a) this.broken = true
    }
    this.at = end
    return -1
  }

  /** Skips white space and consumes `c` if it is next. */
  take(c: number): boolean {
    if (this.peek() !== c) return false
    this.at++
    return true
  }

  /** Consumes `text` if it is next. */
  literal(text: Uint8Array): boolean {
    if (this.at + text.length > this.end || !spells(this.bytes, this.at, text)) return false
    this.at += text.length
    return true
  }

  /** Consumes a string, and white space before it. */
  string(): boolean {
    const { bytes, end } = this
    this.escaped = false
    if ((this.at >= end || bytes[this.at] !== QUOTE) && this.peek() !== QUOTE) return false
    for (let at = this.at + 1; at < end; at++) {
      const c = bytes[at]
      if (c === QUOTE) {
        this.at = at + 1
        return true
      }
      if (c < 0x20) return false
      if (c === BACKSLASH) {
        this.escaped = true
        at++
        const letter = at < end ? bytes[at] : -1
        if (letter === LETTER_U) {
          for (let i = 1; i <= 4; i++) if (at + i >= end || !isHex(bytes[at + i])) return false
        } else if (!isEscape(letter)) {
          return false
        }
      }
    }
    return false
  }

  /**
   * Consumes one value of any kind. Containers nested deeper than `maxDepth` are skipped by counting brackets: the
   * codec refuses them when it decodes the value, and can then send an error as reply.
   *
   * @returns false when it is malformed
   */
  value(maxDepth: number): boolean {
    const { closers } = this
    let depth = 0
    for (;;) {
      const c = this.peek()
      if (c === QUOTE) {
        if (!this.string()) return false
      } else if (c !== OPEN_OBJECT && c !== OPEN_ARRAY) {
        if (!this.scalar(c)) return false
      } else if (depth >= maxDepth) {
        if (!this.tooDeep()) return false
      } else {
        this.at++
        const closer = c + 2 // '{' + 2 is '}', '[' + 2 is ']'
        if (!this.take(closer)) {
          closers[depth++] = closer
          if (closer === CLOSE_OBJECT && !this.key()) return false
          continue
        }
      }
      // A value is complete: close the containers that end here, then read the next value.
      for (;;) {
        if (depth === 0) return true
        const closer = closers[depth - 1]
        const next = this.peek()
        if (next === closer) {
          this.at++
          depth--
          continue
        }
        if (next !== COMMA) return false
        this.at++
        if (closer === CLOSE_OBJECT && !this.key()) return false
        break
      }
    }
  }

  private key(): boolean {
    return this.string() && this.take(COLON)
  }

  private tooDeep(): boolean {
    let depth = 0
    while (this.at < this.end) {
      const c = this.bytes[this.at]
      if (c === QUOTE) {
        if (!this.string()) return false
        continue
      }
      if (c === 0x0a) this.broken = true
      this.at++
      if (c === OPEN_OBJECT || c === OPEN_ARRAY) depth++
      else if ((c === CLOSE_OBJECT || c === CLOSE_ARRAY) && --depth === 0) return true
    }
    return false
  }

  private scalar(c: number): boolean {
    if (c === MINUS || isDigit(c)) return this.number()
    return this.literal(NULL) || this.literal(TRUE) || this.literal(FALSE)
  }

  private number(): boolean {
    const { bytes, end } = this
    let at = this.at
    if (bytes[at] === MINUS) at++
    const first = at < end ? bytes[at] : -1
    if (!isDigit(first)) return false
    at++
    if (first !== ZERO) while (at < end && isDigit(bytes[at])) at++
    this.at = at
    return at === end || (bytes[at] !== POINT && (bytes[at] | 0x20) !== LETTER_E) || this.fraction()
  }

  /** Consumes the rest of a number: decimals, an exponent. */
  private fraction(): boolean {
    if (this.bytes[this.at] === POINT) {
      this.at++
      if (!this.digits()) return false
    }
    if (this.at < this.end && (this.bytes[this.at] | 0x20) === LETTER_E) {
      this.at++
      if (this.at < this.end && (this.bytes[this.at] === MINUS || this.bytes[this.at] === PLUS)) this.at++
      return this.digits()
    }
    return true
  }

  private digits(): boolean {
    const { bytes, end } = this
    const from = this.at
    let at = from
    while (at < end && isDigit(bytes[at])) at++
    this.at = at
    return at > from
  }
}

/** Whether `bytes` has `word` at `start`. */
export function spells(bytes: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false
  return true
}

const none = new Uint8Array(0)
const NULL = Buffer.from('null')
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const LETTER_E = 0x65
const LETTER_U = 0x75
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39
}

function isHex(c: number): boolean {
  const lower = c | 0x20
  return isDigit(c) || (lower >= 0x61 && lower <= 0x66)
}

/** Whether `c` is one of `"\/bfnrt`. */
function isEscape(c: number): boolean {
  return c === 0x22 || c === 0x5c || c === 0x2f || c === 0x62 || c === 0x66 || c === 0x6e || c === 0x72 || c === 0x74
}
