import { type CompletedCommand, quoted } from './table.ts'

/** The completion for fish. */
export function fish(table: readonly CompletedCommand[]): string {
  const lines = table.flatMap((command) => linesOf(command))
  return `# Completion of dmctl for fish.\ncomplete -c dmctl -f\n${lines.join('\n')}`
}

function linesOf({ path, commands, words, takesFile, options }: CompletedCommand): string[] {
  const within = path.map((name) => `__fish_seen_subcommand_from ${name}`)
  const names = commands.map(([name]) => name)
  // Below a command that has others only those are completed, until one of them is there.
  const none = path.length === 0 ? ['__fish_use_subcommand'] : [...within, ...(names.length > 0 ? [`not ${fromAny(names)}`] : [])]
  const here = `complete -c dmctl -n ${quoted(none.join('; and '))}`
  return [
    ...commands.map(([name, summary]) => `${here} -a ${name} -d ${quoted(summary)}`),
    ...(words.length > 0 ? [`${here} -a ${quoted(words.join(' '))}`] : []),
    ...(takesFile ? [`${here} -F`] : []),
    ...options.map(({ names: [long, short], description, value }) => {
      const switches = `-l ${long.slice(2)}${short === undefined ? '' : ` -s ${short.slice(1)}`}`
      const follows = Array.isArray(value) ? ` -x -a ${quoted(value.join(' '))}` : { none: '', file: ' -r -F', any: ' -x' }[value as string]
      return `${here} ${switches}${follows} -d ${quoted(description)}`
    }),
  ]
}

function fromAny(names: readonly string[]): string {
  return `__fish_seen_subcommand_from ${names.join(' ')}`
}
