/** A JSON Schema of draft 2020-12, as an object. */
export interface JsonSchema {
  /** Any other keyword. */
  readonly [keyword: string]: unknown
  /** Type of the value, such as `object`, or the types that it may have. */
  readonly type?: string | readonly string[]
  /** Schemas of the properties of an object, by name. */
  readonly properties?: Readonly<Record<string, JsonSchema>>
  /** Names of the properties that an object must have. */
  readonly required?: readonly string[]
  /** Schema of the items of an array, after those of `prefixItems`; false allows none. */
  readonly items?: JsonSchema | boolean
  /** Schemas of the first items of an array, one for each. */
  readonly prefixItems?: readonly JsonSchema[]
  /** Least number of items of an array. */
  readonly minItems?: number
  /** Schema of the properties that `properties` does not name; false allows none. */
  readonly additionalProperties?: JsonSchema | boolean
  /** The values that are allowed. */
  readonly enum?: readonly unknown[]
  /** Schemas of which at least one must fit. */
  readonly anyOf?: readonly JsonSchema[]
  /** Schemas of which exactly one must fit. */
  readonly oneOf?: readonly JsonSchema[]
  /** Schemas that must all fit. */
  readonly allOf?: readonly JsonSchema[]
  /** Address of the schema that applies, such as `#/$defs/user`. */
  readonly $ref?: string
  /** Schemas that `$ref` refers to, by name. */
  readonly $defs?: Readonly<Record<string, JsonSchema>>
}

const DEFS = '#/$defs/'
/** Keywords whose value is not a schema, and may look like one. */
const DATA = new Set(['enum', 'const', 'default', 'examples', 'required'])
/** Keywords that have schemas by names that are not keywords. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas'])

/** Copies a schema, with its references changed by `change`. */
function withRefs(schema: JsonSchema, change: (ref: string) => string): JsonSchema {
  return copy(schema, change) as JsonSchema
}

function copy(value: unknown, change: (ref: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => copy(each, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (key === '$ref' && typeof member === 'string') return [key, change(member)]
      if (DATA.has(key)) return [key, member]
      if (MAPS.has(key))
        return [key, Object.fromEntries(Object.entries(member as object).map(([name, each]) => [name, copy(each, change)]))]
      return [key, copy(member, change)]
    }),
  )
}

/**
 * A schema that reads the same whichever library made it, and whatever else the program defined: without `$schema`,
 * with definitions named in the order of their use. What refers to the whole schema refers to a definition.
 */
export function normalized(schema: JsonSchema): JsonSchema {
  const plain = JSON.parse(JSON.stringify(schema)) as JsonSchema
  const { $schema: _, $id: __, $defs = {}, ...root } = plain as JsonSchema & Record<'$schema' | '$id', unknown>
  const names = new Map<string, string>()
  const defs: Record<string, JsonSchema> = {}
  const refer = (ref: string): string => {
    if (ref !== '#' && !ref.startsWith(DEFS)) return ref
    const known = names.get(ref)
    if (known !== undefined) return `${DEFS}${known}`
    const own = decodeURIComponent(ref.slice(DEFS.length)).replaceAll('~1', '/').replaceAll('~0', '~')
    const name = nameOf(ref, own, new Set(names.values()))
    names.set(ref, name)
    defs[name] = {}
    defs[name] = withRefs(ref === '#' ? root : ($defs[own] ?? {}), refer)
    return `${DEFS}${name}`
  }
  const found = withRefs(root, refer)
  return Object.keys(defs).length === 0 ? found : { ...found, $defs: defs }
}

/** The name of a definition: the user's, or one that does not depend on what the library counted. */
function nameOf(ref: string, own: string, taken: ReadonlySet<string>): string {
  const made =
    ref === '#' ? 'Self' : /^(__schema|intersection|union|domain|proto|unit|alias)?\d+$/.test(own) ? 'Def1' : own.replace(/\W/g, '_')
  let name = made
  for (let i = 2; taken.has(name); i++) name = `${made.replace(/\d+$/, '')}${i}`
  return name
}

/** Takes the definitions out of a schema, for documents that keep them elsewhere: `place` gives the new reference. */
export function hoisted(schema: JsonSchema, place: (name: string, definition: JsonSchema) => string): JsonSchema {
  const { $defs = {}, ...root } = schema
  const places = new Map<string, string>()
  const refer = (ref: string): string => {
    if (!ref.startsWith(DEFS)) return ref
    const name = ref.slice(DEFS.length)
    let found = places.get(name)
    if (found === undefined) {
      found = place(name, $defs[name] ?? {})
      places.set(name, found)
    }
    return found
  }
  // Definitions may refer to each other, so all have their places first.
  for (const name of Object.keys($defs)) refer(`${DEFS}${name}`)
  return withRefs(root as JsonSchema, refer)
}

/** The text of a JSON value with the keys of objects in order, to compare. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
}
