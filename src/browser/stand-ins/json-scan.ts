import { JsonCursor } from '../../base/text/json-cursor.ts'

const scalarPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|null|true|false/y

/** Stands in for `base/text/json-scan.ts`, without Go's escapes: for meta that is not an object of strings only. */
export class JsonScanner extends JsonCursor {
  string(): string | undefined {
    if (!this.take(0x22)) return undefined
    const start = this.at - 1
    for (let end = this.at; end < this.text.length; end++) {
      const c = this.text[end]
      if (c === '\\') end++
      if (c !== '"') continue
      this.at = end + 1
      try {
        return (JSON.parse(this.text.slice(start, this.at)) as string).toWellFormed()
      } catch {
        return undefined
      }
    }
    return undefined
  }

  skip(maxDepth: number): boolean {
    const open = this.peek()
    if (open !== 0x7b && open !== 0x5b) return this.string() !== undefined || this.#scalar()
    const close = open + 2 // '{' + 2 is '}', '[' + 2 is ']'
    this.at++
    if (maxDepth < 1 || this.take(close)) return maxDepth > 0
    do {
      if ((open === 0x7b && this.key() === undefined) || !this.skip(maxDepth - 1)) return false
    } while (this.take(0x2c))
    return this.take(close)
  }

  #scalar(): boolean {
    scalarPattern.lastIndex = this.at
    const found = scalarPattern.exec(this.text)
    this.at += found?.[0].length ?? 0
    return found !== null
  }
}
