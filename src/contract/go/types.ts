import { reasonOf } from '../../base/errors/error-text.ts'
import type { JsonSchema } from '../json-schema.ts'
import type { ProtobufField } from '../protobuf-field.ts'
import { exported, isName } from './names.ts'
import { isProtobuf, jsonScalar, protobufField, protobufMessage, protobufScalar, protobufTags } from './scalars.ts'
import { isMap, isNullable, isStruct, merged, refersTo, shapeOf, textsOf, withoutNull } from './shape.ts'
import { columns, comment, quoted } from './text.ts'
import { type TupleItem, tupleText } from './tuple.ts'
import { type BuiltAlternative, type Union, unionOf, unionText } from './union.ts'

type Definitions = Readonly<Record<string, JsonSchema>>

/** A body in Go. */
export interface GoBody {
  /** Type of the value: `Item`, `[]Item`, `float64`. */
  readonly type: string
  /** A struct is passed by pointer. */
  readonly byPointer: boolean
  /** A list or map, whose nil is written as null. */
  readonly isList: boolean
  /** Type that the codec of protobuf takes; undefined for bodies of JSON. */
  readonly message: string | undefined
}

/** Methods of what Go has of a message, and of its form for the codec of protobuf. */
const METHODS_OF_MESSAGES = new Set(['ProtoMessage', 'ProtoReflect', 'Reset', 'String'])

interface Built {
  type: string
  kind: 'struct' | 'list' | 'map' | 'any' | 'scalar'
}

/**
 * The types of a file. Schemas that have a name (a definition, a title, a protobuf message) share a type with their
 * equals; others have one of their own, named by where they are, so that a change of one method changes no types of
 * others.
 */
export class GoTypes {
  readonly problems: string[] = []
  readonly #declared: string[] = []
  readonly #byShape = new Map<string, string>()
  /** Names that definitions of a body got, by the body's definitions. */
  readonly #definitions = new WeakMap<Definitions, Map<string, string>>()
  readonly #taken: Set<string>
  /** Definitions that are being built, but for those whose members a struct around it has. */
  #open: string[] = []

