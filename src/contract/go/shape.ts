import type { JsonSchema } from '../json-schema.ts'

const DEFS = '#/$defs/'

/** The name of the definition that a schema refers to; undefined for a schema of its own. */
export function refersTo({ $ref }: JsonSchema): string | undefined {
  return $ref?.startsWith(DEFS) ? $ref.slice(DEFS.length) : undefined
}

/** A schema without null, which a pointer says in Go. */
export function withoutNull(schema: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  if (Array.isArray(schema.type) && schema.type.includes('null')) {
    const types = schema.type.filter((each) => each !== 'null')
    return { schema: { ...schema, type: types.length === 1 ? types[0] : types }, nullable: true }
  }
  if (schema.enum?.includes(null)) return { schema: { ...schema, enum: schema.enum.filter((each) => each !== null) }, nullable: true }
  const options = schema.anyOf ?? schema.oneOf
  if (options === undefined) return { schema, nullable: false }
  const rest = options.filter((each) => each.type !== 'null')
  const nullable = rest.length < options.length
  const { anyOf: _, oneOf: __, ...outer } = schema
  if (rest.length === 1) return { schema: { ...outer, ...rest[0] }, nullable }
  return { schema: nullable ? { ...outer, anyOf: rest } : schema, nullable }
}

/** Whether null fits a schema, or the definition that it refers to. */
export function isNullable(schema: JsonSchema, defs: Readonly<Record<string, JsonSchema>>): boolean {
  const seen = new Set<string>()
  for (let each = schema; ; ) {
    const found = withoutNull(each)
    const name = refersTo(found.schema)
    if (found.nullable || name === undefined || seen.has(name)) return found.nullable
    seen.add(name)
    each = defs[name] ?? {}
  }
}

/** Objects that all have to fit as one object. */
export function merged(schema: JsonSchema, defs: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const { allOf, ...own } = schema
  if (allOf === undefined) return schema
  const target = (each: JsonSchema): JsonSchema => {
    const name = refersTo(each)
    return merged(name === undefined ? each : (defs[name] ?? {}), defs)
  }
  const parts = [own as JsonSchema, ...allOf.map(target)].filter((each) => Object.keys(each).length > 0)
  if (parts.some((each) => each.type !== 'object' && each.properties === undefined)) return own as JsonSchema
  return {
    ...own,
    type: 'object',
    properties: Object.assign({}, ...parts.map((each) => each.properties)),
    required: parts.flatMap((each) => each.required ?? []),
  }
}

/** Whether the values of an object are no fields, but a map. */
export function isMap(schema: JsonSchema): boolean {
  return schema.type === 'object' && schema.properties === undefined && schema.additionalProperties !== false
}

export function isStruct(schema: JsonSchema): boolean {
  return (schema.type === 'object' || schema.properties !== undefined) && !isMap(schema)
}

/** The values of an enumeration of texts, or of several alternatives that are texts; undefined for what is none. */
export function textsOf(schema: JsonSchema): readonly string[] | undefined {
  const values = valuesOf(schema)
  return values !== undefined && values.length > 1 && values.every((each) => typeof each === 'string') ? values : undefined
}

function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema.const]
  if (schema.enum !== undefined) return schema.enum
  const found = (schema.anyOf ?? schema.oneOf)?.map(valuesOf)
  return found?.every((each) => each !== undefined) ? [...new Set(found.flat())] : undefined
}

/** The parts of a schema that its type in Go depends on. What refers to itself does so by its depth. */
export function shapeOf(schema: JsonSchema, defs: Readonly<Record<string, JsonSchema>>, open: readonly string[] = []): string {
  const name = refersTo(schema)
  if (name !== undefined) {
    const at = open.lastIndexOf(name)
    return at >= 0 ? `^${open.length - at}` : shapeOf(defs[name] ?? {}, defs, [...open, name])
  }
  const { type, enum: values, required, contentEncoding, minimum, maximum, ...rest } = merged(schema, defs)
  const inner = (each: unknown): string =>
    typeof each === 'object' && each !== null ? shapeOf(each as JsonSchema, defs, open) : String(each)
  const list = (each: readonly JsonSchema[] | undefined): string[] | undefined => each?.map(inner)
  const properties = Object.entries(rest.properties ?? {}).map(([key, each]) => [key, inner(each)])
  return JSON.stringify([
    type,
    values,
    'const' in rest ? rest.const : undefined,
    contentEncoding,
    type === 'integer' ? [minimum, maximum] : undefined,
    properties,
    [...(required ?? [])].sort(),
    rest.items === undefined ? undefined : inner(rest.items),
    isMap(schema) ? inner(rest.additionalProperties) : undefined,
    list(rest.anyOf),
    list(rest.oneOf),
    list(rest.prefixItems),
    rest.prefixItems === undefined ? undefined : rest.minItems,
    rest['x-protobuf'],
  ])
}
