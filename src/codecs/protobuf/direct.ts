import type { AnyMessageType } from './runtime.ts'
import { type Field, Holds, isPlain, Kind, type ReflectedType, type Shape, shapeOf } from './shape.ts'

/**
 * Whether encoding `given` as it is writes what encoding the message made of it would: every value is in the form that
 * its field has in a message. Then neither `fromObject` nor a comparison with what it made is needed. False for what
 * is unusual, wrong things too, and for types that say nothing of their fields.
 */
export function isLikeMessage(type: AnyMessageType, given: object): boolean {
  if (type !== lastType) {
    lastShape = shapeOf(type)
    lastType = type
  }
  return lastShape !== undefined && isPlain(given) && fits(lastShape, given, 0)
}

/** Deepest nesting that is looked at: protobufjs refuses deeper messages. */
const MAX_DEPTH = 100

const { hasOwnProperty: hasOwn } = Object.prototype

let lastType: AnyMessageType | undefined
let lastShape: Shape | undefined

function fits(shape: Shape, given: object, depth: number): boolean {
  const { fields } = shape
  let next = 0
  for (const key in given) {
    let field = fields[next]
    if (field === undefined || field.name !== key) {
      const named = shape.byName.get(key)
      if (named === undefined) return false
      field = named
    }
    next = field.index + 1
    if (!hasOwn.call(given, key)) return false
    const value = (given as Record<string, unknown>)[key]
    if (value === undefined || value === null) continue
    const { holds } = field
    if (
      holds === Holds.One
        ? !fitsField(field, value, depth)
        : holds === Holds.Many
          ? !fitsList(field, value, depth)
          : !fitsMap(field, value, depth)
    )
      return false
  }
  return true
}

function fitsField(field: Field, value: unknown, depth: number): boolean {
  switch (field.kind) {
    case Kind.Int32:
      return typeof value === 'number' && (value | 0) === value
    case Kind.Uint32:
      return typeof value === 'number' && value >>> 0 === value
    case Kind.Int64:
      return Number.isSafeInteger(value) || (typeof value === 'bigint' && value !== 0n)
    case Kind.Uint64:
      return (Number.isSafeInteger(value) && (value as number) >= 0) || (typeof value === 'bigint' && value > 0n)
    case Kind.Real:
      return typeof value === 'number'
    case Kind.Bool:
      return typeof value === 'boolean'
    case Kind.Text:
      return typeof value === 'string'
    case Kind.Bytes:
      return value instanceof Uint8Array
    case Kind.Enum:
      return typeof value === 'number' && field.names?.[value] !== undefined
    default:
      return fitsMessage(field, value, depth)
  }
}

function fitsMessage(field: Field, value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return false
  if (!isPlain(value)) return value instanceof (field.type as ReflectedType).ctor
  field.shape ??= shapeOf(field.type as ReflectedType)
  return field.shape !== undefined && fits(field.shape, value, depth + 1)
}

function fitsList(field: Field, value: unknown, depth: number): boolean {
  if (!Array.isArray(value) || (value as { toJSON?: unknown }).toJSON !== undefined) return false
  for (let i = 0; i < value.length; i++) if (!fitsField(field, value[i], depth)) return false
  return true
}

function fitsMap(field: Field, value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return false
  for (const key of Object.keys(value)) if (!fitsField(field, (value as Record<string, unknown>)[key], depth)) return false
  return true
}
