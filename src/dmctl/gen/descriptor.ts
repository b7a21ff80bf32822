import type protobufjs from 'protobufjs'
import { isEnum, isExtension, isType } from './kinds.ts'
import { fieldName } from './names.ts'

type Json = Record<string, unknown>

/** Features that decide how messages are encoded and read. */
type Feature = 'enum_type' | 'field_presence' | 'message_encoding' | 'repeated_field_encoding' | 'utf8_validation'
type Features = Readonly<Record<Feature, string>>

const LENGTH = { message_encoding: 'LENGTH_PREFIXED' } as const
const PROTO3: Features = {
  ...LENGTH,
  enum_type: 'OPEN',
  field_presence: 'IMPLICIT',
  repeated_field_encoding: 'PACKED',
  utf8_validation: 'VERIFY',
}
const EDITIONS: Features = { ...PROTO3, field_presence: 'EXPLICIT' }
const PROTO2: Features = {
  ...LENGTH,
  enum_type: 'CLOSED',
  field_presence: 'EXPLICIT',
  repeated_field_encoding: 'EXPANDED',
  utf8_validation: 'NONE',
}

type Types = Pick<ReadonlySet<protobufjs.ReflectionObject>, 'has'>

interface Resolved {
  readonly _edition: string | null
  readonly _features: Features
}

/**
 * These types, by default all, as protobufjs reads them again, with fields named as in TypeScript. The descriptor is
 * made of what the types mean, so that it is the same whoever has read the file: our parser or protoc.
 */
export function descriptorOf(root: protobufjs.Root, types?: ReadonlySet<protobufjs.ReflectionObject>): object {
  return { nested: nestedOf(root, types ?? { has: () => true }) }
}

function nestedOf(namespace: protobufjs.NamespaceBase, types: Types): Json | undefined {
  const { nestedArray } = namespace
  const ordered = [...nestedArray.filter((each) => !isEnum(each)), ...nestedArray.filter(isEnum)]
  // Which file of a package comes first depends on who reads them.
  if (!isType(namespace)) ordered.sort((a, b) => (a.name < b.name ? -1 : 1))
  const parts = ordered.flatMap((each): [string, Json][] => {
    if (isType(each)) return types.has(each) ? [[each.name, typeOf(each, types)]] : []
    if (isEnum(each)) return types.has(each) ? [[each.name, enumOf(each)]] : []
    const nested = 'nestedArray' in each && !('methodsArray' in each) ? nestedOf(each as protobufjs.Namespace, types) : undefined
    return nested === undefined ? [] : [[each.name, { nested }]]
  })
  return parts.length === 0 ? undefined : Object.fromEntries(parts)
}

function typeOf(type: protobufjs.Type, types: Types): Json {
  const fields = type.fieldsArray.filter((each) => !isExtension(each))
  const written = type.oneofsArray.filter((each) => !each.isProto3Optional)
  const oneofs = [...written, ...type.oneofsArray.filter((each) => each.isProto3Optional)].map(({ name, oneof }) => [
    name,
    { oneof: oneof.map(fieldName) },
  ])
  return compact({
    ...common(type, ['enum_type', 'field_presence', 'message_encoding', 'repeated_field_encoding', 'utf8_validation']),
    oneofs: oneofs.length === 0 ? undefined : Object.fromEntries(oneofs),
    fields: Object.fromEntries(fields.map((field) => [fieldName(field.name), fieldOf(field)])),
    nested: nestedOf(type, types),
    comment: type.comment,
  })
}

function enumOf(type: protobufjs.Enum): Json {
  const shared = common(type, ['enum_type'])
  const aliases = type.options?.allow_alias === true ? { allow_alias: true } : undefined
  const options = aliases === undefined ? shared.options : { ...aliases, ...(shared.options as Json | undefined) }
  return compact({ ...shared, options, values: { ...type.values }, comment: type.comment })
}

function fieldOf(field: protobufjs.Field): Json {
  const { map, repeated, resolvedType, partOf } = field
  const keyType = map ? (field as unknown as protobufjs.MapField).keyType : undefined
  const relevant = [
    map || repeated || partOf !== null ? '' : 'field_presence',
    isType(resolvedType) ? 'message_encoding' : '',
    repeated ? 'repeated_field_encoding' : '',
    field.type === 'string' || keyType === 'string' ? 'utf8_validation' : '',
  ].filter((each): each is Feature => each !== '')
  const options = compact({
    ...featuresOf(field, (field.parent as unknown as Resolved)._features, relevant),
    proto3_optional: field.options?.proto3_optional === true ? true : undefined,
    default: defaultOf(field),
  })
  return compact({
    rule: repeated && !map ? 'repeated' : undefined,
    keyType,
    type: resolvedType === null ? field.type : resolvedType.fullName,
    id: field.id,
    options: Object.keys(options).length === 0 ? undefined : options,
    comment: field.comment,
  })
}

/** Edition and features of a message or enum. */
function common(type: protobufjs.Type | protobufjs.Enum, relevant: readonly Feature[]): Json {
  if (isType(type.parent)) return { options: nonEmpty(featuresOf(type, (type.parent as unknown as Resolved)._features, relevant)) }
  const edition = (type as unknown as Resolved)._edition ?? 'proto3'
  const defaults = edition === 'proto2' ? PROTO2 : edition === 'proto3' ? PROTO3 : EDITIONS
  return { edition: edition === 'proto3' ? undefined : edition, options: nonEmpty(featuresOf(type, defaults, relevant)) }
}

/** The features that differ from those that would be inherited. */
function featuresOf(object: protobufjs.ReflectionObject, inherited: Features, relevant: readonly Feature[]): Json {
  const { _features: own } = object as unknown as Resolved
  const differing = relevant.filter((each) => own[each] !== inherited[each]).map((each) => [each, own[each]])
  return differing.length === 0 ? {} : { features: Object.fromEntries(differing) }
}

/** Numbers that JSON does not have, as TypeScript. */
const NUMBERS: Readonly<Record<string, string>> = { Infinity: '1e999', '-Infinity': '-1e999', NaN: '0 / 0' }

/** A default as protobufjs takes it: 64-bit integers are digits, bytes base64, values of enums their names. */
function defaultOf(field: protobufjs.Field): unknown {
  const given: unknown = field.options?.default
  if (given === undefined || given === null || field.repeated || field.map) return undefined
  const { type, typeDefault, long } = field
  if (long || type === 'string' || type === 'bytes' || type === 'bool' || isEnum(field.resolvedType)) return given
  return Number(typeDefault)
}

/** The descriptor as TypeScript. */
export function literal(descriptor: object): string {
  // A zero byte marks the numbers; texts that begin with one get a second, which goes again.
  const mark = (_: string, value: unknown): unknown => {
    const isMarked = typeof value === 'string' ? value.startsWith('\0') : typeof value === 'number' && !Number.isFinite(value)
    return isMarked ? `\0${value}` : value
  }
  return JSON.stringify(descriptor, mark, 2).replaceAll(/(?<!\\)"\\u0000(?:(-?Infinity|NaN)"|(?=\\u0000))/g, (_, number?: string) =>
    number === undefined ? '"' : NUMBERS[number],
  )
}

function nonEmpty(value: Json): Json | undefined {
  return Object.keys(value).length === 0 ? undefined : value
}

function compact(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== null && each !== ''))
}
