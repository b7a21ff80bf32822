/** Why a log cannot be read, with Go's codes. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: 'BAD_ARGUMENTS' | 'FAILED' | 'NO_FILE'

  constructor(code: LogError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
