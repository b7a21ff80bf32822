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

/** A .proto file as text. */
export class Source {
  readonly file: string
  readonly text: string
  /** The text with blanks in place of comments, so that a search finds none of them; strings remain. */
  readonly code: string

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    this.code = text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
      part.startsWith('/') ? part.replace(/[^\n]/g, ' ') : part,
    )
  }

  placeOf(offset: number): Place {
    const before = this.text.slice(0, Math.max(0, offset))
    const line = before.split('\n').length
    return { line, column: before.length - before.lastIndexOf('\n') }
  }

  /** The place of the first match, of its last group if it has one; the beginning of the file for none. */
  find(pattern: RegExp, from = 0): Place {
    const match = pattern.exec(this.code.slice(from))
    if (match === null) return this.placeOf(from)
    const group = match.length > 1 ? match[0].lastIndexOf(match[match.length - 1] ?? '') : 0
    return this.placeOf(from + match.index + group)
  }

  /** Offset of the one group of the last match that begins before `end`; -1 for none. */
  lastBefore(pattern: RegExp, end: number): number {
    let found = -1
    for (const match of this.code.slice(0, end).matchAll(new RegExp(pattern, 'g'))) found = match.index + match[0].lastIndexOf(match[1])
    return found
  }

  error(place: Place, text: string): ProtoError {
    return new ProtoError(this.file, place, text)
  }
}

/** The text as a part of a regular expression. */
export function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
