import { badMessage } from '../base/errors/status.ts'
import type { StandardSchemaV1 } from '../message/standard-schema.ts'

/** Maximum number of issues that an error names. */
const MAX_ISSUES = 5

/**
 * Validates a value, and resolves to what the schema makes of it.
 *
 * @param side begins the error's cause
 * @throws StatusError (rejects) 400 with the first issues
 */
export async function validated(schema: StandardSchemaV1, value: unknown, side: string): Promise<unknown> {
  const outcome = await schema['~standard'].validate(value)
  if (outcome.issues === undefined) return outcome.value
  const shown = outcome.issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => {
    // Valibot's segments hold the whole input: only their keys are shown.
    const where = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.')
    return where === '' ? message : `${where}: ${message}`
  })
  throw badMessage(`${side}: ${shown.join('; ')}`)
}
