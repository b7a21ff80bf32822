/**
 * Compares a given object with the message made of it, because `fromObject` of protobufjs turns values that do not fit
 * into 0 or leaves them out: `'abc'` and 2^40 for an int32, a name that no field has.
 * @throws TypeError that names the first field that was lost
 */
export function requireLossless(given: object, made: object, path = ''): void {
  if ('@type' in given) return // google.protobuf.Any, which packs the rest
  requireMembers(given, path)
  for (const key of Object.keys(given)) {
    const value = (given as Fields)[key]
    if (value === null || value === undefined) continue
    if (!(key in made)) throw new TypeError(`protobuf: there is no field ${JSON.stringify(path + key)}`)
    requireSame(value, (made as Fields)[key], `${path}${key}`, new Field(made, key))
  }
}

type Fields = Record<string, unknown>

/** Checks the value of one field. For a map `field` is the map's own: its values belong to that field. */
function requireSame(value: unknown, got: unknown, path: string, field: Field): void {
  if (value === got || same(value, got)) return
  if (typeof value === 'object' && value !== null && typeof got === 'object' && got !== null) {
    if (Array.isArray(value)) {
      if (Array.isArray(got) && got.length === value.length) {
        for (let i = 0; i < value.length; i++) requireSame(value[i], got[i], `${path}[${i}]`, field)
        return
      }
    } else if (!isLong(got) && !isBytes(got) && !isBytes(value)) {
      if (classOf(got) !== undefined) {
        requireLossless(value, got, `${path}.`)
      } else {
        requireMembers(value, path)
        for (const key of Object.keys(value)) requireSame((value as Fields)[key], (got as Fields)[key], `${path}.${key}`, field)
      }
      return
    }
  }
  if (typeof value === 'string' && typeof got === 'number' && field.isNamed(value, got)) return
  const shown =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : typeof value === 'object' ? 'what it was given' : String(value)
  throw new TypeError(`protobuf: field ${path} cannot hold ${shown}`)
}

function requireMembers(given: object, path: string): void {
  if (given instanceof Map || given instanceof Set || given instanceof Date)
    throw new TypeError(`protobuf: ${path.replace(/\.$/, '') || 'a message'} must be an object`)
}

/**
 * Whether both are equal apart from how protobufjs stores them: text of a number as a number, 64-bit integers as Long,
 * base64 as bytes.
 */
function same(value: unknown, got: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return isLong(got) ? Number.isInteger(value) && String(got) === String(BigInt(value)) : Number.isNaN(value) && Number.isNaN(got)
    case 'bigint':
      return (isLong(got) || typeof got === 'number') && String(got) === String(value)
    case 'string':
      if (typeof got === 'number') return value === 'NaN' ? Number.isNaN(got) : value.trim() !== '' && Number(value) === got
      return isLong(got) ? String(got) === value : ArrayBuffer.isView(got)
    case 'object':
      if (isLong(value) && isLong(got)) return value.low === got.low && value.high === got.high
      return ArrayBuffer.isView(value) && (got as { length?: number } | null)?.length === value.byteLength
    default:
      return false
  }
}

interface LongLike {
  low: number
  high: number
}

function isLong(value: unknown): value is LongLike {
  return typeof value === 'object' && value !== null && typeof (value as Partial<LongLike>).low === 'number' && 'high' in value
}

/** Whether `value` is bytes, or the list that stands for absent bytes. */
function isBytes(value: object): boolean {
  return ArrayBuffer.isView(value) || Array.isArray(value)
}

interface MessageClass {
  toObject(message: object, options: object): Fields
  fromObject(object: object): Fields
}

/** The class of a message; undefined for a map. */
function classOf(value: object): MessageClass | undefined {
  const prototype: { constructor?: Partial<MessageClass> } | null = Object.getPrototypeOf(value)
  const own = prototype?.constructor
  return typeof own?.toObject === 'function' && typeof own.fromObject === 'function' ? (own as MessageClass) : undefined
}

/** A field of a message that was made from an object. */
class Field {
  readonly #message: object
  readonly #key: string
  #names: Set<unknown> | undefined
  #unknown: unknown

  constructor(message: object, key: string) {
    this.#message = message
    this.#key = key
  }

  /**
   * Whether the field is of an enum in which `name` has the number `got`. Called for each item, so the names of the
   * enum are read once.
   */
  isNamed(name: string, got: number): boolean {
    this.#names ??= this.#readNames()
    return this.#names.has(name) || (this.#names.size > 0 && got !== this.#unknown)
  }

  /**
   * The names of the field's values, one for each number. A second name of the same number is recognized by its
   * difference from the number that an unknown name would get.
   */
  #readNames(): Set<unknown> {
    const own = classOf(this.#message)
    if (own === undefined) return new Set()
    const held = (this.#message as Fields)[this.#key]
    const names = itemsOf(own.toObject({ [this.#key]: held }, { enums: String })[this.#key])
    if (!names.some((name) => typeof name === 'string')) return new Set()
    const nobody = Array.isArray(held) ? [''] : typeof held === 'object' ? { a: '' } : ''
    this.#unknown = itemsOf(own.fromObject({ [this.#key]: nobody })[this.#key])[0]
    return new Set(names)
  }
}

function itemsOf(held: unknown): unknown[] {
  return typeof held === 'object' && held !== null ? Object.values(held) : [held]
}
