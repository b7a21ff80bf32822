/** Why a log cannot be read, with Go's codes. */
export class LogError extends Error {
  /** `LogError`. */
  override readonly name = 'LogError'
  /**
   * `BAD_ARGUMENTS` for offsets and lengths that are no range, `NO_FILE` when the log has no file or it is not there,
   * `FAILED` when it cannot be read.
   */
  readonly code: 'BAD_ARGUMENTS' | 'FAILED' | 'NO_FILE'

  constructor(code: LogError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
