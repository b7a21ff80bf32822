import { JsonCursor } from './json-cursor.ts'

/**
 * Reads JSON text piece by piece, for the places where JSON.parse gives too little: the scanner keeps the exact text of
 * a value, stops after the first value, refuses deep nesting before building it, and can accept the string escapes of
 * Go's `strconv.Quote` (docs/spec/wire.md#status). Time is linear in the text, stack depth constant. Strings come out
 * well-formed if the text is, whatever their escapes stand for.
 */
export class JsonScanner extends JsonCursor {
  readonly #goEscapes: boolean

  constructor(text: string, goEscapes: boolean) {
    super(text)
    this.#goEscapes = goEscapes
  }

  /** Consumes a number and returns its text, or undefined. */
  number(): string | undefined {
    this.peek()
    numberPattern.lastIndex = this.at
    const text = numberPattern.exec(this.text)?.[0]
    if (text !== undefined) this.at += text.length
    return text
  }

  string(): string | undefined {
    if (!this.take(QUOTE)) return undefined
    return this.#goEscapes ? this.#goString() : this.#jsonString()
  }

  /** Finds the end of the string only: building a long string from its pieces takes many times its memory. */
  #jsonString(): string | undefined {
    const { text, at: start } = this
    let escaped = false
    for (let at = start; at < text.length; at++) {
      const c = text.charCodeAt(at)
      if (c === QUOTE) {
        this.at = at + 1
        return escaped ? parseString(text.slice(start - 1, at + 1)) : text.slice(start, at)
      }
      if (c === BACKSLASH) {
        escaped = true
        at++
      } else if (c < 0x20) {
        return undefined
      }
    }
    return undefined
  }

  #goString(): string | undefined {
    let value = ''
    for (;;) {
      const start = this.at
      plainPattern.lastIndex = start
      plainPattern.test(this.text)
      const end = plainPattern.lastIndex
      this.at = end + 1
      const stop = this.text.charCodeAt(end)
      if (stop === QUOTE) {
        // A pair may be written as two escapes, so lone surrogates can be detected only now.
        return value === '' ? this.text.slice(start, end) : (value + this.text.slice(start, end)).toWellFormed()
      }
      if (stop !== BACKSLASH) return undefined
      const piece = this.#escape()
      if (piece === undefined) return undefined
      value += this.text.slice(start, end) + piece
    }
  }

  /** Consumes one value of any kind. False when it is malformed or nests more than `maxDepth` deep. */
  skip(maxDepth: number): boolean {
    const open: number[] = []
    for (;;) {
      const c = this.peek()
      if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
        if (open.length >= maxDepth) return false
        this.at++
        const close = c + 2 // '{' + 2 is '}', '[' + 2 is ']'
        if (!this.take(close)) {
          open.push(close)
          if (close === CLOSE_OBJECT && this.key() === undefined) return false
          continue
        }
      } else if (!this.#scalar(c)) {
        return false
      }
      // A value is complete: close the containers that end here, then go on to the next value of the one that does not.
      for (;;) {
        if (open.length === 0) return true
        const close = open[open.length - 1]
        if (this.take(close)) {
          open.pop()
        } else {
          if (!this.take(COMMA) || (close === CLOSE_OBJECT && this.key() === undefined)) return false
          break
        }
      }
    }
  }

  #scalar(c: number): boolean {
    if (c === QUOTE) return this.string() !== undefined
    return this.number() !== undefined || this.word('null') || this.word('true') || this.word('false')
  }

  /** The text meant by the escape whose backslash was just consumed. */
  #escape(): string | undefined {
    const letter = this.text[this.at++]
    const simple = jsonEscapes.get(letter)
    if (simple !== undefined) return simple
    if (letter === 'u') return this.#codePoint(4)
    if (letter === 'a') return '\x07'
    if (letter === 'v') return '\x0b'
    if (letter === 'U') return this.#codePoint(8)
    if (letter === 'x') return this.#rawBytes()
    return undefined
  }

  #codePoint(digits: number): string | undefined {
    const value = this.#hex(digits)
    return value >= 0 && value <= 0x10ffff ? String.fromCodePoint(value) : undefined
  }

  /**
   * The text of `\xNN` escapes, which Go writes for each byte that is not UTF-8. A run of them is decoded together,
   * because the bytes were one text.
   */
  #rawBytes(): string | undefined {
    const bytes: number[] = []
    do {
      const byte = this.#hex(2)
      if (byte < 0) return undefined
      bytes.push(byte)
    } while (this.text.startsWith('\\x', this.at) && (this.at += 2))
    return Buffer.from(bytes).toString('utf8')
  }

  /** The next `digits` hexadecimal digits as a number, or -1. */
  #hex(digits: number): number {
    let value = 0
    for (let i = 0; i < digits; i++) {
      const digit = hexDigit(this.text.charCodeAt(this.at++))
      if (digit < 0) return -1
      value = value * 16 + digit
    }
    return value
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

// Both patterns are one pass without alternatives to retry, so no text makes them slow.
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids raw control characters in strings
const plainPattern = /[^"\\\u0000-\u001f]*/y
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

const jsonEscapes = new Map<string | undefined, string>([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** The value of a JSON string with escapes, well-formed; undefined when an escape is invalid. */
function parseString(quoted: string): string | undefined {
  try {
    return (JSON.parse(quoted) as string).toWellFormed()
  } catch {
    return undefined
  }
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const lower = c | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
