import { type Check, fields, flag, isObject, listOf, maybe, membersOf, oneOf, text, when } from './check-parts.ts'
import type { JsonSchema } from './json-schema.ts'
import { MAP_KEYS, MAX_FIELD } from './protobuf-field.ts'

const DEFS = '#/$defs/'
const IDENTIFIER = /^[A-Za-z_]\w*$/
const identifier = when((value) => typeof value === 'string' && IDENTIFIER.test(value), 'letters, digits and _')
const typeName = when(
  (value) =>
    typeof value === 'string' &&
    value
      .replace(/^\./, '')
      .split('.')
      .every((part) => IDENTIFIER.test(part)),
  'the name of a type of protobuf',
)
const fieldNumber = when(
  (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_FIELD,
  `a number from 1 to ${MAX_FIELD}`,
)
const scalar = when((value) => ['string', 'number', 'boolean'].includes(typeof value), 'a text, a number, true or false')
const isTrue = maybe(oneOf(true))

const protobufField = fields({
  id: fieldNumber,
  type: typeName,
  key: maybe(oneOf(...MAP_KEYS)),
  default: maybe(scalar),
  optional: isTrue,
  required: isTrue,
  delimited: isTrue,
  closed: isTrue,
  expanded: isTrue,
})
const protobufMessage = fields({
  message: identifier,
  edition: maybe(when((value) => typeof value === 'string' && /^\w+$/.test(value), 'the name of an edition')),
})
const protobuf: Check = (value, place) => (isObject(value) && 'message' in value ? protobufMessage : protobufField)(value, place)

const inner: Check = (value, place) => typeof value === 'boolean' || keywords(value, place)
const type = oneOf('array', 'boolean', 'integer', 'null', 'number', 'object', 'string')
const keywords = fields({
  type: maybe((value, place) => (Array.isArray(value) ? listOf(type) : type)(value, place)),
  title: maybe(text),
  description: maybe(text),
  deprecated: maybe(flag),
  contentEncoding: maybe(text),
  $ref: maybe(text),
  enum: maybe(listOf(() => {})),
  required: maybe(listOf(text)),
  properties: maybe(membersOf((value, place) => inner(value, place))),
  // Documents and code name definitions so.
  $defs: maybe(membersOf((value, place) => inner(value, place), /^(?!__proto__$)\w+$/)),
  ...Object.fromEntries(['items', 'additionalProperties'].map((name) => [name, maybe((value, place) => inner(value, place))])),
  ...Object.fromEntries(
    ['anyOf', 'oneOf', 'allOf', 'prefixItems'].map((name) => [name, maybe(listOf((value, place) => inner(value, place)))]),
  ),
  minItems: maybe(when((value) => typeof value === 'number', 'a number')),
  'x-protobuf': maybe(protobuf),
})

/** The schema of a body, with the keywords that generators read as JSON Schema has them. */
export const schema: Check = (value, place) => {
  keywords(value, place)
  const { $defs = {} } = value as JsonSchema
  for (const name of Object.keys($defs)) if (leadsTo(name, $defs[name], $defs)) throw new TypeError(`${place}.$defs.${name} is only itself`)
}

/** Whether all that a schema says is a reference, and that ends where it began. */
function leadsTo(name: string, from: JsonSchema, defs: Readonly<Record<string, JsonSchema>>, seen = new Set<string>()): boolean {
  return [from, ...(from.allOf ?? [])].some(({ $ref, allOf }, i) => {
    if (i > 0 && $ref === undefined && allOf !== undefined) return leadsTo(name, { allOf }, defs, seen)
    const target = $ref?.startsWith(DEFS) ? $ref.slice(DEFS.length) : undefined
    if (target === name) return true
    if (target === undefined || seen.has(target) || !Object.hasOwn(defs, target)) return false
    return leadsTo(name, defs[target], defs, seen.add(target))
  })
}
