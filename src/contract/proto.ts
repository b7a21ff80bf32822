import { typeName } from './components.ts'
import type { Described, DescribeOptions, MethodDescription } from './description.ts'
import type { JsonSchema } from './json-schema.ts'
import { type Numbers, numbersOf } from './proto-numbers.ts'
import type { ProtobufField } from './protobuf-field.ts'
import { described } from './services.ts'

/** Options of `proto`. */
export interface ProtoOptions extends DescribeOptions {
  /** Package of the file. Default: the name of the service in lower case. */
  package?: string | undefined
  /** The option `go_package`. Default: none. */
  goPackage?: string | undefined
  /**
   * The text of an earlier version: fields keep their numbers, and those of removed fields stay reserved.
   * Default: fields are numbered in the order of the contract.
   */
  previous?: string | undefined
}

interface FieldType {
  label: '' | 'optional ' | 'repeated '
  type: string
}

/**
 * The proto3 text of a service, for peers in other languages: its messages, and a service whose methods have their
 * routes in comments. Fields have the names that they have in JSON. Bodies that are no objects are messages of one
 * field, `value`, in protobuf alone.
 *
 * @throws TypeError for schemas that JSON Schema or protobuf cannot say, all of them
 */
export function proto(service: Described, options: ProtoOptions = {}): string {
  const found = described(service, options)
  const writer = new ProtoWriter(options.previous === undefined ? new Map() : numbersOf(options.previous))
  const methods = (list: readonly MethodDescription[], name: string, suffix: string): string => {
    if (list.length === 0) return ''
    const lines = list.map((method) => {
      const own = `${typeName('', method)}${suffix}`
      const arg = writer.body(`${own}Argument`, method.arg, `${method.name}, argument`)
      const result = writer.body(`${own}Result`, method.result ?? null, `${method.name}, result`)
      const notes = [
        method.docs,
        `${method.kind === 'call' ? 'CALL' : 'PUSH'} ${method.route}`,
        ...(method.errors ?? []).map(({ code, message, name: each }) => `Error ${code} ${each}: ${message}`),
      ]
      const deprecated = method.deprecated === undefined ? ';' : ' { option deprecated = true; }'
      return `${comment(notes, '  ')}  rpc ${typeName('', method)}(${arg}) returns (${result})${deprecated}\n`
    })
    return `service ${name} {\n${lines.join('\n')}}\n`
  }
  const title = found.name.charAt(0).toUpperCase() + found.name.slice(1)
  const services = [methods(found.methods, title, ''), methods(found.toClient, `${title}ToClient`, 'ToClient')].filter(
    (text) => text !== '',
  )
  const messages = writer.messages()
  if (writer.problems.length > 0) throw new TypeError(`service ${found.name} has no .proto: ${writer.problems.join('; ')}`)
  const head = [
    comment([`${found.name} ${found.version}. Made of a contract: do not edit.`], '').trimEnd(),
    'syntax = "proto3";',
    '',
    `package ${options.package ?? found.name.toLowerCase()};`,
    ...(options.goPackage === undefined ? [] : ['', `option go_package = ${JSON.stringify(options.goPackage)};`]),
    ...(writer.imports.size === 0 ? [] : ['', ...[...writer.imports].sort().map((each) => `import "${each}";`)]),
  ]
  return `${[head.join('\n'), ...services.map((text) => text.trimEnd()), ...messages].join('\n\n')}\n`
}

class ProtoWriter {
  readonly problems: string[] = []
  readonly imports = new Set<string>()
  readonly #messages = new Map<string, string>()
  readonly #previous: ReadonlyMap<string, Numbers>

  constructor(previous: ReadonlyMap<string, Numbers>) {
    this.#previous = previous
  }

  messages(): string[] {
    return [...this.#messages.values()]
  }

  /** Name of the message for a body. */
  body(name: string, schema: JsonSchema | null, where: string): string {
    if (schema === null) {
      this.imports.add('google/protobuf/empty.proto')
      return 'google.protobuf.Empty'
    }
    const { $defs = {}, ...root } = schema
    const defs = new Map<string, string>()
    const named = (def: string): string => {
      const known = defs.get(def)
      if (known !== undefined) return known
      const own = /^(Def\d+|Self)$/.test(def) ? `${name}${def}` : def.charAt(0).toUpperCase() + def.slice(1)
      defs.set(def, own)
      this.#message(own, $defs[def] ?? {}, named, where)
      return own
    }
    const found = root as JsonSchema
    if (found.$ref !== undefined) return named(found.$ref.slice('#/$defs/'.length))
    this.#message(name, isObject(found) ? found : { type: 'object', properties: { value: found }, required: ['value'] }, named, where)
    return name
  }

  #message(name: string, schema: JsonSchema, named: (def: string) => string, where: string): void {
    if (!isObject(schema)) {
      this.problems.push(`${where}: ${name} is no object`)
      return
    }
    this.#messages.set(name, '') // its place in the order
    const required = new Set(schema.required)
    const previous = this.#previous.get(name)
    const taken = new Set([...(previous?.fields.values() ?? []), ...(previous?.reserved ?? [])])
    const properties = Object.entries(schema.properties ?? {})
    const own = properties.flatMap(([, each]) => protobufOf(each)?.id ?? [])
    for (const id of own) taken.add(id)
    const lines = properties.flatMap(([field, each]) => {
      const at = `${where}: ${field}`
      if (!/^[A-Za-z]\w*$/.test(field)) {
        this.problems.push(`${at} is no name of a field`)
        return []
      }
      const type = this.#field(`${name}${field.charAt(0).toUpperCase()}${field.slice(1)}`, each, named, at, !required.has(field))
      const number = protobufOf(each)?.id ?? previous?.fields.get(field) ?? next(taken)
      return [`${comment([describeField(each)], '  ')}  ${type.label}${type.type} ${field} = ${number};`]
    })
    const removed = [...(previous?.fields ?? [])].filter(([field]) => schema.properties?.[field] === undefined)
    const numbers = [...new Set([...(previous?.reserved ?? []), ...removed.map(([, number]) => number)])].sort((a, b) => a - b)
    const reserved = numbers.length === 0 ? [] : [`  reserved ${numbers.join(', ')};`]
    const text = typeof schema.description === 'string' ? comment([schema.description], '') : ''
    const inside = [...reserved, ...lines]
    this.#messages.set(name, `${text}message ${name} {${inside.length === 0 ? '' : `\n${inside.join('\n')}\n`}}`)
  }

