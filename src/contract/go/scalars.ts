import type { JsonSchema } from '../json-schema.ts'

/** Number and type that a field of a protobuf type has. */
export interface ProtobufField {
  readonly id: number
  readonly type: string
  readonly key?: string
  readonly optional?: boolean
}

export function protobufField(schema: JsonSchema): ProtobufField | undefined {
  const found = schema['x-protobuf'] as Partial<ProtobufField> | undefined
  return found?.id === undefined ? undefined : (found as ProtobufField)
}

export function isProtobuf(schema: JsonSchema | null | undefined): boolean {
  return (schema?.['x-protobuf'] as { message?: string } | undefined)?.message !== undefined
}

/** Types of Go, and how the wire has them, by types of protobuf. */
const scalars: Readonly<Record<string, readonly [go: string, wire: string]>> = {
  double: ['float64', 'fixed64'],
  float: ['float32', 'fixed32'],
  int32: ['int32', 'varint'],
  int64: ['int64', 'varint'],
  uint32: ['uint32', 'varint'],
  uint64: ['uint64', 'varint'],
  sint32: ['int32', 'zigzag32'],
  sint64: ['int64', 'zigzag64'],
  fixed32: ['uint32', 'fixed32'],
  fixed64: ['uint64', 'fixed64'],
  sfixed32: ['int32', 'fixed32'],
  sfixed64: ['int64', 'fixed64'],
  bool: ['bool', 'varint'],
  string: ['string', 'bytes'],
  bytes: ['[]byte', 'bytes'],
}

/** The type in Go of a scalar of protobuf; undefined for messages and enums. */
export function protobufScalar(type: string): string | undefined {
  return scalars[type]?.[0]
}

/** The tags of a field, by which Go's protobuf reads and writes it. */
export function protobufTags(name: string, { id, type, key, optional }: ProtobufField, schema: JsonSchema, isMessage: boolean): string {
  const wire = (of: string, message = isMessage): string => scalars[of]?.[1] ?? (message ? 'bytes' : 'varint')
  if (key !== undefined)
    return (
      `protobuf:"bytes,${id},rep,name=${name},proto3" protobuf_key:"${wire(key, false)},1,opt,name=key,proto3" ` +
      `protobuf_val:"${wire(type)},2,opt,name=value,proto3"`
    )
  if (schema.type === 'array') {
    const packed = wire(type) === 'bytes' ? '' : 'packed,'
    return `protobuf:"${wire(type)},${id},rep,${packed}name=${name},proto3"`
  }
  return `protobuf:"${wire(type)},${id},opt,name=${name},proto3${optional === true && !isMessage ? ',oneof' : ''}"`
}

/** The type in Go of a value of JSON; undefined for one that may have several types. */
export function jsonScalar(schema: JsonSchema): string | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum
  const named = schema.type ?? values?.map((each) => typeof each)
  const types = new Set(typeof named === 'string' ? [named] : named)
  const options = schema.anyOf ?? schema.oneOf
  if (types.size === 0 && options !== undefined) {
    const found = new Set(options.map(jsonScalar))
    return found.size === 1 ? [...found][0] : undefined
  }
  if (types.size === 2 && types.has('integer') && types.has('number')) return 'float64'
  if (types.size !== 1) return undefined
  if (types.has('boolean')) return 'bool'
  if (types.has('number')) return 'float64'
  if (types.has('integer')) return isInt32(schema) ? 'int32' : 'int64'
  if (types.has('string')) return schema.contentEncoding === 'base64' ? '[]byte' : 'string'
  return undefined
}

function isInt32({ minimum, maximum }: JsonSchema): boolean {
  return typeof minimum === 'number' && typeof maximum === 'number' && minimum >= -(2 ** 31) && maximum < 2 ** 31
}
