import { Command, CommanderError } from 'commander'
import { reasonOf } from '../base/errors/error-text.ts'
import { addBench } from './commands/bench.ts'
import { addCall } from './commands/call.ts'
import { addCompletion } from './commands/completion.ts'
import { addCtl } from './commands/ctl.ts'
import { addDescribe } from './commands/describe.ts'
import { addDoctor } from './commands/doctor.ts'
import { addGen } from './commands/gen.ts'
import { addHelp } from './commands/help.ts'
import { addNew } from './commands/new.ts'
import { addOpenapi } from './commands/openapi.ts'
import { addPush } from './commands/push.ts'
import { addRegistry } from './commands/registry.ts'
import { addWatch } from './commands/watch.ts'
import { CommandError, Exit, usage } from './failure.ts'
import { errorColors, note, printJson } from './output.ts'
import { ownVersion } from './package-info.ts'

const commands: readonly ((program: Command) => void)[] = [
  addCall,
  addPush,
  addWatch,
  addDescribe,
  addBench,
  addDoctor,
  addGen,
  addOpenapi,
  addRegistry,
  addCtl,
  addNew,
  addCompletion,
  addHelp,
]

/** The commands, each with its options and examples. */
export function makeProgram(): Command {
  const program = new Command('dmctl')
    .description('Calls, watches and measures services of dmicro, and generates code for them.')
    .version(ownVersion(), '-V, --version')
    .showSuggestionAfterError()
    // `run` prints what is wrong with a command line, as one line or as JSON.
    .configureOutput({ outputError: () => {} })
    // Otherwise narrow terminals break words.
    .configureHelp({ minWidthToWrap: 20 })
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl call 127.0.0.1:9000 /math/add '[1,2,3]'
  $ dmctl help call
  $ dmctl new shop && cd shop && npm install && npm test

Exit codes:
  0  done
  1  the peer answered with an error, or something else failed
  2  the command line is wrong, or an argument is not JSON
  3  nobody answers at the url
  4  the peer has no such route
  5  no answer in time
  6  the connection was lost
  7  a file has errors, or cannot be read or written
  8  --check found files that would change
  9  --against found changes that may break old clients`,
    )
  for (const add of commands) add(program)
  separateOptions(program)
  return program
}

/**
 * Lets each command read its own options alone. Otherwise a group takes those that are written behind one of its
 * commands, and they are lost.
 */
function separateOptions(group: Command): void {
  if (group.commands.length === 0) return
  group.enablePositionalOptions().hook('preSubcommand', (_, command) => {
    const given = group.options.find((option) => group.getOptionValueSource(option.attributeName()) === 'cli')
    if (given === undefined) return
    const path = pathOf(command)
    throw usage(`${given.long ?? given.flags} before ${command.name()} is no option of ${path} (${path} --help)`)
  })
  for (const each of group.commands) separateOptions(each)
}

/** The words that a command is called by. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

/**
 * Runs a command line.
 *
 * @param args what follows the name of the program
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync(args, { from: 'user' })
    return Exit.Ok
  } catch (error) {
    // Help and version end so too.
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) return codeOf(error)
    const { exit, message, details } = failureOf(error, args)
    if (message === '') return exit
    if (wantsJson(args)) printJson({ ok: false, exit, error: message, ...details })
    else note(errorColors.red('dmctl'), `: ${message.replaceAll(/\s*\n\s*/g, ' ')}`)
    return exit
  }
}

/** `dmctl` alone, or a group of commands alone, prints its help and is no command line. */
function codeOf({ exitCode }: CommanderError): number {
  return exitCode === 0 ? Exit.Ok : Exit.Usage
}

function failureOf(error: unknown, args: readonly string[]): CommandError {
  if (error instanceof CommandError) return error
  if (!(error instanceof CommanderError)) return new CommandError(Exit.Failed, reasonOf(error))
  const line = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ')
  let meant = makeProgram()
  for (const word of args) {
    const next = meant.commands.find((command) => command.name() === word)
    if (next === undefined) break
    meant = next
  }
  return usage(`${line} (${pathOf(meant)} --help)`)
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}
