const COLON = 0x3a

/** A place in JSON text, and what is read there without knowing how strings are escaped. */
export abstract class JsonCursor {
  readonly text: string
  /** Index of the next unread UTF-16 unit. */
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Skips white space and returns the next unit without consuming it; NaN at the end. */
  peek(): number {
    for (;;) {
      const c = this.text.charCodeAt(this.at)
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return c
      this.at++
    }
  }

  /** Skips white space and consumes `c` if that is what comes next. */
  take(c: number): boolean {
    if (this.peek() !== c) return false
    this.at++
    return true
  }

  /** Consumes `word` if that is what comes next. The character after it is not checked. */
  word(word: string): boolean {
    this.peek()
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  /** Consumes a string and returns its value, or undefined when there is none or it is malformed. */
  abstract string(): string | undefined

  /** Consumes a string and the colon after it: an object's key. */
  key(): string | undefined {
    const key = this.string()
    return key !== undefined && this.take(COLON) ? key : undefined
  }
}
