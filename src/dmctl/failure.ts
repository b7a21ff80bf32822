import { reasonOf } from '../base/errors/error-text.ts'
import { Code, StatusError } from '../base/errors/status.ts'

/** Exit codes of `dmctl`; docs/dmctl.md lists them. */
export const Exit = {
  Ok: 0,
  /** The peer answered with an error of its own, or something else failed. */
  Failed: 1,
  /** The command line is wrong, or an argument is no JSON. */
  Usage: 2,
  /** No peer could be reached. */
  Unreachable: 3,
  /** The peer has no such route. */
  NoRoute: 4,
  /** No answer in time. */
  Timeout: 5,
  /** The connection was lost. */
  Lost: 6,
  /** A file that was read has errors. */
  BadFile: 7,
  /** `--check` found files that would change. */
  Changed: 8,
  /** `--against` found changes that break. */
  Breaking: 9,
} as const

/** An error that ends the command with one line and an exit code. */
export class CommandError extends Error {
  readonly exit: number
  /** Members that `--json` prints besides. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(exit: number, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.exit = exit
    this.details = details
  }
}

export function usage(message: string): CommandError {
  return new CommandError(Exit.Usage, message)
}

/** The failure of dialling `url`. */
export function dialError(url: string, error: unknown): CommandError {
  if (!(error instanceof StatusError)) return usage(reasonOf(error))
  const { code, message, cause } = error
  if (code === Code.DialFailed) return new CommandError(Exit.Unreachable, `nobody answers at ${url}: ${cause}`, { code })
  return new CommandError(Exit.Failed, `${url} refused the connection: ${statusLine(code, message, cause)}`, { code, cause })
}

/** The failure of a call or push of `route`. */
export function callError(url: string, route: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error
  if (!(error instanceof StatusError)) return usage(reasonOf(error))
  const { code, message, cause } = error
  const details = { code, cause }
  if (code === Code.NotFound) return new CommandError(Exit.NoRoute, `no route ${route} at ${url}`, details)
  const line = statusLine(code, message, cause)
  if (code === Code.HandleTimeout) return new CommandError(Exit.Timeout, `${route} did not answer in time: ${line}`, details)
  // A body that the codec cannot encode, or that is too large; the connection is as it was.
  if (code === Code.WriteFailed) return new CommandError(Exit.Failed, `${route} was not sent: ${line}`, details)
  // Read as a frame, the first bytes of an HTTP response announce one that is too large.
  const hint = /frame larger/.test(cause) ? '; does the peer speak another protocol? (--protocol)' : ''
  if (code === Code.ConnectionClosed) return new CommandError(Exit.Lost, `the connection to ${url} was lost: ${line}${hint}`, details)
  return new CommandError(Exit.Failed, `${route} failed: ${line}`, details)
}

function statusLine(code: number, message: string, cause: string): string {
  return `${code} ${message}${cause === '' ? '' : `: ${cause}`}`.replaceAll(/\s*\n\s*/g, ' ')
}
