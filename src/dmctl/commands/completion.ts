import { Argument, type Command } from 'commander'
import { print } from '../output.ts'

type Shell = 'bash' | 'zsh' | 'fish'

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print what a shell completes dmctl with')
    .description('Prints the completion of commands and options for a shell.')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl completion bash > ~/.local/share/bash-completion/completions/dmctl
  $ dmctl completion zsh > "\${fpath[1]}/_dmctl"
  $ dmctl completion fish > ~/.config/fish/completions/dmctl.fish`,
    )
    .action((shell: Shell) => print(scripts[shell](program)))
}

const scripts: Record<Shell, (program: Command) => string> = { bash, zsh, fish }

function namesOf(program: Command): string[] {
  return [...program.commands.map((command) => command.name()), 'help']
}

/** Long options, and the words that may come first. */
function wordsOf(command: Command): string[] {
  const options = command.options.map(({ long }) => long ?? '').filter((long) => long !== '')
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  return [...command.commands.map((each) => each.name()), ...choices, ...options, '--help']
}

function bash(program: Command): string {
  const cases = program.commands.map((command) => `    ${command.name()}) words=${quoted(wordsOf(command).join(' '))} ;;`)
  return `# Completion of dmctl for bash.
_dmctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  if [ "$COMP_CWORD" -eq 1 ]; then words=${quoted([...namesOf(program), '--help', '--version'].join(' '))}
  else case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _dmctl dmctl`
}

function zsh(program: Command): string {
  const commands = program.commands.map((command) => `    ${quoted(`${command.name()}:${command.summary()}`)}`)
  const cases = program.commands.map((command) => `    ${command.name()}) compadd -- ${wordsOf(command).join(' ')}; _files ;;`)
  return `#compdef dmctl
# Completion of dmctl for zsh.
_dmctl() {
  local -a commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
${cases.join('\n')}
  esac
}
compdef _dmctl dmctl`
}

function fish(program: Command): string {
  const lines = program.commands.flatMap((command) => {
    const name = command.name()
    const within = `-n "__fish_seen_subcommand_from ${name}"`
    const options = command.options.map(({ long, description }) => {
      return `complete -c dmctl ${within} -l ${(long ?? '').slice(2)} -d ${quoted(description)}`
    })
    const words = wordsOf(command).filter((word) => !word.startsWith('--'))
    const first = words.length === 0 ? [] : [`complete -c dmctl ${within} -a ${quoted(words.join(' '))}`]
    return [`complete -c dmctl -n __fish_use_subcommand -a ${name} -d ${quoted(command.summary())}`, ...first, ...options]
  })
  return `# Completion of dmctl for fish.\n${lines.join('\n')}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
