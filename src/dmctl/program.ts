import { Command, CommanderError } from 'commander'
import { reasonOf } from '../base/errors/error-text.ts'
import { addBench } from './commands/bench.ts'
import { addCall } from './commands/call.ts'
import { addCompletion } from './commands/completion.ts'
import { addCtl } from './commands/ctl.ts'
import { addDoctor } from './commands/doctor.ts'
import { addGen } from './commands/gen.ts'
import { addNew } from './commands/new.ts'
import { addOpenapi } from './commands/openapi.ts'
import { addPush } from './commands/push.ts'
import { addRegistry } from './commands/registry.ts'
import { addWatch } from './commands/watch.ts'
import { CommandError, Exit } from './failure.ts'
import { errorColors, jsonOf, note, print } from './output.ts'
import { ownVersion } from './package-info.ts'

/** The commands, each with its options and examples. */
export function makeProgram(): Command {
  const program = new Command('dmctl')
    .description('Calls, watches and measures services of dmicro, and generates code for them.')
    .version(ownVersion(), '-V, --version')
    .showHelpAfterError('(dmctl --help lists commands, dmctl COMMAND --help options)')
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `${errorColors.red('dmctl')}: `)) })
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 wrong command line or JSON, 3 nobody there, 4 no such route, 5 no answer in time,
6 connection lost, 7 a file has errors, 8 --check found changes, 9 --against found changes that break.`,
    )
  for (const add of [addCall, addPush, addWatch, addDoctor, addGen, addBench, addOpenapi, addRegistry, addCtl, addNew, addCompletion])
    add(program)
  return program
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
    // Help and version end so too, and commander has printed what is wrong with the command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.Ok : Exit.Usage
    const { exit, message, details } = error instanceof CommandError ? error : new CommandError(Exit.Failed, reasonOf(error))
    if (message === '') return exit
    if (wantsJson(args)) print(jsonOf({ ok: false, exit, error: message, ...details }))
    else note(`${errorColors.red('dmctl')}: ${message}`)
    return exit
  }
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}
