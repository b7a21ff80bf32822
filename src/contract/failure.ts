import { StatusError } from '../base/errors/status.ts'
import type { StandardSchemaV1 } from '../message/standard-schema.ts'
import { type Body, type Input, type Output, type plain, requireBody } from './body.ts'

/** Applications' codes begin here; lower ones are the framework's. */
const MIN_CODE = 1000

/** An error that was declared: its code is known, and its details have a type. */
export interface DeclaredStatus<Details> extends StatusError {
  /** Value that the error carries, as its declaration describes it. */
  readonly details: Details
}

/**
 * A declared error. Calling it makes the error, for a handler to throw; `is` recognizes it on the caller's side.
 * Details travel as JSON in the cause of the status, where peers of any language find them.
 */
export interface Failure<Details extends Body = Body> {
  (details: Input<Details>): DeclaredStatus<Output<Details>>
  /** Code of the status, an int32 of at least 1000. */
  readonly code: number
  /** Text of the status. */
  readonly message: string
  /** Describes the details; undefined for none. */
  readonly details: Details | undefined
  /** Whether `error` has the code and such details, which it then has as `details`. */
  is(error: unknown): error is DeclaredStatus<Output<Details>>
}

/** Declared errors by name. */
export type Failures = Readonly<Record<string, AnyFailure>>

/** A failure with details of any type. */
type AnyFailure = Pick<Failure, 'code' | 'details'> & { readonly message: string; is(error: unknown): boolean }

/**
 * Declares an error: `throw OutOfStock({ left: 2 })` in a handler, `OutOfStock.is(error)` on the other side.
 *
 * @param code 1000 or more, an int32
 * @param message text of the status
 * @throws RangeError for a code that is the framework's, or no int32
 */
export function declareError(code: number, message: string): Failure<ReturnType<typeof plain<void>>>
/**
 * Declares an error that carries details.
 *
 * @param details describes them. A schema must answer at once.
 * @throws RangeError for a code that is the framework's, or no int32
 * @throws TypeError for details that are no schema
 */
export function declareError<Details extends Body>(code: number, message: string, details: Details): Failure<Details>
export function declareError(code: number, message: string, details?: Body): Failure {
  if (!Number.isInteger(code) || code < MIN_CODE || code !== (code | 0))
    throw new RangeError(`the code of a declared error must be an int32 of at least ${MIN_CODE}, got ${code}`)
  if (typeof message !== 'string') throw new TypeError('the message of a declared error must be a string')
  if (details !== undefined) requireBody(`details of the error ${code}`, details)
  const make = (value?: unknown): StatusError => {
    const error = new StatusError(code, message, value === undefined ? '' : JSON.stringify(value))
    return withDetails(error, value)
  }
  const is = (error: unknown): boolean => {
    if (!(error instanceof StatusError) || error.code !== code) return false
    if (details === undefined || 'details' in error) return true
    const found = read(error.cause, details)
    if (found === undefined) return false
    withDetails(error, found.value)
    return true
  }
  return Object.defineProperties(make, {
    name: { value: message },
    code: { value: code },
    message: { value: message },
    details: { value: details },
    is: { value: is },
  }) as unknown as Failure
}

/** Reads details that came as JSON. Undefined when they are none, or not what was declared. */
function read(cause: string, details: Body): { value: unknown } | undefined {
  let value: unknown
  try {
    value = cause === '' ? undefined : JSON.parse(cause)
  } catch {
    return undefined
  }
  if (!('~standard' in Object(details))) return { value }
  const outcome = (details as StandardSchemaV1)['~standard'].validate(value)
  // A schema that answers later cannot be asked here: the details are taken as they are.
  if (outcome instanceof Promise) return { value }
  return outcome.issues === undefined ? { value: outcome.value } : undefined
}

function withDetails(error: StatusError, details: unknown): StatusError {
  return Object.defineProperty(error, 'details', { value: details, enumerable: true, configurable: true })
}
