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

/** Whether clients can compile a schema: its patterns are regular expressions, and its references lead somewhere. */
export function isUsable(schema: JsonSchema): boolean {
  const visit = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.every(visit)
    if (typeof value !== 'object' || value === null) return true
    const { pattern, $ref } = value as { pattern?: unknown; $ref?: unknown }
    if (typeof pattern === 'string' && !isPattern(pattern)) return false
    if (typeof $ref === 'string' && schema.$defs?.[$ref.slice('#/$defs/'.length)] === undefined) return false
    return Object.values(value).every(visit)
  }
  return visit(schema)
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}
