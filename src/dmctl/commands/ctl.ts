import type { Command } from 'commander'
import { ctl } from '../../dserver/cli/ctl.ts'
import { Output } from '../../dserver/cli/output.ts'
import { milliseconds } from '../connect.ts'
import { CommandError, Exit } from '../failure.ts'

interface Flags {
  pid?: string
  timeout: number
  json?: true
}

export function addCtl(program: Command): void {
  program
    .command('ctl <app> [words...]')
    .summary('one command to a running DServer: info, ps, start, stop, reload, config')
    .description('Gives a running DServer of this machine one command: info, ps, start NAME, stop NAME, reload, config.')
    .option('--pid <file>', 'pid file of the server')
    .option('-t, --timeout <ms>', 'milliseconds to wait', milliseconds, 30_000)
    .option('--json', 'print JSON, failures too')
    .addHelpText('after', '\nExamples:\n  $ dmctl ctl shop ps\n  $ dmctl ctl shop stop mailer --json')
    .action(runCtl)
}

async function runCtl(app: string, words: string[], flags: Flags): Promise<void> {
  const output = new Output('ctl', flags.json === true)
  const exit = await ctl(app, words, flags, output).catch((error) => output.failed(error))
  // The line is printed.
  if (exit !== Exit.Ok) throw new CommandError(exit, '')
}
