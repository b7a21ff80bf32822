import type { JsonSchema } from '../json-schema.ts'
import { exported } from './names.ts'
import { isProtobuf } from './scalars.ts'
import { merged, refersTo, withoutNull } from './shape.ts'
import { comment, quoted } from './text.ts'

type Definitions = Readonly<Record<string, JsonSchema>>
type Kind = 'string' | 'number' | 'boolean' | 'array' | 'object'

/** A schema that a value may fit besides others. */
interface Alternative {
  /** Name of the member of the struct. */
  readonly name: string
  readonly kind: Kind
  readonly schema: JsonSchema
  /** Values of the property by which it is told from other objects; undefined where its kind is enough. */
  readonly tags: readonly Tag[] | undefined
}

type Tag = string | number | boolean

/** Schemas of which a value fits one, and can be told by its kind in JSON or by a property of the object. */
export interface Union {
  readonly alternatives: readonly Alternative[]
  readonly property: string | undefined
}

const NAMES: Readonly<Record<Kind, string>> = { string: 'String', number: 'Number', boolean: 'Bool', array: 'List', object: 'Object' }

/** The alternatives of a schema; undefined where there is one, or where they cannot be told apart. */
export function unionOf(schema: JsonSchema, defs: Definitions): Union | undefined {
  const options = optionsOf(schema, defs)
  if (options === undefined || options.length < 2 || options.some(({ inner }) => isProtobuf(inner))) return undefined
  const names = new Set(['MarshalJSON', 'UnmarshalJSON'])
  const claim = (wanted: string): string => {
    let name = wanted
    for (let i = 2; names.has(name); i++) name = `${wanted}${i}`
    names.add(name)
    return name
  }
  const of = (kind: Kind): Option[] => options.filter((each) => each.kind === kind)
  const objects = of('object')
  const tagged = objects.length > 1 ? tagsOf(objects) : undefined
  if ((objects.length > 1 && tagged === undefined) || of('array').length > 1) return undefined
  const kinds = [...new Set(options.map(({ kind }) => kind))]
  const alternatives = kinds.flatMap((kind): Alternative[] => {
    const found = of(kind)
    if (tagged !== undefined && kind === 'object')
      return found.map(({ schema: own }, i) => {
        const tags = tagged.tags[i]
        return { kind, schema: own, tags, name: claim(exported(typeof tags[0] === 'string' ? tags[0] : `${tagged.property} ${tags[0]}`)) }
      })
    const own = found.length === 1 ? found[0].schema : { anyOf: found.map((each) => each.schema) }
    return [{ kind, schema: own, tags: undefined, name: claim(NAMES[kind]) }]
  })
  return alternatives.length < 2 ? undefined : { alternatives, property: tagged?.property }
}

interface Option {
  readonly kind: Kind
  readonly schema: JsonSchema
  /** The schema that it refers to. */
  readonly inner: JsonSchema
}

/** The schemas of which a value fits one, without null; undefined where one may have values of several kinds. */
function optionsOf(schema: JsonSchema, defs: Definitions, open: readonly string[] = []): Option[] | undefined {
  const name = refersTo(schema)
  if (name !== undefined && open.includes(name)) return undefined
  const within = name === undefined ? open : [...open, name]
  const inner = merged(withoutNull(name === undefined ? schema : (defs[name] ?? {})).schema, defs)
  if (refersTo(inner) !== undefined) return optionsOf(inner, defs, within)
  const inside = Array.isArray(inner.type) ? inner.type.map((type) => ({ ...inner, type })) : (inner.anyOf ?? inner.oneOf)
  if (inside === undefined) {
    const kind = kindOf(inner)
    return kind === undefined ? undefined : [{ kind, schema, inner }]
  }
  const found = inside.map((each: JsonSchema) => (each.type === 'null' ? [] : optionsOf(each, defs, within)))
  return found.every((each) => each !== undefined) ? found.flat() : undefined
}

