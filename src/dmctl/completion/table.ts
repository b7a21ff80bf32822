import type { Command, Option } from 'commander'

/** The word that may follow an option: nothing, one of these words, a file, or anything. */
type Value = 'none' | 'file' | 'any' | readonly string[]

interface CompletedOption {
  /** `--long`, and `-s` where there is one. */
  readonly names: readonly string[]
  readonly description: string
  readonly value: Value
}

/** A command, and how its command line may go on. */
export interface CompletedCommand {
  /** Names that lead to the command: none for `dmctl` itself. */
  readonly path: readonly string[]
  readonly commands: readonly (readonly [name: string, summary: string])[]
  /** Words that an argument can be. */
  readonly words: readonly string[]
  /** Whether an argument can be a file. */
  readonly takesFile: boolean
  readonly options: readonly CompletedOption[]
}

/** A command and those below it. */
export function completionTable(command: Command, path: readonly string[] = []): readonly CompletedCommand[] {
  const isHelp = path.at(-1) === 'help'
  const own: CompletedCommand = {
    path,
    commands: command.commands.map((each) => [each.name(), each.summary() || each.description()]),
    words: isHelp ? namesOf(command.parent) : command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    // `[json]` may be `@FILE`, which shells do not complete.
    takesFile: command.registeredArguments.some((argument) => isFile(argument.name())),
    options: [
      ...command.options.map((option) => ({
        names: [option.long, option.short].filter((name) => name !== undefined),
        description: option.description,
        value: followsOf(option),
      })),
      { names: ['--help', '-h'], description: 'display help for command', value: 'none' },
    ],
  }
  return [own, ...command.commands.flatMap((each) => completionTable(each, [...path, each.name()]))]
}

function namesOf(command: Command | null): string[] {
  return command?.commands.map((each) => each.name()) ?? []
}

function followsOf({ flags, argChoices, required, optional }: Option): Value {
  if (argChoices !== undefined) return argChoices
  const [, name = ''] = /[<[]([^\]>]*?)(?:\.\.\.)?[\]>]/.exec(flags) ?? []
  if (isFile(name)) return 'file'
  return required || optional ? 'any' : 'none'
}

/** Whether an argument, or what follows an option, is a file or a folder, by its name in the help. */
function isFile(name: string): boolean {
  return /^(contract|file|folder|path|proto)$/.test(name)
}

/** Text in single quotes, for all of the shells. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
