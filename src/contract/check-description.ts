import { field, fields, flag, listOf, maybe, oneOf, orNull, text, when } from './check-parts.ts'
import { schema } from './check-schema.ts'
import type { ServiceDescription } from './description.ts'
import { isMethodName } from './routes.ts'

const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== ''
const filled = when(isFilled, 'a text that is not empty')
const serviceName = when((value) => typeof value === 'string' && /^[A-Za-z]\w*$/.test(value), 'letters, digits and _')
const methodName = when(
  (value) => typeof value === 'string' && value.split('.').every(isMethodName),
  'names of methods and groups with dots between them',
)
const int32 = when((value) => value === Number(value) && value === (value | 0), 'an int32')
const deprecated = when((value) => typeof value === 'boolean' || typeof value === 'string', 'true, false or a text')
const body = orNull(schema)
const docs = { docs: maybe(text), deprecated: maybe(deprecated), since: maybe(text) }

const failure = fields({ name: filled, code: int32, message: text, details: maybe(schema) })
const method = fields({
  ...docs,
  name: methodName,
  kind: oneOf('call', 'push'),
  route: filled,
  arg: body,
  result: maybe(body),
  errors: maybe(listOf(failure)),
  safe: maybe(flag),
  idempotent: maybe(flag),
  callable: maybe(flag),
  codec: maybe(filled),
})
const service = fields({
  ...docs,
  dmicro: oneOf(1),
  name: serviceName,
  version: text,
  groups: maybe(listOf(fields({ ...docs, name: methodName }))),
  methods: listOf(method),
  toClient: listOf(method),
  problems: maybe(listOf(text)),
})

/**
 * Requires `value`, which anybody may have made, to be the description of a service: generators write its names and
 * numbers into code as they are.
 *
 * @param place what messages call it
 * @throws TypeError that names the place of what is wrong
 */
export function checkDescription(value: unknown, place: string): ServiceDescription {
  service(value, place)
  const found = value as ServiceDescription
  for (const side of ['methods', 'toClient'] as const) {
    for (const key of ['name', 'route'] as const) {
      const seen = new Set<string>()
      for (const [i, { [key]: own }] of found[side].entries()) {
        if (seen.has(own)) throw new TypeError(`${field(`${place}.${side}[${i}]`, key)} is that of another method, ${JSON.stringify(own)}`)
        seen.add(own)
      }
    }
  }
  return found
}
