import { encoded } from '../binary/output.ts'
import type { AnyMessageType } from './runtime.ts'
import { type Field, Holds, isPlain, Kind, type ReflectedType, type Shape, shapeOf } from './shape.ts'
import { begin, close, writeMessage, writer } from './writer.ts'

// Plain objects whose keys are in the order of the fields' numbers are written in one pass: each value is checked as
// `isLikeMessage` checks it, and written as the type's own `encode` would. Whether it would is tried once per field.

/** Number of objects that are left alone after one that was not written: more of its kind may follow. */
const PAUSE = 15
let pause = 0

/** Thrown for an object that is not written in order. */
const unusual: unique symbol = Symbol('unusual')

/** Deepest nesting that is written: protobufjs refuses deeper messages. */
const MAX_DEPTH = 100

const { hasOwnProperty: hasOwn } = Object.prototype

let lastType: AnyMessageType | undefined
let lastShape: Shape | undefined

/** Whether `writeOrdered` is to be tried for `given`, a value of `type`. */
export function mayBeOrdered(type: AnyMessageType, given: object): boolean {
  if (type !== lastType) {
    lastShape = shapeOf(type)
    lastType = type
  }
  if (lastShape === undefined || !isPlain(given)) return false
  if (pause > 0) {
    pause--
    return false
  }
  return isOrdered(lastShape)
}

/**
 * Writes `given` from `start`. Requires that `mayBeOrdered` has just said so.
 * @returns where it ends; -1 for no room
 * @throws when it is not written
 */
export function writeOrdered(given: unknown, start: number): number {
  ordered.shape = lastShape as Shape
  return writeMessage(ordered, given, start)
}

/** Stands for the type where `writeMessage` expects one. */
const ordered = {
  shape: undefined as Shape | undefined,
  encode(given: unknown): never {
    if (!writeInOrder(ordered.shape as Shape, given as object, 0)) {
      pause = PAUSE
      throw unusual
    }
    return undefined as never
  },
}

/** False when `given` is not to be written so. Then bytes may have been written. */
function writeInOrder(shape: Shape, given: object, depth: number): boolean {
  const { fields } = shape
  let next = 0
  for (const key in given) {
    let field = fields[next]
    if (field === undefined || field.name !== key) {
      const named = shape.byName.get(key)
      if (named === undefined || named.index < next) return false
      field = named
    }
    next = field.index + 1
    if (!hasOwn.call(given, key)) return false
    const value = (given as Record<string, unknown>)[key]
    if (value === undefined || value === null) continue
    if (field.holds === Holds.One ? !writeField(field, value, field.tag, field.skips, depth) : !writeList(field, value, depth)) return false
  }
  return true
}

/**
 * @param tag 0 for none
 * @param skips whether nothing is written for a default
 */
function writeField(field: Field, value: unknown, tag: number, skips: boolean, depth: number): boolean {
  switch (field.kind) {
    case Kind.Enum:
      if (typeof value !== 'number' || field.names?.[value] === undefined) return false
      if (skips && value === field.fallback) return true
      break
    case Kind.Int32:
      if (typeof value !== 'number' || (value | 0) !== value) return false
      if (skips && value === 0) return true
      break
    case Kind.Text:
      if (typeof value !== 'string') return false
      if (skips && value === '') return true
      if (tag !== 0) writer.uint32(tag)
      writer.string(value)
      return true
    case Kind.Bool:
      if (typeof value !== 'boolean') return false
      if (skips && !value) return true
      if (tag !== 0) writer.uint32(tag)
      writer.bool(value)
      return true
    case Kind.Real:
      if (typeof value !== 'number') return false
      if (skips && Object.is(value, 0)) return true
      break
    case Kind.Message:
      return writeChild(field, value, tag, depth)
    default:
      if (!fitsRare(field.kind, value)) return false
      if (skips && (value === 0 || (value as Uint8Array).length === 0)) return true
  }
  if (tag !== 0) writer.uint32(tag)
  if (field.method === 'int32') writer.int32(value as number)
  else if (field.method === 'double') writer.double(value as number)
  else writer[field.method](value as never)
  return true
}

/** As in `isLikeMessage`. */
function fitsRare(kind: number, value: unknown): boolean {
  switch (kind) {
    case Kind.Uint32:
      return typeof value === 'number' && value >>> 0 === value
    case Kind.Int64:
      return Number.isSafeInteger(value) || (typeof value === 'bigint' && value !== 0n)
    case Kind.Uint64:
      return (Number.isSafeInteger(value) && (value as number) >= 0) || (typeof value === 'bigint' && value > 0n)
    default:
      return value instanceof Uint8Array
  }
}

function writeChild(field: Field, value: unknown, tag: number, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH || !isPlain(value)) return false
  field.shape ??= shapeOf(field.type as ReflectedType)
  if (field.shape === undefined || !isOrdered(field.shape)) return false
  writer.uint32(tag)
  const start = begin()
  if (!writeInOrder(field.shape, value, depth + 1)) return false
  close(writer, start)
  return true
}

function writeList(field: Field, list: unknown, depth: number): boolean {
  if (field.holds !== Holds.Many || !Array.isArray(list) || (list as { toJSON?: unknown }).toJSON !== undefined) return false
  const { length } = list
  const { packedTag, tag } = field
  if (length === 0) return true
  if (packedTag === 0) {
    for (let i = 0; i < length; i++) if (!writeField(field, list[i], tag, false, depth)) return false
    return true
  }
  writer.uint32(packedTag)
  const start = begin()
  for (let i = 0; i < length; i++) if (!writeField(field, list[i], 0, false, depth)) return false
  close(writer, start)
  return true
}

function isOrdered(shape: Shape): boolean {
  if (shape.ordered === undefined) {
    shape.ordered = true // for types that hold themselves
    shape.ordered = shape.fields.every((field) => isWrittenAlike(shape, field))
  }
  return shape.ordered
}

/** Samples of values for each kind, after the default. An enum has its own. */
const samples: Record<number, unknown[]> = {
  [Kind.Int32]: [0, 5, -1],
  [Kind.Uint32]: [0, 300],
  [Kind.Int64]: [0, 5, -1],
  [Kind.Uint64]: [0, 300],
  [Kind.Real]: [0, 1.5],
  [Kind.Bool]: [false, true],
  [Kind.Text]: ['', 'x'],
  [Kind.Bytes]: [new Uint8Array(0), new Uint8Array(2)],
  [Kind.Message]: [{}],
}

/** Whether samples of a field are written here as the type's own `encode` writes them. */
function isWrittenAlike(shape: Shape, field: Field): boolean {
  if (field.holds === Holds.Map) return true // never written here
  const values = samples[field.kind] ?? [field.fallback, ...Object.keys(field.names ?? {}).map(Number)]
  try {
    if (field.holds === Holds.Many) return isSame(shape, { [field.name]: values })
    field.skips = field.kind !== Kind.Message && shape.type.encode({ [field.name]: values[0] }).finish().length === 0
    return values.every((value) => isSame(shape, { [field.name]: value }))
  } catch {
    return false
  }
}

function isSame(shape: Shape, given: object): boolean {
  const theirs = shape.type.encode(given).finish()
  const ours = encoded((_, start) => writeMessage({ encode: () => requireWritten(writeInOrder(shape, given, 0)) }, given, start), given)
  return Buffer.compare(ours, theirs) === 0
}

function requireWritten(written: boolean): never {
  if (!written) throw unusual
  return undefined as never
}
