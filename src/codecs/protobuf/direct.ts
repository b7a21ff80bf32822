import type { AnyMessageType } from './runtime.ts'

/**
 * Whether encoding `given` as it is writes what encoding the message made of it would: every value is in the form that
 * its field has in a message. Then neither `fromObject` nor a comparison with what it made is needed. False for whatever
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

const Kind = { Int32: 0, Uint32: 1, Int64: 2, Uint64: 3, Real: 4, Bool: 5, Text: 6, Bytes: 7, Enum: 8, Message: 9 } as const

const kinds: Record<string, number | undefined> = {
  int32: Kind.Int32,
  sint32: Kind.Int32,
  sfixed32: Kind.Int32,
  uint32: Kind.Uint32,
  fixed32: Kind.Uint32,
  int64: Kind.Int64,
  sint64: Kind.Int64,
  sfixed64: Kind.Int64,
  uint64: Kind.Uint64,
  fixed64: Kind.Uint64,
  float: Kind.Real,
  double: Kind.Real,
  bool: Kind.Bool,
  string: Kind.Text,
  bytes: Kind.Bytes,
}

const Holds = { One: 0, Many: 1, Map: 2 } as const

/** The fields of a message type, in the order of their declaration. */
interface Shape {
  readonly fields: Field[]
  readonly byName: Map<string, Field>
}

interface Field {
  readonly name: string
  readonly index: number
  readonly holds: number
  readonly kind: number
  /** Names of the enum's numbers. */
  readonly names: Readonly<Record<number, string>> | undefined
  /** The class of the field's messages, and their fields. */
  readonly type: ReflectedType | undefined
  shape: Shape | undefined
}

const objects = Object.prototype
const { hasOwnProperty: hasOwn } = objects

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

/** Whether `value` is an object literal, or has no prototype, and no `toJSON`. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === objects || prototype === null) && (value as { toJSON?: unknown }).toJSON === undefined
}

/** What a message type of protobufjs that was made from a .proto file tells of itself. */
interface ReflectedType extends AnyMessageType {
  readonly fieldsArray: ReflectedField[]
  readonly ctor: new () => object
  setup(): unknown
}

interface ReflectedField {
  resolve(): unknown
  readonly name: string
  readonly type: string
  readonly repeated: boolean
  readonly map: boolean
  readonly resolvedType: { readonly valuesById?: Readonly<Record<number, string>>; readonly fieldsArray?: unknown } | null
}

/** Null for types that are converted by functions of their own, or say nothing of their fields. */
const shapes = new WeakMap<AnyMessageType, Shape | null>()

function shapeOf(type: AnyMessageType): Shape | undefined {
  let shape = shapes.get(type)
  if (shape === undefined) {
    const reflected = reflectedOf(type)
    shape = reflected === undefined ? null : reflected === type ? describe(reflected) : (shapeOf(reflected) ?? null)
    shapes.set(type, shape)
  }
  return shape ?? undefined
}

/** The type whose functions are those of `type`; undefined when it has none, or others. */
function reflectedOf(type: AnyMessageType): ReflectedType | undefined {
  if (isReflected(type)) return type
  const { $type, prototype } = type as { $type?: unknown; prototype?: object }
  if (!isReflected($type) || prototype === undefined) return undefined
  // A class of the application may convert and encode in its own way; what it does not, it has from protobufjs.Message.
  const base = (Object.getPrototypeOf(prototype) as { constructor?: Partial<AnyMessageType> } | null)?.constructor
  const own = type as Partial<AnyMessageType>
  return own.fromObject === base?.fromObject && own.encode === base?.encode && $type.ctor === (type as unknown) ? $type : undefined
}

function isReflected(type: unknown): type is ReflectedType {
  const { fieldsArray, setup, ctor } = Object(type) as Partial<ReflectedType>
  return Array.isArray(fieldsArray) && typeof setup === 'function' && typeof ctor === 'function'
}

function describe(type: ReflectedType): Shape | null {
  if (!Object.hasOwn(type, 'fromObject')) type.setup()
  // Wrappers, as that of google.protobuf.Any, are bound functions.
  if (type.fromObject === undefined || !Object.hasOwn(type.fromObject, 'prototype') || !Object.hasOwn(type.encode, 'prototype'))
    return null
  const shape: Shape = { fields: [], byName: new Map() }
  for (const reflected of type.fieldsArray) {
    reflected.resolve()
    const { name, repeated, map, resolvedType } = reflected
    const names = resolvedType?.valuesById
    const kind = names !== undefined ? Kind.Enum : resolvedType ? Kind.Message : kinds[reflected.type]
    if (kind === undefined || (kind === Kind.Message && !isReflected(resolvedType))) return null
    const field: Field = {
      name,
      index: shape.fields.length,
      holds: map ? Holds.Map : repeated ? Holds.Many : Holds.One,
      kind,
      names,
      type: kind === Kind.Message ? (resolvedType as unknown as ReflectedType) : undefined,
      shape: undefined,
    }
    shape.fields.push(field)
    shape.byName.set(name, field)
  }
  return shape
}