  #field(name: string, schema: JsonSchema, named: (def: string) => string, where: string, optional: boolean): FieldType {
    const { type: known, key = 'string', delimited } = protobufOf(schema) ?? {}
    if (delimited === true) this.problems.push(`${where} is a group, which proto3 does not have`)
    const { schema: value, nullable } = withoutNull(schema)
    const label = optional || nullable ? 'optional ' : ''
    const scalar = known !== undefined && isScalar(known) ? known : undefined
    const member = (inner: JsonSchema, at: string): FieldType =>
      scalar === undefined ? this.#field(name, inner, named, at, false) : { label: '', type: scalar }
    if (value.$ref !== undefined) return { label: '', type: named(value.$ref.slice('#/$defs/'.length)) }
    if (value.type === 'array') {
      const items = typeof value.items === 'object' ? value.items : {}
      const { type, label: inner } = member(items, `${where}[]`)
      if (inner === 'repeated ' || type.startsWith('map<')) this.problems.push(`${where} is a list of ${inner === '' ? 'maps' : 'lists'}`)
      return { label: 'repeated ', type }
    }
    if (value.type === 'object' && value.properties === undefined && typeof value.additionalProperties === 'object') {
      const { type, label: inner } = member(value.additionalProperties, `${where}.*`)
      if (inner === 'repeated ') this.problems.push(`${where} is a map of lists`)
      return { label: '', type: `map<${key}, ${type}>` }
    }
    if (isObject(value)) {
      this.#message(name, value, named, where)
      return { label: '', type: name }
    }
    const type = scalar ?? scalarOf(value)
    if (type !== undefined) return { label, type }
    this.problems.push(`${where} has several types, or any, which a field cannot have`)
    return { label, type: 'bytes' }
  }
}

function isObject(schema: JsonSchema): boolean {
  return schema.type === 'object' && typeof schema.additionalProperties !== 'object'
}

function isScalar(type: string): boolean {
  return /^(double|float|bool|string|bytes|(s|u)?int(32|64)|s?fixed(32|64))$/.test(type)
}

function scalarOf(schema: JsonSchema): string | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum
  const types = schema.type ?? (values === undefined ? undefined : [...new Set(values.map((each) => typeof each))])
  const type = typeof types === 'string' ? types : types?.length === 1 ? types[0] : undefined
  if (type === 'integer') return isInt32(schema) ? 'int32' : 'int64'
  if (type === 'number') return 'double'
  if (type === 'boolean') return 'bool'
  if (type === 'string') return schema.contentEncoding === 'base64' ? 'bytes' : 'string'
  return undefined
}

function isInt32({ minimum, maximum }: JsonSchema): boolean {
  return typeof minimum === 'number' && typeof maximum === 'number' && minimum >= -(2 ** 31) && maximum < 2 ** 31
}

/** A schema without null, which a field says by its absence. */
function withoutNull(schema: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  if (Array.isArray(schema.type) && schema.type.includes('null')) {
    const types = schema.type.filter((each) => each !== 'null')
    return { schema: { ...schema, type: types.length === 1 ? types[0] : types }, nullable: true }
  }
  const options = schema.anyOf ?? schema.oneOf
  const rest = options?.filter((each) => each.type !== 'null')
  if (options === undefined || rest?.length !== 1) return { schema, nullable: false }
  const { anyOf: _, oneOf: __, ...outer } = schema
  return { schema: { ...outer, ...rest[0] }, nullable: rest.length < options.length }
}

function protobufOf(schema: JsonSchema): Partial<ProtobufField> | undefined {
  return schema['x-protobuf'] as Partial<ProtobufField> | undefined
}

/** The next number of a field; those from 19000 to 19999 are protobuf's own. */
function next(taken: Set<number>): number {
  let number = 1
  while (taken.has(number)) number = number === 18_999 ? 20_000 : number + 1
  taken.add(number)
  return number
}

function describeField({ description, ...schema }: JsonSchema): string | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum
  const listed = values === undefined ? undefined : `One of ${values.map((each) => JSON.stringify(each)).join(', ')}.`
  return [description, listed].filter((text) => typeof text === 'string').join('\n')
}

function comment(texts: readonly (string | undefined)[], indent: string): string {
  const lines = texts.flatMap((text) => (text === undefined || text === '' ? [] : text.split(/\r\n|[\p{Cc}\u2028\u2029]/u)))
  return lines.map((line) => `${indent}//${line === '' ? '' : ` ${line}`}\n`).join('')
}
