import { Argument, type Command } from 'commander'
import { bash } from '../completion/bash.ts'
import { fish } from '../completion/fish.ts'
import { completionTable } from '../completion/table.ts'
import { zsh } from '../completion/zsh.ts'
import { print, printJson } from '../output.ts'

const shells = { bash, zsh, fish }
type Shell = keyof typeof shells

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print what a shell completes dmctl with')
    .description('Prints the completion of commands, options and their values for a shell.')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
    .option('--json', 'print JSON, failures too')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl completion bash > ~/.local/share/bash-completion/completions/dmctl
  $ dmctl completion zsh > "\${fpath[1]}/_dmctl"
  $ dmctl completion fish > ~/.config/fish/completions/dmctl.fish
  $ source <(dmctl completion bash)`,
    )
    .action((shell: Shell, { json }: { json?: true }) => {
      const script = shells[shell](completionTable(program))
      if (json) printJson({ ok: true, shell, script })
      else print(script)
    })
}
