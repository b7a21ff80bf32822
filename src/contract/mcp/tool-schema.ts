import type { JsonSchema } from '../json-schema.ts'

/**
 * A schema of an object, as tools need it: what is none is the member `name` of one.
 */
export function objectSchema(schema: JsonSchema | null, name: string): { schema: JsonSchema; wrapped: boolean } {
  if (schema === null) return { schema: { type: 'object', properties: {} }, wrapped: false }
  const found = dereferenced(schema)
  if (found.type === 'object') return { schema: found, wrapped: false }
  const { $defs, ...rest } = found
  const wrapper: JsonSchema = { type: 'object', properties: { [name]: rest as JsonSchema }, required: [name] }
  return { schema: $defs === undefined ? wrapper : { ...wrapper, $defs }, wrapped: true }
}

/** A schema that is a reference as what it refers to. */
function dereferenced(schema: JsonSchema): JsonSchema {
  const { $ref, $defs = {}, ...rest } = schema
  const target = $ref === undefined ? undefined : $defs[$ref.slice('#/$defs/'.length)]
  return target === undefined ? schema : dereferenced({ ...target, ...rest, $defs })
}

/** A schema without patterns. Clients compile those of results, and one that their engine refuses fails them all. */
export function withoutPatterns(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema, (key, value) => (key === 'pattern' && typeof value === 'string' ? undefined : value)))
}
