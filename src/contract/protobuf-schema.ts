import type { JsonSchema } from './json-schema.ts'
import type { ProtobufField } from './protobuf-fits.ts'

/** The part of a reflected type of protobufjs that is read. */
interface ReflectedType {
  readonly name: string
  readonly fullName: string
  readonly comment?: string | null
  readonly fieldsArray: readonly Field[]
}

interface Field {
  readonly name: string
  readonly id: number
  readonly type: string
  readonly repeated: boolean
  readonly map: boolean
  readonly keyType?: string
  readonly partOf?: unknown
  readonly required?: boolean
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

function protobufOf({ id, type, map, keyType, partOf, required, delimited, resolvedType }: Field): ProtobufField {
  const closed = (resolvedType as { _features?: { enum_type?: string } } | null)?._features?.enum_type === 'CLOSED'
  return {
    ...{ id, type },
    ...(map && keyType !== undefined ? { key: keyType } : undefined),
    ...(partOf ? { optional: true as const } : undefined),
    ...(required === true ? { required } : undefined),
    ...(delimited === true ? { delimited } : undefined),
    ...(closed && !isReflected(resolvedType) ? { closed } : undefined),
  }
}

/**
 * The JSON Schema of a protobuf type. `x-protobuf` keeps number and type of each field, for the .proto made of it.
 */
export function protobufSchema(root: ReflectedType): JsonSchema {
  const defs: Record<string, JsonSchema> = {}
  const names = new Map<ReflectedType, string>()
  const messageOf = (type: ReflectedType): JsonSchema => {
    const fields = type.fieldsArray.map((field) => field.resolve())
    const required = fields.filter((field) => field.required).map(({ name }) => name)
    return {
      type: 'object',
      ...(type.comment ? { description: type.comment } : undefined),
      'x-protobuf': { message: type.name },
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
