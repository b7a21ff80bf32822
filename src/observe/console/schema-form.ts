import { isSchema } from '../../message/standard-schema.ts'
import { formValue, type Html, html } from './html.ts'

/** The part of JSON Schema that forms are made of. */
interface JsonSchema {
  readonly type?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly description?: string
  readonly default?: unknown
}

const MAX_FIELDS = 50

/**
 * JSON Schema of a route's argument, of a schema library that can tell it, by the Standard JSON Schema interface.
 *
 * @returns undefined where there is none
 */
function schemaOf(arg: unknown): JsonSchema | undefined {
  if (!isSchema(arg)) return undefined
  const standard = arg['~standard'] as { jsonSchema?: { input?(options: { target: string }): unknown } }
  try {
    const schema = standard.jsonSchema?.input?.({ target: 'draft-2020-12' })
    return typeof schema === 'object' && schema !== null ? (schema as JsonSchema) : undefined
  } catch {
    return undefined // a schema of what JSON does not have
  }
}

function propertiesOf(arg: unknown): [string, JsonSchema][] | undefined {
  const schema = schemaOf(arg)
  if (schema?.type !== 'object' || schema.properties === undefined) return undefined
  const all = Object.entries(schema.properties)
  return all.length === 0 || all.length > MAX_FIELDS ? undefined : all
}

/** A form's fields for the properties of the argument; undefined when it is no object with known properties. */
export function fieldsOf(arg: unknown): Html | undefined {
  const all = propertiesOf(arg)
  if (all === undefined) return undefined
  const required = new Set(schemaOf(arg)?.required)
  return html`${all.map(([name, schema]) => {
    const label = html`<b>${name}</b>${!required.has(name) && html` <span class="dim">optional</span>`}${
      schema.description !== undefined && html` <span class="dim">${schema.description}</span>`
    }`
    return html`<label>${label}${field(name, schema, required.has(name))}</label>`
  })}`
}

function field(name: string, schema: JsonSchema, isRequired: boolean): Html {
  const key = formValue(`f.${name}`)
  const usual = schema.default
  const given = formValue(usual === undefined ? '' : typeof usual === 'string' ? usual : JSON.stringify(usual))
  const required = isRequired && html` required`
  const options = schema.enum ?? (schema.type === 'boolean' ? [true, false] : undefined)
  if (options !== undefined)
    return html`<select name="${key}">${!isRequired && html`<option value=""></option>`}${options.map(
      (option) => html`<option value="${formValue(JSON.stringify(option))}">${String(option)}</option>`,
    )}</select>`
  if (schema.type === 'number' || schema.type === 'integer')
    return html`<input type="number" step="${schema.type === 'integer' ? '1' : 'any'}" name="${key}" value="${given}"${required}>`
  if (schema.type === 'string') return html`<input name="${key}" value="${given}" autocomplete="off">`
  return html`<textarea name="${key}" rows="2" spellcheck="false" placeholder="JSON"${required}>${given}</textarea>`
}

/**
 * The argument that a form was sent with.
 *
 * @throws SyntaxError for a field that is no JSON
 */
export function argumentOf(arg: unknown, form: URLSearchParams): unknown {
  const all = propertiesOf(arg)
  const text = form.get('arg')
  if (all === undefined || text !== null) return text === null || text.trim() === '' ? undefined : JSON.parse(text)
  const required = new Set(schemaOf(arg)?.required)
  const value: [string, unknown][] = []
  for (const [name, schema] of all) {
    const given = form.get(`f.${name}`) ?? ''
    const isText = schema.type === 'string' && schema.enum === undefined
    if (given === '' && !(isText && required.has(name))) continue
    value.push([name, isText ? given : parse(name, given)])
  }
  return Object.fromEntries(value)
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SyntaxError(`${name} is no JSON`)
  }
}