  /** @param taken names of what else is declared */
  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken)
  }

  /** The declarations, in the order in which they were met. */
  get declarations(): readonly string[] {
    return this.#declared
  }

  /** @param where begins the text of problems */
  body(name: string, root: JsonSchema, where: string): GoBody {
    const { $defs = {}, ...own } = root
    const { schema } = withoutNull(own as JsonSchema)
    const nullable = isNullable(own as JsonSchema, $defs)
    const self = Object.keys($defs).find((def) => shapeOf($defs[def], $defs, [def]) === shapeOf(schema, $defs, [def]))
    const built = this.#build(self === undefined ? schema : { $ref: `#/$defs/${self}` }, name, $defs, where)
    const isPointer = nullable && (built.kind === 'struct' || built.kind === 'scalar')
    return {
      type: `${isPointer ? '*' : ''}${built.type}`,
      byPointer: built.kind === 'struct' && !isPointer,
      isList: (built.kind === 'list' || built.kind === 'map') && !nullable,
      message: isProtobuf(root) ? this.#messageOf(built.type) : undefined,
    }
  }

  /** A name that nothing has, for something that is declared. */
  claim(name: string): string {
    if (!isName(name)) throw new TypeError(`nothing in Go may be named ${JSON.stringify(name)}`)
    let free = name
    for (let i = 2; this.#taken.has(free); i++) free = `${name}${i}`
    this.#taken.add(free)
    return free
  }

  #build(schema: JsonSchema, hint: string, defs: Definitions, where: string): Built {
    const def = refersTo(schema)
    if (def !== undefined) return this.#definition(def, this.#nameOfDefinition(def, hint, defs), defs, where)
    const found = merged(withoutNull(schema).schema, defs)
    if (refersTo(found) !== undefined) return this.#build(found, hint, defs, where)
    const field = protobufField(schema)
    const scalar = field === undefined ? undefined : protobufScalar(field.type)
    if (found.type === 'array' && found.prefixItems !== undefined && found.prefixItems.length > 0)
      return { type: this.#tuple(found, nameOf(found) ?? hint, defs, where), kind: 'struct' }
    if (found.type === 'array') {
      const items = typeof found.items === 'object' ? found.items : {}
      if (field !== undefined && !isProtobuf(this.#target(items, defs))) return { type: `[]${scalar ?? 'int32'}`, kind: 'list' }
      const { type } = this.#build(items, `${hint}Item`, defs, `${where}[]`)
      return { type: `[]${isProtobuf(this.#target(items, defs)) ? '*' : ''}${this.#orPointer(items, type, defs)}`, kind: 'list' }
    }
    if (isMap(found)) {
      const values = typeof found.additionalProperties === 'object' ? found.additionalProperties : {}
      const key = field?.key === undefined ? 'string' : (protobufScalar(field.key) ?? 'string')
      if (field !== undefined && !isProtobuf(this.#target(values, defs))) return { type: `map[${key}]${scalar ?? 'int32'}`, kind: 'map' }
      const { type } = this.#build(values, `${hint}Value`, defs, `${where}.*`)
      return { type: `map[${key}]${isProtobuf(this.#target(values, defs)) ? '*' : ''}${this.#orPointer(values, type, defs)}`, kind: 'map' }
    }
    if (isStruct(found)) return { type: this.#struct(found, nameOf(found) ?? hint, defs, where), kind: 'struct' }
    if (scalar !== undefined) return { type: scalar, kind: scalar === '[]byte' ? 'list' : 'scalar' }
    if (field !== undefined) return { type: 'int32', kind: 'scalar' } // an enum of protobuf
    const texts = textsOf(found)
    if (texts !== undefined) return { type: this.#enum(found, texts, nameOf(found) ?? hint), kind: 'scalar' }
    const type = jsonScalar(found)
    if (type !== undefined) return { type, kind: type === '[]byte' ? 'list' : 'scalar' }
    const union = unionOf(found, defs)
    if (union === undefined) return { type: 'any', kind: 'any' }
    return { type: this.#union(union, found, nameOf(found) ?? hint, defs, where), kind: 'struct' }
  }

  #definition(def: string, name: string, defs: Definitions, where: string): Built {
    if (this.#open.includes(def)) {
      this.problems.push(`${where} is a list or map of itself, which has no type`)
      return { type: 'any', kind: 'any' }
    }
    this.#open.push(def)
    const built = this.#build(defs[def] ?? {}, name, defs, where)
    this.#open.pop()
    return built
  }

  /** The name of a definition: its own, or of one without any that of where it is met first. */
  #nameOfDefinition(def: string, hint: string, defs: Definitions): string {
    if (!/^(Def\d+|Self)$/.test(def)) return exported(def)
    const names = this.#definitions.get(defs) ?? new Map<string, string>()
    this.#definitions.set(defs, names)
    const name = names.get(def) ?? `${hint}${def === 'Self' ? '' : def}`
    names.set(def, name)
    return name
  }

  #target(schema: JsonSchema, defs: Definitions): JsonSchema {
    const def = refersTo(schema)
    return def === undefined ? schema : (defs[def] ?? {})
  }

  #orPointer(schema: JsonSchema, type: string, defs: Definitions): string {
    return isNullable(schema, defs) && !/^(\[\]|map\[|any$)/.test(type) ? `*${type}` : type
  }

  /** The name of a type, which is declared unless one with that name and shape is. */
  #declare(shape: string, hint: string, text: (name: string) => string): string {
    const key = `${hint} ${shape}`
    const known = this.#byShape.get(key)
    if (known !== undefined) return known
    const name = this.claim(hint)
    this.#byShape.set(key, name)
    const place = this.#declared.push('') - 1
    this.#declared[place] = text(name)
    return name
  }

  #enum(schema: JsonSchema, texts: readonly string[], hint: string): string {
    return this.#declare(JSON.stringify(['enum', texts]), hint, (name) => {
      // Behind a name there may be what no name begins with, so the letter that `exported` puts before it goes.
      const suffix = (text: string): string => (/^[xX]/.test(text) ? exported(text) : exported(text).replace(/^X(?=\P{L}|$)/u, ''))
      const cells = texts.map((text) => ({
        comment: '',
        cells: [this.claim(`${name}${text === '' ? 'Empty' : suffix(text)}`), name, `= ${quoted(text)}`],
      }))
      return `${comment([description(schema)])}type ${name} string\n\nconst (\n${columns(cells)})\n`
    })
  }

  /** A struct of which one member is there. It may have itself inside, as what is declared has a name. */
  #union({ alternatives, property }: Union, schema: JsonSchema, hint: string, defs: Definitions, where: string): string {
    return this.#declare(shapeOf(schema, defs), hint, (name) =>
      this.#apart(() => {
        const members = alternatives.map((each): BuiltAlternative => {
          const { type, kind } = this.#build(each.schema, `${name}${each.name}`, defs, `${where}: ${each.name}`)
          const isNil = kind === 'list' || kind === 'map' || kind === 'any'
          return { ...each, type, isNil, hasTag: kind === 'struct' }
        })
        return unionText(name, description(schema), property, members)
      }),
    )
  }

  /** A struct that is a list of so many values. */
  #tuple(schema: JsonSchema, hint: string, defs: Definitions, where: string): string {
    const { prefixItems = [], minItems = prefixItems.length } = schema
    return this.#declare(shapeOf(schema, defs), hint, (name) =>
      this.#apart(() => {
        const names = new Set(['MarshalJSON', 'UnmarshalJSON', 'Rest'])
        const items = prefixItems.map((member, i): TupleItem => {
          const each = typeof member === 'object' ? member : {}
          const wanted = typeof each.title === 'string' ? exported(each.title) : ''
          const own = wanted === '' || names.has(wanted) ? `Item${i + 1}` : wanted
          names.add(own)
          const { type, kind } = this.#build(each, `${name}${own}`, defs, `${where}[${i}]`)
          const isNil = kind === 'list' || kind === 'map' || kind === 'any'
          const nullable = isNullable(each, defs)
          const isOptional = i >= minItems
          const text = !isNil && (nullable || isOptional) ? `*${type}` : type
          const isList = (kind === 'list' || kind === 'map') && !nullable && !isOptional
          return { name: own, type: text, docs: comment([description(each), noteOf(each)], '\t'), isOptional, isList }
        })
        const { items: behind } = schema
        const rest = typeof behind === 'object' ? this.#build(behind, `${name}Rest`, defs, `${where}[]`) : undefined
        return tupleText(
          name,
          description(schema),
          items,
          rest === undefined ? undefined : this.#orPointer(behind as JsonSchema, rest.type, defs),
        )
      }),
    )
  }

  /** Builds what is inside of something that has a name, in which definitions may come again. */
  #apart<Result>(build: () => Result): Result {
    const outer = this.#open
    this.#open = []
    const result = build()
    this.#open = outer
    return result
  }

  #struct(schema: JsonSchema, hint: string, defs: Definitions, where: string): string {
    return this.#declare(shapeOf(schema, defs), hint, (name) => {
      const isMessage = isProtobuf(schema)
      const names = new Map<string, string>()
      const lists: string[] = []
      const outer = this.#open
      this.#open = []
      const fields = Object.entries(schema.properties ?? {}).flatMap(([property, member]) => {
        const each = typeof member === 'object' ? member : {}
        const at = `${where}: ${property}`
        const field = exported(property)
        const other = names.get(field)
        if (other !== undefined) this.problems.push(`${at} and ${other} would both be named ${field}`)
        names.set(field, property)
        if (!/^[\p{L}\p{Nd}!#$%&()*+\-./:;<=>?@[\]^_{|}~ ]+$/u.test(property)) this.problems.push(`${at} is no name that a tag can have`)
        if (isMessage && METHODS_OF_MESSAGES.has(field)) this.problems.push(`${at} would be named as the method ${field} of messages`)
        const { text, tags, isRequiredList } = this.#field(name, field, property, each, defs, at, schema)
        if (isRequiredList) lists.push(`\tif m.${field} == nil {\n\t\tm.${field} = ${text}{}\n\t}\n`)
        const above = comment([description(each), noteOf(each)], '\t')
        return [{ comment: above, cells: [field, text, tags] }]
      })
      this.#open = outer
      if (lists.length > 0 && names.has('MarshalJSON'))
        this.problems.push(`${where}: ${names.get('MarshalJSON')} would be named as the method MarshalJSON, which writes lists`)
      const inside = fields.length === 0 ? '{}' : ` {\n${columns(fields)}}`
      const type = `${comment([description(schema)])}type ${name} struct${inside}\n`
      if (isMessage) return `${type}${messageMethods(name)}`
      if (lists.length === 0) return type
      return `${type}\n// MarshalJSON writes lists that are nil as empty ones, because null is none.\nfunc (m ${name}) MarshalJSON() ([]byte, error) {\n\ttype plain ${name}\n${lists.join('')}\treturn json.Marshal(plain(m))\n}\n`
    })
  }

  #field(
    owner: string,
    field: string,
    property: string,
    schema: JsonSchema,
    defs: Definitions,
    where: string,
    parent: JsonSchema,
  ): { text: string; tags: string; isRequiredList: boolean } {
    const message = protobufMessage(parent)
    const optional = message !== undefined || parent.required?.includes(property) !== true
    const nullable = isNullable(schema, defs)
    const { type, kind } = this.#build(schema, `${owner}${field}`, defs, where)
    const number = protobufField(schema)
    const isNil = kind === 'list' || kind === 'map' || kind === 'any'
    const mayBeAbsent = number === undefined ? optional || nullable : number.optional === true || number.required === true
    const byPointer = !isNil && (mayBeAbsent || (number !== undefined && kind === 'struct'))
    // An optional list that is empty is written, one that is nil is not.
    const keepsEmpty = (kind === 'list' || kind === 'map') && (number === undefined || mayBeAbsent)
    const omit = !optional ? '' : keepsEmpty ? ',omitzero' : ',omitempty'
    const json = `json:"${property === '-' && omit === '' ? '-,' : property}${omit}"`
    const protobuf = number === undefined ? '' : ` ${this.#tags(property, number, schema, message?.edition === undefined, defs, where)}`
    return {
      text: `${byPointer ? '*' : ''}${type}`,
      tags: `\`${json}${protobuf}\``,
      isRequiredList: !optional && !nullable && (kind === 'list' || kind === 'map'),
    }
  }

  #tags(name: string, field: ProtobufField, schema: JsonSchema, isProto3: boolean, defs: Definitions, where: string): string {
    try {
      return protobufTags({ name, field, schema, isProto3, message: protobufMessage(this.#inner(schema, defs))?.message })
    } catch (error) {
      this.problems.push(`${where}: ${reasonOf(error)}`)
      return ''
    }
  }

  /** The schema of a field's value, or of the members of its list or map. */
  #inner(schema: JsonSchema, defs: Definitions): JsonSchema {
    const { items, additionalProperties } = schema
    return this.#target(typeof items === 'object' ? items : typeof additionalProperties === 'object' ? additionalProperties : schema, defs)
  }

  /** The type that Go's codec of protobuf takes: it wants a method that the message cannot have itself. */
  #messageOf(type: string): string {
    return this.#declare(
      `message ${type}`,
      `${type}Message`,
      (name) =>
        `// ${name} is ${type} for the codec of protobuf.\ntype ${name} ${type}\n\n` +
        `// ProtoReflect makes it a message of google.golang.org/protobuf.\nfunc (m *${name}) ProtoReflect() protoreflect.Message {\n` +
        `\treturn protoimpl.X.ProtoMessageV2Of((*${type})(m)).ProtoReflect()\n}\n`,
    )
  }
}

