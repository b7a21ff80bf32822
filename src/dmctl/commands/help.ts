import type { Argument, Command, Option } from 'commander'
import { usage } from '../failure.ts'
import { nearest } from '../nearest.ts'
import { printJson } from '../output.ts'

export function addHelp(program: Command): void {
  program
    .command('help [command...]')
    .summary('show the help of a command')
    .description('Shows the help of a command; with --json commands, arguments and options as data, for programs and agents.')
    .option('--json', 'print JSON, failures too')
    .addHelpText('after', '\nExamples:\n  $ dmctl help bench\n  $ dmctl help --json')
    .action((words: string[], { json }: { json?: true }) => {
      const command = find(program, words)
      if (json) printJson({ ok: true, ...describe(command) })
      else command.outputHelp()
    })
}

function find(program: Command, words: readonly string[]): Command {
  let found = program
  for (const word of words) {
    const next = found.commands.find((command) => command.name() === word)
    if (next === undefined) {
      const names = found.commands.map((command) => command.name())
      const meant = nearest(word, names)
      throw usage(`there is no command ${JSON.stringify(word)}${meant === undefined ? '' : `; did you mean ${meant}?`} (dmctl --help)`)
    }
    found = next
  }
  return found
}

/** A command as data. */
function describe(command: Command): Record<string, unknown> {
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    arguments: command.registeredArguments.map(describeArgument),
    options: command.options.map(describeOption),
    ...(command.commands.length > 0 ? { commands: command.commands.map(describe) } : undefined),
  }
}

function describeArgument(argument: Argument): Record<string, unknown> {
  const { required, variadic, argChoices } = argument
  return { name: argument.name(), required, variadic, ...(argChoices === undefined ? undefined : { choices: argChoices }) }
}

function describeOption({ flags, description, defaultValue, argChoices }: Option): Record<string, unknown> {
  const shown = typeof defaultValue === 'object' ? undefined : defaultValue
  return {
    flags,
    description,
    ...(shown === undefined ? undefined : { default: shown }),
    ...(argChoices === undefined ? undefined : { choices: argChoices }),
  }
}
