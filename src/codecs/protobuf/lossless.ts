/**
 * `fromObject` of protobufjs turns what does not fit into 0 or leaves it out: `'abc'` and 2^40 for an int32, a name that no
 * field has. Compares what was given with the message made of it.
 * @throws TypeError that names the first field that was lost
 */
export function requireLossless(given: object, made: object, path = ''): void {
  if ('@type' in given) return // google.protobuf.Any, which packs the rest
  if (given instanceof Map || given instanceof Set) throw new TypeError(`protobuf: ${path || 'a message'} must be an object`)
  for (const key of Object.keys(given)) {
    const value = (given as Fields)[key]
    if (value === null || value === undefined) continue
    if (!(key in made)) throw new TypeError(`protobuf: there is no field ${JSON.stringify(path + key)}`)
    requireSame(value, (made as Fields)[key], `${path}${key}`, made, key)
  }
}

type Fields = Record<string, unknown>

function requireSame(value: unknown, got: unknown, path: string, message: object, key: string): void {
  if (value === got || same(value, got)) return
  if (typeof value === 'object' && value !== null && typeof got === 'object' && got !== null) {
    if (Array.isArray(value)) {
      if (Array.isArray(got) && got.length === value.length) {
        for (let i = 0; i < value.length; i++) requireSame(value[i], got[i], `${path}[${i}]`, message, key)
        return
      }
    } else if (!isLong(got) && !isBytes(got) && !isBytes(value)) {
      requireLossless(value, got, `${path}.`)
      return
    }
  }
  if (typeof value === 'string' && typeof got === 'number' && enumNames(message, key).includes(value)) return
  const shown =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : typeof value === 'object' ? 'what it was given' : String(value)
  throw new TypeError(`protobuf: field ${path} cannot hold ${shown}`)
}

/** Equal but for how protobufjs keeps it: text of a number as a number, 64-bit integers as Long, base64 as bytes. */
function same(value: unknown, got: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return isLong(got) ? Number.isInteger(value) && String(got) === String(BigInt(value)) : Number.isNaN(value) && Number.isNaN(got)
    case 'bigint':
      return (isLong(got) || typeof got === 'number') && String(got) === String(value)
    case 'string':
      if (typeof got === 'number') return value.trim() !== '' && Number(value) === got
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

/** Bytes, or the list that stands for absent ones. */
function isBytes(value: object): boolean {
  return ArrayBuffer.isView(value) || Array.isArray(value)
}

/** The names of the enum values that a field of `message` holds; none when it is no enum. */
function enumNames(message: object, key: string): unknown[] {
  const { toObject } = message.constructor as { toObject?: (message: object, options: object) => Fields }
  const names = toObject?.call(message.constructor, message, { enums: String, defaults: true })[key]
  return typeof names === 'object' && names !== null ? Object.values(names) : [names]
}
