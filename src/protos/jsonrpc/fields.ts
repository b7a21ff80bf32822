import { type JsonBytes, spells } from './json-bytes.ts'

/** Offsets of the members of one JSON-RPC object in its line, ends exclusive; 0 to 0 for an absent one. */
export class Fields {
  /** Whether `jsonrpc` is "2.0". */
  standard = false
  /** Start of the method, its quotation marks included. */
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
  /** The members of the last object in their order, as indices of `keys`: the next object has mostly the same. */
  private readonly order = new Int8Array(MAX_ORDER).fill(NONE)

  /**
   * Consumes an object, whose brace is next. Of repeated members the last counts.
   *
   * @returns false when it is malformed
   */
  read(json: JsonBytes, maxDepth: number): boolean {
    this.clear()
    json.at++
    if (json.take(CLOSE)) return true
    for (let member = 0; ; member++) {
      const key = this.key(json, member)
      if (key === MALFORMED) return false
      json.peek()
      const start = json.at
      if (!json.value(maxDepth)) return false
      if (key !== NONE) this.set(keys[key][1], json, start)
      const next = json.peek()
      json.at++
      if (next === CLOSE) return true
      if (next !== COMMA) return false
    }
  }

  /**
   * Consumes the key of a member and its colon.
   *
   * @returns its index in `keys`, NONE for another key
   */
  private key(json: JsonBytes, member: number): number {
    json.peek()
    const known = member < MAX_ORDER ? this.order[member] : NONE
    if (known !== NONE && json.literal(keysWithColon[known])) return known
    const start = json.at
    if (!json.string()) return MALFORMED
    const key = json.escaped ? escapedKey(json.bytes, start, json.at) : keyOf(json.bytes, start, json.at)
    if (member < MAX_ORDER) this.order[member] = key
    return json.take(COLON) ? key : MALFORMED
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

const Field = { Version: 1, Method: 2, Params: 3, Id: 4, Result: 5, Error: 6, Context: 7 } as const

/** Keys as they are in the text, in the usual order of a request. */
const keys: readonly (readonly [Uint8Array, number])[] = [
  [Buffer.from('"jsonrpc"'), Field.Version],
  [Buffer.from('"method"'), Field.Method],
  [Buffer.from('"params"'), Field.Params],
  [Buffer.from('"id"'), Field.Id],
  [Buffer.from('"context"'), Field.Context],
  [Buffer.from('"result"'), Field.Result],
  [Buffer.from('"error"'), Field.Error],
]

const keysWithColon = keys.map(([key]) => Buffer.concat([key, Buffer.from(':')]))

/** Maximum number of members whose order is remembered. */
const MAX_ORDER = 8
const NONE = -1
const MALFORMED = -2

/** Maximum length of a key in the text: each of its letters may be an escape of six characters. */
const MAX_ESCAPED = 2 + 7 * 6

function keyOf(bytes: Uint8Array, start: number, end: number): number {
  for (let i = 0; i < keys.length; i++) {
    const [key] = keys[i]
    if (key.length === end - start && spells(bytes, start, key)) return i
  }
  return NONE
}

/** Finds a key with escapes, which is valid but unusual. */
function escapedKey(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAX_ESCAPED) return NONE
  const key = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(bytes.subarray(start, end)).toString())))
  return keyOf(key, 0, key.length)
}
