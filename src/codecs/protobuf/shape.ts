import type { AnyMessageType } from './runtime.ts'

const objects = Object.prototype

export const Kind = { Int32: 0, Uint32: 1, Int64: 2, Uint64: 3, Real: 4, Bool: 5, Text: 6, Bytes: 7, Enum: 8, Message: 9 } as const

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

export const Holds = { One: 0, Many: 1, Map: 2 } as const

/** The fields of a message type, in the order of their numbers. */
export interface Shape {
  readonly fields: Field[]
  readonly byName: Map<string, Field>
  readonly type: ReflectedType
  /** Whether `writeInOrder` writes what the type writes; undefined as long as that was not tried. */
  ordered: boolean | undefined
}

export interface Field {
  readonly name: string
  readonly index: number
  readonly holds: number
  readonly kind: number
  /** Names of the enum's numbers. */
  readonly names: Readonly<Record<number, string>> | undefined
  /** The class of the field's messages, and their fields. */
  readonly type: ReflectedType | undefined
  shape: Shape | undefined
  /** The writer's method for a value. */
  readonly method: Method
  /** The tag before a value. */
  readonly tag: number
  /** The tag before a list whose items follow one another; 0 when each has a tag. */
  readonly packedTag: number
  /** The default of an enum. */
  readonly fallback: unknown
  readonly required: boolean
  /** Whether a value that is the default is left out. */
  skips: boolean
}

/** Names of the writer's methods that write one value. */
type Method =
  | 'int32'
  | 'sint32'
  | 'sfixed32'
  | 'uint32'
  | 'fixed32'
  | 'int64'
  | 'sint64'
  | 'sfixed64'
  | 'uint64'
  | 'fixed64'
  | 'float'
  | 'double'
  | 'bool'
  | 'string'
  | 'bytes'

/** Wire types of other values than varints. */
const wireTypes: Partial<Record<string, number>> = {
  fixed64: 1,
  sfixed64: 1,
  double: 1,
  string: 2,
  bytes: 2,
  fixed32: 5,
  sfixed32: 5,
  float: 5,
}
const LENGTH_DELIMITED = 2

/** Whether `value` is an object literal, or has no prototype, and no `toJSON`. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === objects || prototype === null) && (value as { toJSON?: unknown }).toJSON === undefined
}

/** A message type of protobufjs that was made from a .proto file, by what it tells of itself. */
export interface ReflectedType extends AnyMessageType {
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
  readonly id: number
  readonly packed: boolean
  readonly required?: boolean
  readonly typeDefault: unknown
  readonly resolvedType: { readonly valuesById?: Readonly<Record<number, string>>; readonly fieldsArray?: unknown } | null
}

/** Null for types that are converted by functions of their own, or say nothing of their fields. */
const shapes = new WeakMap<AnyMessageType, Shape | null>()

export function shapeOf(type: AnyMessageType): Shape | undefined {
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
  if (type.fromObject === undefined || !Object.hasOwn(type.fromObject, 'prototype') || !Object.hasOwn(type.encode, 'prototype')) return null
  const shape: Shape = { fields: [], byName: new Map(), type, ordered: undefined }
  for (const reflected of [...type.fieldsArray].sort((left, right) => left.id - right.id)) {
    reflected.resolve()
    const { name, repeated, map, resolvedType } = reflected
    const names = resolvedType?.valuesById
    const kind = names !== undefined ? Kind.Enum : resolvedType ? Kind.Message : kinds[reflected.type]
    if (kind === undefined || (kind === Kind.Message && !isReflected(resolvedType))) return null
    const method = (kind === Kind.Enum ? 'int32' : reflected.type) as Method
    const wire = kind === Kind.Message ? LENGTH_DELIMITED : (wireTypes[method] ?? 0)
    const field: Field = {
      name,
      index: shape.fields.length,
      holds: map ? Holds.Map : repeated ? Holds.Many : Holds.One,
      kind,
      names,
      type: kind === Kind.Message ? (resolvedType as unknown as ReflectedType) : undefined,
      shape: undefined,
      method,
      tag: ((reflected.id << 3) | wire) >>> 0,
      packedTag: reflected.packed === true && wire !== LENGTH_DELIMITED ? ((reflected.id << 3) | LENGTH_DELIMITED) >>> 0 : 0,
      fallback: reflected.typeDefault,
      required: reflected.required === true,
      skips: false,
    }
    shape.fields.push(field)
    shape.byName.set(name, field)
  }
  return shape
}
