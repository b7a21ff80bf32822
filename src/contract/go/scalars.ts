import type { JsonSchema } from '../json-schema.ts'
import { MAP_KEYS, MAX_FIELD, type ProtobufField, type ProtobufMessage } from '../protobuf-field.ts'
import { quoted } from './text.ts'

export function protobufField(schema: JsonSchema): ProtobufField | undefined {
  const found = schema['x-protobuf'] as Partial<ProtobufField> | undefined
  return found?.id === undefined ? undefined : (found as ProtobufField)
}

/** The protobuf message that a schema is of; undefined for one of JSON. */
export function protobufMessage(schema: JsonSchema | null | undefined): ProtobufMessage | undefined {
  const found = schema?.['x-protobuf'] as Partial<ProtobufMessage> | undefined
  return found?.message === undefined ? undefined : (found as ProtobufMessage)
}

export function isProtobuf(schema: JsonSchema | null | undefined): boolean {
  return protobufMessage(schema) !== undefined
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

/** A field of a message, for its tags. */
interface TaggedField {
  readonly name: string
  readonly schema: JsonSchema
  readonly field: ProtobufField
  /** Name of the message that its value is, or the members of its list or map are. */
  readonly message: string | undefined
  readonly isProto3: boolean
}

/**
 * The tags of a field, by which Go's protobuf reads and writes it, as protoc-gen-go writes them.
 *
 * @throws TypeError for what no tag may have: nothing else may get into it
 */
export function protobufTags({ name, schema, field, message, isProto3 }: TaggedField): string {
  const { id, type, key, optional, required, delimited, expanded, default: given } = field
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`no field of protobuf may be named ${JSON.stringify(name)}`)
  if (!Number.isInteger(id) || id < 1 || id > MAX_FIELD) throw new TypeError(`${name} cannot have the number ${JSON.stringify(id)}`)
  if (key !== undefined && !MAP_KEYS.includes(key)) throw new TypeError(`${name} cannot have keys of type ${JSON.stringify(key)}`)
  const wire = (of: string): string => scalars[of]?.[1] ?? 'varint'
  const value = message === undefined ? wire(type) : delimited === true ? 'group' : 'bytes'
  const syntax = isProto3 ? ['proto3'] : []
  const tag = (...parts: readonly string[]): string => quoted(parts.join(',')).replaceAll('`', '\\x60')
  if (key !== undefined) {
    const entry = ['protobuf_key', wire(key), '1', 'key', 'protobuf_val', message === undefined ? wire(type) : 'bytes', '2', 'value']
    const [ofKey, ofValue] = [entry.slice(0, 4), entry.slice(4)].map(
      ([tagName, kind, number, of]) => `${tagName}:${tag(kind, number, 'opt', `name=${of}`, ...syntax)}`,
    )
    return `protobuf:${tag('bytes', `${id}`, 'rep', `name=${name}`, ...syntax)} ${ofKey} ${ofValue}`
  }
  // Old groups have the name of their message here, of which Go makes that of the field.
  const named = value === 'group' && message?.toLowerCase() === name.toLowerCase() ? `name=${message}` : `name=${name}`
  const isList = schema.type === 'array'
  const packed = isList && value !== 'bytes' && value !== 'group' && expanded !== true ? ['packed'] : []
  const kind = isList ? 'rep' : required === true ? 'req' : 'opt'
  // In proto3 alone every scalar without a oneof is always there.
  const oneof = isProto3 && optional === true ? ['oneof'] : []
  const def = given === undefined ? [] : [`def=${defaultText(type, given)}`]
  return `protobuf:${tag(value, `${id}`, kind, ...packed, named, ...syntax, ...oneof, ...def)}`
}

function defaultText(type: string, given: string | number | boolean): string {
  if (typeof given === 'boolean') return given ? '1' : '0'
  if (type !== 'bytes') return String(given)
  const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && !`"'\\`.includes(String.fromCharCode(byte))
  return [...Buffer.from(String(given), 'hex')]
    .map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`))
    .join('')
}

/** The type in Go of a value of JSON; undefined for one that may have several types. */
export function jsonScalar(schema: JsonSchema | boolean): string | undefined {
  if (typeof schema === 'boolean') return undefined
  const values = 'const' in schema ? [schema.const] : schema.enum
  const named = schema.type ?? values?.map((each) => typeof each)
  const types = new Set(typeof named === 'string' ? [named] : named)
  const options = schema.anyOf ?? schema.oneOf
  if (types.size === 0 && options !== undefined) {
    const found = new Set(options.map(jsonScalar))
    if (found.size === 1) return [...found][0]
    // The type that has all of their values.
    const wide = ['float64', 'int64', 'string'].find((each) => found.has(each))
    const narrow = wide === 'string' ? ['string', '[]byte'] : ['float64', 'int64', 'int32']
    return wide !== undefined && [...found].every((each) => each !== undefined && narrow.includes(each)) ? wide : undefined
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
