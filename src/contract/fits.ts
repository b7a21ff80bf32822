import type { JsonSchema } from './json-schema.ts'
import { compareMessages, isProtobufMessage } from './protobuf-fits.ts'

/** A schema with the definitions that its references name. */
interface Rooted {
  schema: JsonSchema
  root: JsonSchema
  /** Objects are read by a peer that ignores unknown members, whatever the schema says. */
  tolerant?: boolean
}

/** Keywords that bound a value from below and from above. */
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
const SAME = ['pattern', 'format', 'multipleOf', 'contentEncoding']
const MAX_REASONS = 20

/**
 * Why values of one schema may not match another: empty when all of them do. It knows what contracts are made of; where
 * it cannot tell, it says that the schema changed.
 */
export function misfits(from: Rooted, into: Rooted): string[] {
  const reasons: string[] = []
  compare(from, into, '', reasons, new Set())
  return reasons.slice(0, MAX_REASONS)
}

function compare(from: Rooted, into: Rooted, path: string, reasons: string[], seen: Set<string>): void {
  const [a, b] = [resolve(from), resolve(into)]
  // Recursive schemas: what is being compared already is taken to fit.
  if (from.schema.$ref !== undefined || into.schema.$ref !== undefined) {
    const key = `${from.schema.$ref ?? path} ${into.schema.$ref ?? path}`
    if (seen.has(key)) return
    seen.add(key)
  }
  const where = path === '' ? 'the value' : path
  if (isOpen(b)) return
  if (isProtobufMessage(a) && isProtobufMessage(b)) {
    compareMessages(a, b, path, reasons, (one, other, at) =>
      compare({ ...from, schema: one }, { ...into, schema: other }, at, reasons, seen),
    )
    return
  }
  const [as, bs] = [alternatives(a), alternatives(b)]
  if (as !== undefined || bs !== undefined) {
    const into2 = bs ?? [b]
    for (const each of as ?? [a]) {
      const fitting = into2.some((other) => {
        const tried: string[] = []
        compare({ ...from, schema: each }, { ...into, schema: other }, path, tried, new Set(seen))
        return tried.length === 0
      })
      if (!fitting) reasons.push(`${where}: ${shown(each)} is no longer among what is allowed`)
    }
    return
  }
  const [types, allowed] = [typesOf(a), typesOf(b)]
  const wrong = types.filter((type) => !allowed.includes(type) && !(type === 'integer' && allowed.includes('number')))
  if (wrong.length > 0) {
    reasons.push(
      `${where} may be ${wrong.length === ALL.length ? 'anything' : wrong.join(' or ')}, where only ${allowed.join(' or ')} is expected`,
    )
    return
  }
  compareValues(a, b, where, reasons)
  compareBounds(a, b, where, reasons)
  if (types.includes('object') && allowed.includes('object'))
    compareObjects({ ...from, schema: a }, { ...into, schema: b }, path, reasons, seen)
  if (types.includes('array') && allowed.includes('array') && typeof b.items === 'object') {
    const items = typeof a.items === 'object' ? a.items : {}
    compare({ ...from, schema: items }, { ...into, schema: b.items }, `${path}[]`, reasons, seen)
  }
}

function compareValues(a: JsonSchema, b: JsonSchema, where: string, reasons: string[]): void {
  const allowed = valuesOf(b)
  if (allowed === undefined) return
  const values = valuesOf(a)
  if (values === undefined) {
    reasons.push(
      `${where} may be any ${typesOf(a).join(' or ')}, where only ${allowed.map((each) => JSON.stringify(each)).join(', ')} is expected`,
    )
    return
  }
  const texts = new Set(allowed.map((each) => JSON.stringify(each)))
  const extra = values.map((each) => JSON.stringify(each)).filter((each) => !texts.has(each))
  if (extra.length > 0) reasons.push(`${where} may be ${extra.join(', ')}, which is not expected`)
}

function compareBounds(a: JsonSchema, b: JsonSchema, where: string, reasons: string[]): void {
  // Listed values are compared one by one.
  if (valuesOf(a) !== undefined) return
  for (const key of LOWER) {
    const bound = b[key]
    if (typeof bound === 'number' && !(typeof a[key] === 'number' && a[key] >= bound)) reasons.push(`${where} may be below ${key} ${bound}`)
  }
  for (const key of UPPER) {
    const bound = b[key]
    if (typeof bound === 'number' && !(typeof a[key] === 'number' && a[key] <= bound)) reasons.push(`${where} may be above ${key} ${bound}`)
  }
  for (const key of SAME)
    if (b[key] !== undefined && a[key] !== b[key]) reasons.push(`${where} need not have the ${key} ${JSON.stringify(b[key])}`)
}

function compareObjects(from: Rooted, into: Rooted, path: string, reasons: string[], seen: Set<string>): void {
  const { schema: a } = from
  const { schema: b } = into
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const given = new Set(a.required ?? [])
  for (const name of b.required ?? []) if (!given.has(name)) reasons.push(`${at(name)} is required, and may be missing`)
  const properties = b.properties ?? {}
  for (const [name, schema] of Object.entries(a.properties ?? {})) {
    const known = Object.hasOwn(properties, name) ? properties[name] : b.additionalProperties
    if (known === undefined || known === true) continue
    if (known === false && into.tolerant === true) continue
    if (known === false) reasons.push(`${at(name)} is not expected`)
    else compare({ ...from, schema }, { ...into, schema: known }, at(name), reasons, seen)
  }
  if (typeof b.additionalProperties !== 'object') return
  const rest = typeof a.additionalProperties === 'object' ? a.additionalProperties : a.additionalProperties === false ? undefined : {}
  if (rest !== undefined) compare({ ...from, schema: rest }, { ...into, schema: b.additionalProperties }, at('*'), reasons, seen)
}

const ALL = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']

function typesOf(schema: JsonSchema): readonly string[] {
  const { type } = schema
  if (type !== undefined) return typeof type === 'string' ? [type] : type
  const values = valuesOf(schema)
  if (values === undefined) return schema.properties === undefined ? ALL : ['object']
  return [...new Set(values.map(typeOf))]
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value
}

function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  return 'const' in schema ? [schema.const] : schema.enum
}

function alternatives({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] | undefined {
  return anyOf ?? oneOf
}

function isOpen(schema: JsonSchema): boolean {
  const { description: _, title: __, default: ___, examples: ____, $defs: _____, ...rest } = schema
  return Object.keys(rest).length === 0
}

function resolve({ schema, root }: Rooted): JsonSchema {
  let found = schema
  for (let i = 0; found.$ref !== undefined && i < 100; i++) {
    const { $ref, ...rest } = found
    const target = $ref === '#' ? root : root.$defs?.[$ref.slice('#/$defs/'.length)]
    found = { ...target, ...rest }
  }
  return found
}

function shown(schema: JsonSchema): string {
  const values = valuesOf(schema)
  if (values !== undefined) return values.map((each) => JSON.stringify(each)).join(', ')
  return schema.title !== undefined
    ? String(schema.title)
    : typesOf(schema).length === ALL.length
      ? 'another value'
      : typesOf(schema).join(' or ')
}
