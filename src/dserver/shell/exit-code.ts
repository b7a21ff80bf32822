/** Exit codes of all commands, for scripts (docs/dserver.md#exit-codes). */
export const ExitCode = {
  Done: 0,
  /** The command failed: a setup threw, a reload did not come up, a stop was refused. */
  Failed: 1,
  /** Unknown command, flag or sandbox. */
  Usage: 2,
  /** There is no running server. */
  NotRunning: 3,
  /** A server of this name is running already. */
  AlreadyRunning: 4,
  /** The server did not do it in time. */
  TimedOut: 5,
  /** The configuration is wrong (EX_CONFIG of sysexits.h). */
  Config: 78,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** A failure with the exit code that it means. Its message is for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
