import { appendFileSync, chmodSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { ControlClient } from '../control/control-client.ts'
import { CommandError, ExitCode } from '../shell/exit-code.ts'
import { type CtlFlags, ctlCommands, runCtlCommand } from './ctl-commands.ts'
import { failureOf } from './operate.ts'
import { Output } from './output.ts'

/** Lines that the history keeps in memory. */
const HISTORY_SIZE = 500

/**
 * The shell of `ctl`: reads commands line by line, from a terminal with history and completion, or from a file.
 * @param dial connects to the server
 * @returns 0, or without a terminal the exit code of the last command that failed; 1 after Ctrl-C twice
 */
export async function runShell(name: string, dial: () => Promise<ControlClient>, flags: CtlFlags, output: Output): Promise<number> {
  const shell = new Shell(name, dial, flags)
  try {
    await shell.connect()
    return await shell.run()
  } catch (error) {
    return output.failed(failureOf(error, flags.timeout))
  } finally {
    await shell.close()
  }
}

class Shell {
  readonly #dial: () => Promise<ControlClient>
  readonly #flags: CtlFlags
  readonly #isTerminal = process.stdin.isTTY === true
  readonly #historyFile: string
  readonly #lines: Interface
  #client: ControlClient | undefined
  #interrupts = 0
  /** Ends what a command follows. */
  #interrupt: (() => void) | undefined
  #exitCode: number = ExitCode.Done
  /** Lines that wait, while a command runs or the shell connects. */
  readonly #waiting: string[] = []
  #ended = false
  #wake = (): void => {}

  constructor(name: string, dial: () => Promise<ControlClient>, flags: CtlFlags) {
    this.#dial = dial
    this.#flags = flags
    this.#historyFile = join(homedir(), `.${name}.hist`)
    this.#lines = createInterface({
      input: process.stdin,
      output: this.#isTerminal ? process.stdout : undefined,
      prompt: `${name} » `,
      history: this.#isTerminal ? readHistory(this.#historyFile) : [],
      historySize: HISTORY_SIZE,
      removeHistoryDuplicates: true,
      completer: complete,
    })
    this.#lines.on('SIGINT', () => this.#onInterrupt())
    this.#lines.on('line', (line) => {
      this.#waiting.push(line)
      this.#wake()
    })
    this.#lines.on('close', () => {
      this.#ended = true
      this.#interrupt?.()
      this.#wake()
    })
  }

  async connect(): Promise<ControlClient> {
    if (this.#client?.isOpen === true) return this.#client
    await this.#client?.close()
    this.#client = await this.#dial()
    return this.#client
  }

  async run(): Promise<number> {
    this.#prompt()
    for (;;) {
      const line = this.#waiting.shift()
      if (line === undefined) {
        if (this.#ended) return this.#exitCode
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      if (!(await this.#runLine(line))) return this.#exitCode
      this.#prompt()
    }
  }

  /** Runs one line; resolves to false for the last one. */
  async #runLine(line: string): Promise<boolean> {
    const words = line.trim() === '' ? [] : splitWords(line)
    const [command] = words
    if (command === undefined) return true
    this.#interrupts = 0
    if (this.#isTerminal) writeHistory(this.#historyFile, line)
    if (command === 'exit' || command === 'quit') return false
    if (command === 'clear') console.clear()
    else if (command === 'help') console.log(helpText())
    else await this.#runCommand(words)
    return true
  }

  async #runCommand(words: readonly string[]): Promise<void> {
    let output = new Output('ctl', this.#flags.json === true)
    try {
      const { positionals, flags } = readLine(words, this.#flags)
      output = new Output('ctl', flags.json === true)
      const client = await this.connect()
      await runCtlCommand(client, positionals, flags, output, {
        untilInterrupted: () =>
          new Promise((resolve) => {
            this.#interrupt = resolve
            if (this.#ended) resolve()
          }),
        reconnect: () => this.connect().catch(() => undefined),
      })
    } catch (error) {
      const code = output.failed(failureOf(error, this.#flags.timeout))
      // A terminal shows what failed.
      if (!this.#isTerminal) this.#exitCode = code
    } finally {
      this.#interrupt = undefined
    }
  }

  #onInterrupt(): void {
    if (this.#interrupt !== undefined) this.#interrupt()
    else if (++this.#interrupts >= 2) {
      this.#exitCode = ExitCode.Failed
      this.#lines.close()
    } else {
      console.log('\nCtrl-C once more ends the shell')
      this.#prompt()
    }
  }

  #prompt(): void {
    if (this.#isTerminal) this.#lines.prompt()
  }

  async close(): Promise<void> {
    this.#lines.close()
    await this.#client?.close()
  }
}

/** Words and flags of a line. `log` of the shell follows, as in Go. */
function readLine(words: readonly string[], given: CtlFlags): { positionals: string[]; flags: CtlFlags } {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        level: { type: 'string', short: 'l' },
        name: { type: 'string', short: 'n', multiple: true },
        lines: { type: 'string' },
        follow: { type: 'boolean', short: 'f' },
        json: { type: 'boolean' },
      },
    })
    if (positionals[0] === 'v') positionals[0] = 'version'
    const lines = values.lines === undefined ? undefined : Number(values.lines)
    if (lines !== undefined && !(Number.isInteger(lines) && lines >= 0)) throw new TypeError('--lines needs a whole number')
    const { level, name, json = given.json } = values
    const { timeout, reloadTime } = given
    const follow = values.follow ?? positionals[0] === 'log'
    return { positionals, flags: { timeout, reloadTime, level, name, lines, json, follow } }
  } catch (error) {
    throw new CommandError(ExitCode.Usage, (error as Error).message)
  }
}

/** Splits a line at spaces outside of quotes. A quote that is not closed is an ordinary character. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < line.length; at++) {
    const char = line[at]
    const end = char === '"' || char === "'" ? line.indexOf(char, at + 1) : -1
    if (end >= 0) {
      word = (word ?? '') + line.slice(at + 1, end)
      at = end
    } else if (char.trim() !== '') word = (word ?? '') + char
    else if (word !== undefined) {
      words.push(word)
      word = undefined
    }
  }
  return word === undefined ? words : [...words, word]
}

function complete(line: string): [string[], string] {
  const names = [...ctlCommands.map(([usage]) => usage.split(' ', 1)[0]), 'help', 'clear', 'exit']
  return [names.filter((name) => name.startsWith(line)), line]
}

function helpText(): string {
  const all = [...ctlCommands, ['help, clear, exit', ''] as const]
  return all.map(([usage, text]) => `${usage.padEnd(20)}${text}`.trimEnd()).join('\n')
}

/** The last line first, as node:readline wants it. */
function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-HISTORY_SIZE).reverse()
  } catch {
    return []
  }
}

function writeHistory(file: string, line: string): void {
  try {
    appendFileSync(file, `${line}\n`, { mode: 0o600 })
    chmodSync(file, 0o600)
  } catch {
    // A shell works without it.
  }
}
