import type { JsonSchema } from './json-schema.ts'
import type { ProtobufField } from './protobuf-field.ts'

/** Types whose values are read as those of each other, where they fit. */
const FORMS = ['int32 uint32 int64 uint64 bool', 'sint32 sint64', 'fixed32 sfixed32', 'fixed64 sfixed64'].map((each) => each.split(' '))

export function isProtobufMessage(schema: JsonSchema): boolean {
  return schema['x-protobuf'] !== undefined && schema.properties !== undefined
}

/**
 * Why messages of one protobuf type may not be read as another: fields are known by their numbers, and unknown ones are
 * skipped.
 *
 * @param compareOne compares two schemas of messages
 */
export function compareMessages(
  from: JsonSchema,
  into: JsonSchema,
  path: string,
  reasons: string[],
  compareOne: (from: JsonSchema, into: JsonSchema, path: string) => void,
): void {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const [given, wanted] = [fieldsOf(from), fieldsOf(into)]
  for (const { name, field } of wanted.values()) {
    const sent = given.get(field.id)
    if (field.required === true && sent?.field.required !== true) reasons.push(`${at(name)} is required, and may be missing`)
  }
  const numbers = new Map([...wanted.values()].map(({ name, field }) => [name, field.id]))
  for (const [id, { name, schema, field }] of given) {
    const read = wanted.get(id)
    const other = numbers.get(name)
    if (other !== undefined && other !== id) reasons.push(`${at(name)} is sent as number ${id} and read as ${other}`)
    if (read === undefined) continue
    const [a, b] = [shape(schema, field), shape(read.schema, read.field)]
    if (!isReadAs(a, b)) reasons.push(`${at(name)} (number ${id}) is sent as ${a.text} and read as ${b.text}`)
    else if (a.message !== undefined && b.message !== undefined) compareOne(a.message, b.message, at(name))
    else if (read.field.closed === true) compareValues(a.values, b.values, at(name), reasons)
  }
}

interface FieldOf {
  readonly name: string
  readonly schema: JsonSchema
  readonly field: ProtobufField
}

function fieldsOf({ properties = {} }: JsonSchema): Map<number, FieldOf> {
  const fields = Object.entries(properties).flatMap(([name, schema]): [number, FieldOf][] => {
    const field = schema['x-protobuf'] as ProtobufField | undefined
    return field === undefined ? [] : [[field.id, { name, schema, field }]]
  })
  return new Map(fields)
}

interface Shape {
  /** `many` for a list or map. */
  readonly many: string
  readonly type: string
  readonly text: string
  readonly message: JsonSchema | undefined
  readonly values: readonly unknown[] | undefined
}

function shape(schema: JsonSchema, { type, key, delimited }: ProtobufField): Shape {
  const isMap = key !== undefined
  const isList = !isMap && schema.type === 'array'
  const one = isMap ? schema.additionalProperties : isList ? schema.items : schema
  const element = (typeof one === 'object' ? one : {}) as JsonSchema
  const isMessage = element.$ref !== undefined || element.properties !== undefined
  const kind = isMessage ? (delimited === true ? 'a group' : 'a message') : element.enum === undefined ? type : 'an enum'
  const many = isMap ? `map of ${key} to ` : isList ? 'list of ' : ''
  return { many, type: kind, text: `${many}${kind}`, message: isMessage ? element : undefined, values: element.enum }
}

function isReadAs(from: Shape, into: Shape): boolean {
  if (from.many !== into.many) return false
  const [a, b] = [from.type, into.type].map((each) => (each === 'an enum' ? 'int32' : each))
  return a === b || (a === 'string' && b === 'bytes') || FORMS.some((each) => each.includes(a) && each.includes(b))
}

function compareValues(from: readonly unknown[] | undefined, into: readonly unknown[] | undefined, where: string, reasons: string[]): void {
  const extra = from?.filter((each) => into?.includes(each) !== true) ?? []
  if (extra.length > 0) reasons.push(`${where} may be ${extra.join(', ')}, which is not expected`)
}
