import { type JsonBytes, spells } from './json-bytes.ts'

/** Where the members of one JSON-RPC object lie in its line: offsets with exclusive ends, 0 to 0 for what is absent. */
export class Fields {
  /** False when there is no `jsonrpc`, or it is not "2.0". */
  standard = false
  /** With its quotation marks, if it has any. */
  methodStart = 0
  methodEnd = 0
  methodEscaped = false
  idStart = 0
  idEnd = 0
  paramsStart = 0
  paramsEnd = 0
  resultStart = 0
  resultEnd = 0
  errorStart = 0
  errorEnd = 0
  contextStart = 0
  contextEnd = 0

  /** Consumes an object, whose brace comes next. Of repeated members the last counts. False when it is malformed. */
  read(json: JsonBytes, maxDepth: number): boolean {
    this.clear()
    json.at++
    if (json.take(CLOSE)) return true
    for (;;) {
      json.peek()
      const keyStart = json.at
      if (!json.string()) return false
      const field = json.escaped ? escapedField(json.bytes, keyStart, json.at) : fieldOf(json.bytes, keyStart, json.at)
      if (!json.take(COLON)) return false
      json.peek()
      const start = json.at
      if (!json.value(maxDepth)) return false
      this.set(field, json, start)
      const next = json.peek()
      json.at++
      if (next === CLOSE) return true
      if (next !== COMMA) return false
    }
  }

  private clear(): void {
    this.standard = false
    this.methodEscaped = false
    this.methodStart = this.methodEnd = this.idStart = this.idEnd = this.paramsStart = this.paramsEnd = 0
    this.resultStart = this.resultEnd = this.errorStart = this.errorEnd = this.contextStart = this.contextEnd = 0
  }

  private set(field: number, json: JsonBytes, start: number): void {
    const end = json.at
    switch (field) {
      case Field.Version:
        this.standard = end - start === TWO.length && spells(json.bytes, start, TWO)
        break
      case Field.Method:
        this.methodStart = start
        this.methodEnd = end
        this.methodEscaped = json.escaped
        break
      case Field.Id:
        this.idStart = start
        this.idEnd = end
        break
      case Field.Params:
        this.paramsStart = start
        this.paramsEnd = end
        break
      case Field.Result:
        this.resultStart = start
        this.resultEnd = end
        break
      case Field.Error:
        this.errorStart = start
        this.errorEnd = end
        break
      case Field.Context:
        this.contextStart = start
        this.contextEnd = end
    }
  }
}

const COMMA = 0x2c
const COLON = 0x3a
const CLOSE = 0x7d
const TWO = Buffer.from('"2.0"')

const Field = { Other: 0, Version: 1, Method: 2, Params: 3, Id: 4, Result: 5, Error: 6, Context: 7 } as const

/** As they are in the text, in the order a request has them. */
const keys: readonly (readonly [Uint8Array, number])[] = [
  [Buffer.from('"jsonrpc"'), Field.Version],
  [Buffer.from('"method"'), Field.Method],
  [Buffer.from('"params"'), Field.Params],
  [Buffer.from('"id"'), Field.Id],
  [Buffer.from('"context"'), Field.Context],
  [Buffer.from('"result"'), Field.Result],
  [Buffer.from('"error"'), Field.Error],
]

/** No key of ours is longer when each of its letters is spelt by an escape of six. */
const MAX_ESCAPED = 2 + 7 * 6

function fieldOf(bytes: Uint8Array, start: number, end: number): number {
  for (let i = 0; i < keys.length; i++) {
    const [key, field] = keys[i]
    if (key.length === end - start && spells(bytes, start, key)) return field
  }
  return Field.Other
}

/** The same for a key with escapes, which nobody needs and anybody may write. */
function escapedField(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAX_ESCAPED) return Field.Other
  const key = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(bytes.subarray(start, end)).toString())))
  return fieldOf(key, 0, key.length)
}
