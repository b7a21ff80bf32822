import type { JsonSchema } from '../json-schema.ts'

const TYPES = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

type Check = (value: unknown, root: JsonSchema) => boolean

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const schema: Check = (value, root) => typeof value === 'boolean' || (isObject(value) && isSound(value, root))
const schemas: Check = (value, root) => Array.isArray(value) && value.length > 0 && value.every((each) => schema(each, root))
const schemaMap: Check = (value, root) => isObject(value) && Object.values(value).every((each) => schema(each, root))
const texts: Check = (value) =>
  Array.isArray(value) && new Set(value).size === value.length && value.every((each) => typeof each === 'string')
const number: Check = (value) => typeof value === 'number'
const count: Check = (value) => Number.isInteger(value) && (value as number) >= 0
const flag: Check = (value) => typeof value === 'boolean'
const list: Check = (value) => Array.isArray(value) && value.length > 0
const text: Check = (value) => typeof value === 'string'

const CHECKS = new Map<string, Check>([
  ['type', (value) => (Array.isArray(value) ? value.length > 0 && value.every((each) => TYPES.has(each)) : TYPES.has(value as string))],
  ['$ref', (value, root) => text(value, root) && isThere(value as string, root)],
  ['enum', list],
  ['required', texts],
  ['pattern', text],
  ['format', text],
  ['uniqueItems', flag],
  ['dependentRequired', (value) => isObject(value) && Object.values(value).every((each) => texts(each, {}))],
  ['multipleOf', (value) => typeof value === 'number' && value > 0],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].map((name): [string, Check] => [name, number]),
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'minContains', 'maxContains'].map(
    (name): [string, Check] => [name, count],
  ),
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'].map((name): [string, Check] => [name, schemaMap]),
  ...['anyOf', 'oneOf', 'allOf', 'prefixItems'].map((name): [string, Check] => [name, schemas]),
  ...[
    'items',
    'additionalProperties',
    'unevaluatedItems',
    'unevaluatedProperties',
    'propertyNames',
    'contains',
    'not',
    'if',
    'then',
    'else',
  ].map((name): [string, Check] => [name, schema]),
])

/** Whether clients can compile a schema: its keywords have values as they must, and its references lead somewhere. */
export function isSound(value: Readonly<Record<string, unknown>>, root: JsonSchema = value): boolean {
  return Object.entries(value).every(([keyword, member]) => CHECKS.get(keyword)?.(member, root) ?? true)
}

/** References lead to definitions, since others were resolved when the schema was described. */
function isThere(reference: string, root: JsonSchema): boolean {
  const [, name, ...rest] = /^#\/\$defs\/([^/]+)(.*)$/.exec(reference) ?? []
  return name !== undefined && rest.every((each) => each === '') && root.$defs?.[name] !== undefined
}