/** The name that a schema has by itself. */
function nameOf(schema: JsonSchema): string | undefined {
  const message = protobufMessage(schema)
  if (message !== undefined) return exported(message.message)
  return typeof schema.title === 'string' && /^[A-Za-z]\w*$/.test(schema.title) ? exported(schema.title) : undefined
}

function description(schema: JsonSchema): string | undefined {
  return typeof schema.description === 'string' ? schema.description : undefined
}

/** The values of a field, where its type does not say them. */
function noteOf(schema: JsonSchema): string {
  const values = 'const' in schema ? [schema.const] : textsOf(schema) === undefined ? schema.enum : undefined
  const listed =
    values === undefined
      ? ''
      : values.length === 1
        ? `Always ${JSON.stringify(values[0])}.`
        : `One of ${values.map((each) => JSON.stringify(each)).join(', ')}.`
  const absent = protobufField(schema)?.default
  const said = absent === undefined ? listed : `${listed}\n\nDefault: ${JSON.stringify(absent)}.`
  return schema.deprecated === true ? `${said}\n\nDeprecated: do not use.` : said
}

function messageMethods(name: string): string {
  return (
    `\n// Reset makes it empty.\nfunc (m *${name}) Reset() {\n\t*m = ${name}{}\n}\n\nfunc (m *${name}) String() string {\n` +
    `\treturn fmt.Sprintf("%+v", *m)\n}\n\n// ProtoMessage marks it.\nfunc (*${name}) ProtoMessage() {}\n`
  )
}
