import { reasonOf } from '../../base/errors/error-text.ts'
import { printable, printableLines } from '../../base/text/printable.ts'
import { printableJson } from '../../base/text/printable-json.ts'
import { ConfigError } from '../config/config-error.ts'
import { type LogBatch, lineText } from '../ctl/log-stream.ts'
import { UnknownNameError } from '../sandbox/unknown-name.ts'
import { CommandError, ExitCode } from '../shell/exit-code.ts'

/**
 * Prints what a command did: text for people, or one line of JSON on stdout (`--json`). What a server answers may have
 * sequences that steer a terminal: they are escaped.
 */
export class Output {
  readonly #command: string
  readonly #json: boolean

  constructor(command: string, json: boolean) {
    this.#command = command
    this.#json = json
  }

  /** Prints a result. */
  done(fields: object, text: string): number {
    this.#print(console.log, { ok: true, command: this.#command, ...fields }, text)
    return ExitCode.Done
  }

  /** Prints what happened meanwhile, for programs alone. */
  event(fields: object): void {
    if (this.#json) console.log(jsonText({ ok: true, command: this.#command, ...fields }))
  }

  /** Prints lines of a log, one of JSON for each with `--json`. Resolves when they are on their way. */
  async lines(batch: LogBatch): Promise<void> {
    if (batch.length === 0) return
    const text = batch.map((item) => `${this.#json ? jsonText(item) : printable(lineText(item))}\n`).join('')
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  }

  /** Prints text that has line ends. */
  text(text: string): void {
    if (this.#json) console.log(jsonText({ text: text.trimEnd() }))
    else process.stdout.write(printableLines(text))
  }

  /** Prints a failure and returns the exit code that it means. */
  failed(error: unknown): number {
    const code = exitCodeOf(error)
    const { source, line, key, expected } = error instanceof ConfigError ? error : ({} as Partial<ConfigError>)
    const fields = { ok: false, command: this.#command, code, error: reasonOf(error), source, line, key, expected }
    this.#print(this.#json ? console.log : console.error, fields, reasonOf(error))
    return code
  }

  #print(print: (line: string) => void, fields: object, text: string): void {
    print(this.#json ? jsonText(fields) : printableLines(text))
  }
}

function jsonText(value: object): string {
  return printableJson(JSON.stringify(value))
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode
  if (error instanceof ConfigError) return ExitCode.Config
  return error instanceof UnknownNameError ? ExitCode.Usage : ExitCode.Failed
}
