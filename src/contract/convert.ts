import { textOf } from '../base/errors/error-text.ts'
import { isSchema, type StandardSchemaV1 } from '../message/standard-schema.ts'
import { type Body, isPlain } from './body.ts'
import { type JsonSchema, normalized } from './json-schema.ts'
import { isReflected, protobufSchema } from './protobuf-schema.ts'

/** The part of Standard Schema 1.1 that gives JSON Schema. Valibot's schemas get it by `toStandardJsonSchema`. */
interface StandardJsonSchema {
  input(options: ConvertOptions): JsonSchema
  output(options: ConvertOptions): JsonSchema
}

interface ConvertOptions {
  target: 'draft-2020-12'
  libraryOptions?: Record<string, unknown>
}

/** Gives schemas of a library JSON Schema, by the library's name, such as `{ valibot: toStandardJsonSchema }`. */
export type Converters = Readonly<Record<string, (schema: never) => StandardSchemaV1>>

/** A body as JSON Schema. What could not be said is left open in `schema`, and named in `problems`. */
interface Converted {
  schema: JsonSchema
  problems: string[]
}

const target = 'draft-2020-12'

/**
 * The JSON Schema of a body: of what is sent for an argument (`input`), of what comes for a result (`output`). Never
 * throws.
 */
export function toJsonSchema(body: Body, side: 'input' | 'output', converters: Converters = {}): Converted {
  if (isPlain(body)) return { schema: body.jsonSchema === undefined ? {} : normalized(body.jsonSchema), problems: [] }
  if (!isSchema(body)) {
    if (isReflected(body)) return { schema: protobufSchema(body), problems: [] }
    return { schema: {}, problems: ['a static protobuf class does not say what it contains: use the reflected type'] }
  }
  const { vendor } = body['~standard']
  const wrapped = converters[vendor]?.(body as never) ?? body
  const json = (wrapped['~standard'] as { jsonSchema?: StandardJsonSchema }).jsonSchema
  if (json === undefined) {
    const way = vendor === 'valibot' ? 'wrap it in toStandardJsonSchema of @valibot/to-json-schema' : 'its library does not give any'
    return { schema: {}, problems: [`a schema of ${vendor} has no JSON Schema: ${way}`] }
  }
  const problems: string[] = []
  const convert = convertersOf[vendor] ?? convertStrictly
  try {
    return { schema: normalized(convert(wrapped, json, side, problems)), problems }
  } catch (error) {
    return { schema: {}, problems: [...problems, firstLine(error)] }
  }
}

type Convert = (schema: StandardSchemaV1, json: StandardJsonSchema, side: 'input' | 'output', problems: string[]) => JsonSchema

const convertStrictly: Convert = (_, json, side) => json[side]({ target })

const convertersOf: Readonly<Record<string, Convert>> = {
  zod(_, json, side, problems) {
    try {
      return json[side]({ target })
    } catch (error) {
      // Once more, with what it cannot say left open: the names of such properties are what readers look for.
      const override = ({ zodSchema, jsonSchema, path }: ZodOverride): void => {
        const kind = zodSchema._zod.def.type
        if (Object.keys(jsonSchema).length > 0 || kind === 'any' || kind === 'unknown') return
        const where = path.filter((key) => key !== 'properties').join('.')
        problems.push(`${where === '' ? 'it' : where} is a ${kind}, which JSON cannot say`)
      }
      const found = json[side]({ target, libraryOptions: { unrepresentable: 'any', override } })
      if (problems.length === 0) problems.push(firstLine(error))
      return found
    }
  },
  valibot(_, json, side, problems) {
    try {
      return json[side]({ target })
    } catch (error) {
      problems.push(firstLine(error))
      return json[side]({ target, libraryOptions: { errorMode: 'ignore' } })
    }
  },
  // Standard Schema of arktype says {} for what it cannot say, where arktype's own method names it.
  arktype(schema, json, side, problems) {
    const own = (schema as Partial<ArkType>)[side === 'input' ? 'in' : 'out']
    if (own === undefined || typeof own.toJsonSchema !== 'function') return json[side]({ target })
    const fallback = ({ code, base }: { code: string; base: JsonSchema }): JsonSchema => {
      problems.push(`it has a part (${code}) that JSON cannot say`)
      return base
    }
    const found = own.toJsonSchema({ fallback })
    const { $schema: _, ...rest } = found
    if (Object.keys(rest).length === 0 && (schema as Partial<ArkType>).expression !== 'unknown')
      problems.push('a morph does not say what it makes: add .to(…)')
    return found
  },
}

interface ZodOverride {
  zodSchema: { _zod: { def: { type: string } } }
  jsonSchema: object
  path: (string | number)[]
}

interface ArkType {
  expression: string
  in: ArkSide
  out: ArkSide
}

interface ArkSide {
  toJsonSchema(options: { fallback(context: { code: string; base: JsonSchema }): JsonSchema }): JsonSchema
}

function firstLine(error: unknown): string {
  return textOf(error).split('\n', 1)[0]
}