function kindOf(schema: JsonSchema): Kind | undefined {
  const { type, properties } = schema
  const values = 'const' in schema ? [schema.const] : schema.enum
  const kinds = new Set(type === undefined ? (values?.map((each) => typeof each) ?? []) : [type])
  const [kind] = kinds
  if (kinds.size === 0 && properties !== undefined) return 'object'
  if (kinds.size !== 1 || (type === undefined && kind === 'object')) return undefined
  if (kind === 'integer') return 'number'
  return kind === 'string' || kind === 'number' || kind === 'boolean' || kind === 'array' || kind === 'object' ? kind : undefined
}

/** A required property that says which of the objects one is. */
function tagsOf(objects: readonly Option[]): { property: string; tags: (readonly Tag[])[] } | undefined {
  for (const property of Object.keys(objects[0].inner.properties ?? {})) {
    const tags = objects.map(({ inner }): readonly Tag[] => {
      const schema = inner.properties?.[property] ?? {}
      const values = 'const' in schema ? [schema.const] : (schema.enum ?? [])
      const isTag = (value: unknown): value is Tag => ['string', 'number', 'boolean'].includes(typeof value)
      return inner.required?.includes(property) && values.every(isTag) ? values : []
    })
    const all = tags.flat()
    if (tags.every(({ length }) => length > 0) && new Set(all).size === all.length) return { property, tags }
  }
  return undefined
}

/** An alternative, with its type in Go. */
export interface BuiltAlternative extends Alternative {
  readonly type: string
  /** Nil says that the value is another one. */
  readonly isNil: boolean
  /** Whether the value has a field with the property that tells it from others. */
  readonly hasTag: boolean
}

/** A struct of which one member is there, in JSON that member alone. */
export function unionText(
  name: string,
  docs: string | undefined,
  property: string | undefined,
  members: readonly BuiltAlternative[],
): string {
  const width = Math.max(...members.map((each) => [...each.name].length))
  const fields = members.map((each) => `\t${each.name.padEnd(width)} ${each.isNil ? '' : '*'}${each.type}\n`)
  const written = members.map((each) => `\tcase m.${each.name} != nil:\n${writtenBy(each, property)}`)
  const plain = members.filter(({ tags }) => tags === undefined)
  const tagged = members.filter(({ tags }) => tags !== undefined)
  const into = (each: BuiltAlternative, indent: string): string => `${indent}return json.Unmarshal(data, &m.${each.name})\n`
  const cases = plain.map((each) => `\tcase ${quoted(each.kind)}:\n${into(each, '\t\t')}`)
  if (tagged.length > 0)
    cases.push(
      `\tcase "object":\n\t\tvar tag struct {\n\t\t\tValue any \`json:${quoted(property as string)}\`\n\t\t}\n` +
        `\t\tif err := json.Unmarshal(data, &tag); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tswitch tag.Value {\n` +
        `${tagged.map((each) => `\t\tcase ${each.tags?.map(compared).join(', ')}:\n${into(each, '\t\t\t')}`).join('')}\t\t}\n`,
    )
  return (
    `${comment([docs, `${name} has one of these, which alone is in JSON.`])}type ${name} struct {\n${fields.join('')}}\n\n` +
    `// MarshalJSON writes the member that is there.\nfunc (m ${name}) MarshalJSON() ([]byte, error) {\n\tswitch {\n${written.join('')}\t}\n` +
    `\treturn nil, fmt.Errorf("${name} has no member")\n}\n\n` +
    `// UnmarshalJSON reads the member that fits.\nfunc (m *${name}) UnmarshalJSON(data []byte) error {\n\t*m = ${name}{}\n\tswitch kindOf(data) {\n${cases.join('')}\t}\n` +
    `\treturn fmt.Errorf("${name} is not %.100s", data)\n}\n`
  )
}

function writtenBy({ name, tags, hasTag }: BuiltAlternative, property: string | undefined): string {
  if (!hasTag || tags?.length !== 1 || property === undefined) return `\t\treturn json.Marshal(m.${name})\n`
  return `\t\tvalue := *m.${name}\n\t\tvalue.${exported(property)} = ${literal(tags[0])}\n\t\treturn json.Marshal(value)\n`
}

function literal(tag: Tag): string {
  return typeof tag === 'string' ? quoted(tag) : String(tag)
}

/** A value as a case for one of any type. */
function compared(tag: Tag): string {
  return typeof tag === 'number' ? `float64(${tag})` : literal(tag)
}
