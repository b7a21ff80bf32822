import { isThenable } from '../base/async/thenable.ts'
import { badMessage } from '../base/errors/status.ts'
import type { Reply } from '../message/reply.ts'
import type { StandardSchemaV1 } from '../message/standard-schema.ts'
import { asBadMessage } from '../transports/failures.ts'

/** Maximum number of schema issues that an error text lists. */
const MAX_ISSUES = 5

type Handler<Context> = (arg: never, ctx: Context) => unknown
type Outcome = StandardSchemaV1.Result<unknown>

/**
 * Wraps a handler with schemas: it gets the validated argument, and the caller gets the validated result.
 *
 * @throws (the wrapped handler) StatusError 400 with the issues of a bad argument; Error with the issues of a bad
 *   result, which is the callee's mistake
 */
export function guardHandler<Context>(
  name: string,
  handler: Handler<Context>,
  arg: StandardSchemaV1 | undefined,
  result: StandardSchemaV1 | undefined,
): Handler<Context> {
  const checked = result === undefined ? handler : guardResult(name, handler, result)
  return arg === undefined ? checked : guardArg(checked, arg)
}

/**
 * Makes a function that validates the reply of a call and settles the call: StatusError 400 when the body does not
 * match.
 *
 * @param full whether the caller wants a Reply, not just its body
 */
export function guardReply(
  schema: StandardSchemaV1,
  full: boolean,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): (value: unknown) => void {
  const settle = (reply: unknown, outcome: Outcome): void => {
    if (outcome.issues !== undefined) reject(badMessage(`result: ${issuesText(outcome.issues)}`))
    else resolve(full ? { ...(reply as Reply<unknown>), body: outcome.value } : outcome.value)
  }
  return (reply) => {
    const fail = (error: unknown): void => reject(asBadMessage(error))
    try {
      const outcome = schema['~standard'].validate(full ? (reply as Reply<unknown>).body : reply)
      if (outcome instanceof Promise) outcome.then((late) => settle(reply, late)).catch(fail)
      else settle(reply, outcome)
    } catch (error) {
      fail(error)
    }
  }
}

function guardArg<Context>(handler: Handler<Context>, schema: StandardSchemaV1): Handler<Context> {
  const accept = (outcome: Outcome): never => {
    if (outcome.issues !== undefined) throw badMessage(`argument: ${issuesText(outcome.issues)}`)
    return outcome.value as never
  }
  return (arg, ctx) => {
    const outcome = schema['~standard'].validate(arg)
    return outcome instanceof Promise ? outcome.then((late) => handler(accept(late), ctx)) : handler(accept(outcome), ctx)
  }
}

function guardResult<Context>(name: string, handler: Handler<Context>, schema: StandardSchemaV1): Handler<Context> {
  const accept = (outcome: Outcome): unknown => {
    if (outcome.issues !== undefined) throw new Error(`the result of ${name} breaks its schema: ${issuesText(outcome.issues)}`)
    return outcome.value
  }
  const check = (value: unknown): unknown => {
    const outcome = schema['~standard'].validate(value)
    return outcome instanceof Promise ? outcome.then(accept) : accept(outcome)
  }
  return (arg, ctx) => {
    const value = handler(arg, ctx)
    return isThenable(value) ? Promise.resolve(value).then(check) : check(value)
  }
}

/** Formats issues as `items.0.name: Required; …`. */
function issuesText(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, MAX_ISSUES).map(({ message, path }) => {
    const where = (path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.')
    return where === '' ? message : `${where}: ${message}`
  })
  if (issues.length > MAX_ISSUES) shown.push(`${issues.length - MAX_ISSUES} more`)
  return shown.join('; ')
}
