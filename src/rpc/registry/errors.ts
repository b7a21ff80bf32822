import { reasonOf } from '../../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../../base/errors/status.ts'

/**
 * A registry that does not answer, so that it is not known who serves.
 * @param kind the registry's `name`
 */
export function registryLost(kind: string, reason: unknown): StatusError {
  return new StatusError(Code.ServiceUnavailable, statusText(Code.ServiceUnavailable), `registry ${kind}: ${reasonOf(reason)}`)
}

/**
 * An operation of a registry after its `close`.
 * @param kind the registry's `name`
 */
export function registryClosed(kind: string): StatusError {
  return new StatusError(Code.InvalidOperation, statusText(Code.InvalidOperation), `registry ${kind}: it is closed`)
}

/**
 * An operation that this kind of registry does not have.
 * @param kind the registry's `name`
 */
export function registryCannot(kind: string, what: string): StatusError {
  return new StatusError(Code.InvalidOperation, statusText(Code.InvalidOperation), `registry ${kind}: it cannot ${what}`)
}
