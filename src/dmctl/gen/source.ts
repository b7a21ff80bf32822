/** A place in a .proto file; lines and columns begin with 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A problem of a .proto file, with its place: `shop.proto:3:9: expected '=', got '1'`. */
export class ProtoError extends Error {
  readonly file: string
  readonly place: Place
  /** The message without the place. */
  readonly text: string

  constructor(file: string, place: Place, text: string) {
    super(`${file}:${place.line}:${place.column}: ${text}`)
    this.file = file
    this.place = place
    this.text = text
  }
}

/** A word, a text in its quotes, or a sign of a .proto file. */
export interface Token {
  readonly text: string
  readonly offset: number
}

/** A .proto file as text. */
export class Source {
  readonly file: string
  readonly text: string
  /** Names with dots and numbers are one token; there are none of comments. */
  readonly tokens: readonly Token[]

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    const found = text.matchAll(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.]+|\S/g)
    this.tokens = [...found].map(({ 0: each, index }) => ({ text: each, offset: index })).filter((each) => !/^\/[/*]/.test(each.text))
  }

  placeOf(offset: number): Place {
    const before = this.text.slice(0, Math.max(0, offset))
    const line = before.split('\n').length
    return { line, column: before.length - before.lastIndexOf('\n') }
  }

  /** Index of the first token, from `from` on, where tokens with these texts follow each other; -1 for none. */
  indexOf(texts: readonly string[], from = 0): number {
    return this.tokens.findIndex((_, i) => i >= from && texts.every((text, k) => this.tokens[i + k]?.text === text))
  }

  /** The place of a token; the beginning of the file for index -1. */
  placeOfToken(index: number): Place {
    return this.placeOf(this.tokens[index]?.offset ?? 0)
  }

  /** Index of the last token that begins before `end` and that `is` accepts, given those around it; -1 for none. */
  lastBefore(end: number, is: (token: string, previous: string | undefined, next: string | undefined) => boolean): number {
    const { tokens } = this
    return tokens.findLastIndex(({ text, offset }, i) => offset < end && is(text, tokens[i - 1]?.text, tokens[i + 1]?.text))
  }

  error(place: Place, text: string): ProtoError {
    return new ProtoError(this.file, place, text)
  }
}

/** The words before a name that is declared. */
export const declaring: readonly (string | undefined)[] = ['message', 'enum', 'service', 'oneof', 'rpc']
