import type { JsonSchema } from './json-schema.ts'
import type { ProtobufField, ProtobufMessage } from './protobuf-field.ts'

/** The part of a reflected type of protobufjs that is read. */
interface ReflectedType {
  readonly name: string
  readonly fullName: string
  readonly comment?: string | null
  readonly fieldsArray: readonly Field[]
  readonly parent?: unknown
  /** The parser tells types that no other contains. */
  readonly _edition?: string | null
  readonly root?: Root | null
}

interface Root {
  readonly _edition?: string | null
  readonly _needsRecursiveFeatureResolution?: boolean
  _resolveFeaturesRecursive?(edition: string): void
}

interface Field {
  readonly name: string
  readonly id: number
  readonly type: string
  readonly repeated: boolean
  readonly map: boolean
  readonly keyType?: string
  readonly hasPresence?: unknown
  readonly required?: boolean
  readonly packed?: boolean
  readonly options?: { readonly default?: unknown }
  readonly typeDefault?: unknown
  readonly delimited?: boolean
  readonly comment?: string | null
  readonly resolvedType: ReflectedType | { readonly values: Readonly<Record<string, number>> } | null
  resolve(): Field
}

const integers = new Set(['int32', 'uint32', 'sint32', 'fixed32', 'sfixed32'])
const longs = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'])

export function isReflected(type: unknown): type is ReflectedType {
  return Array.isArray((type as Partial<ReflectedType> | undefined)?.fieldsArray)
}

/** What presence and encoding depend on is worked out when a type is used first, which may be later than this. */
function resolveFeatures({ root }: ReflectedType): void {
  if (root?._needsRecursiveFeatureResolution === true) root._resolveFeaturesRecursive?.(root._edition ?? 'proto3')
}

function editionOf(type: ReflectedType): string {
  const { _edition: edition, parent } = type
  return edition ?? (isReflected(parent) ? editionOf(parent) : 'proto3')
}

function protobufMessage(type: ReflectedType): ProtobufMessage {
  const edition = editionOf(type)
  return { message: type.name, ...(edition === 'proto3' ? undefined : { edition }) }
}

function protobufOf(field: Field): ProtobufField {
  const { id, type, map, keyType, repeated, hasPresence, required, delimited, packed, resolvedType } = field
  const isMessage = isReflected(resolvedType)
  const given = defaultOf(field)
  const closed = (resolvedType as { _features?: { enum_type?: string } } | null)?._features?.enum_type === 'CLOSED'
  return {
    ...{ id, type },
    ...(map && keyType !== undefined ? { key: keyType } : undefined),
    ...(hasPresence && required !== true && !isMessage ? { optional: true as const } : undefined),
    ...(required === true ? { required } : undefined),
    ...(given === undefined ? undefined : { default: given }),
    ...(delimited === true && !map ? { delimited } : undefined),
    ...(closed && !isMessage ? { closed } : undefined),
    ...(repeated && !map && !isMessage && packed === false && type !== 'string' && type !== 'bytes'
      ? { expanded: true as const }
      : undefined),
  }
}

function defaultOf({ type, options, typeDefault, repeated, map }: Field): ProtobufField['default'] {
  if (options?.default === undefined || options.default === null || repeated || map) return undefined
  if (type === 'bytes') return btoa(String.fromCharCode(...(typeDefault as Uint8Array)))
  if (longs.has(type)) return String(options.default) // as a number it may have been rounded
  if (typeof typeDefault === 'boolean' || typeof typeDefault === 'string') return typeDefault
  const number = typeDefault as number
  return Number.isFinite(number) ? number : Number.isNaN(number) ? 'nan' : number > 0 ? 'inf' : '-inf'
}

/**
 * The JSON Schema of a protobuf type. `x-protobuf` keeps number and type of each field, for the .proto made of it.
 */
export function protobufSchema(root: ReflectedType): JsonSchema {
  resolveFeatures(root)
  const defs: Record<string, JsonSchema> = {}
  const names = new Map<ReflectedType, string>()
  const messageOf = (type: ReflectedType): JsonSchema => {
    const fields = type.fieldsArray.map((field) => field.resolve())
    const required = fields.filter((field) => field.required).map(({ name }) => name)
    return {
      type: 'object',
      ...(type.comment ? { description: type.comment } : undefined),
      'x-protobuf': protobufMessage(type),
      properties: Object.fromEntries(fields.map((field) => [field.name, fieldOf(field)])),
      ...(required.length === 0 ? undefined : { required }),
    }
  }
  const refer = (type: ReflectedType): JsonSchema => {
    let name = names.get(type)
    if (name === undefined) {
      name = type.fullName.replace(/^\./, '').replaceAll('.', '_')
      names.set(type, name)
      defs[name] = messageOf(type)
    }
    return { $ref: `#/$defs/${name}` }
  }
  const schemaOf = ({ type, resolvedType }: Field): JsonSchema => {
    if (resolvedType !== null) {
      if (isReflected(resolvedType)) return refer(resolvedType)
      return { enum: Object.values((resolvedType as { values: Record<string, number> }).values) }
    }
    if (type === 'bool') return { type: 'boolean' }
    if (type === 'string') return { type: 'string' }
    if (type === 'bytes') return { type: 'string', contentEncoding: 'base64' }
    if (integers.has(type)) return { type: 'integer' }
    if (longs.has(type)) return { type: ['integer', 'string'], format: 'int64' }
    return { type: 'number' }
  }
  const fieldOf = (field: Field): JsonSchema => {
    const one = schemaOf(field)
    const many = field.map ? { type: 'object', additionalProperties: one } : field.repeated ? { type: 'array', items: one } : one
    const description = field.comment ? { description: field.comment } : undefined
    return {
      ...many,
      ...description,
      'x-protobuf': protobufOf(field),
    }
  }
  const schema = messageOf(root)
  return Object.keys(defs).length === 0 ? schema : { ...schema, $defs: defs }
}
