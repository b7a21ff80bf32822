import type { Command } from 'commander'
import { reasonOf } from '../../base/errors/error-text.ts'
import { ctl } from '../../dserver/cli/ctl.ts'
import { exitCodeOf, Output } from '../../dserver/cli/output.ts'
import { count, milliseconds } from '../connect.ts'
import { CommandError, Exit } from '../failure.ts'

interface Flags {
  pid?: string
  socket?: string
  timeout: number
  level?: string
  name?: string[]
  lines?: number
  follow?: true
  json?: true
}

export function addCtl(program: Command): void {
  program
    .command('ctl <app> [words...]')
    .summary('one command to a running DServer, or a shell: info, ps, log, start, stop, reload')
    .description(
      'Gives a running DServer of this machine one command, as its own ctl does: info, ps, log, start NAME, stop NAME, reload [NAME], config, debug on|off, version; shell, or nothing in a terminal, is a shell for many.',
    )
    .option('--pid <file>', 'pid file of the server, where it is not the default one')
    .option('--socket <path>', 'socket of a server, such as one of Go')
    .option('-t, --timeout <ms>', 'milliseconds to wait for the answer', milliseconds, 30_000)
    .option('-l, --level <level>', 'of log: all, debug, info, warn or error, and what is more severe')
    .option('-n, --name <name...>', 'of log: only these processes, services or sandboxes')
    .option('--lines <n>', 'of log: lines of the past', count)
    .option('-f, --follow', 'of log: new lines as they come, until Ctrl-C')
    .option('--json', 'print JSON, failures too')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl ctl shop ps
  $ dmctl ctl shop log -l warn --follow
  $ dmctl ctl shop stop mailer --json
  $ dmctl ctl goapp info --socket /tmp/goapp.sock`,
    )
    .action(runCtl)
}

async function runCtl(app: string, words: string[], flags: Flags): Promise<void> {
  const output = new Output('ctl', flags.json === true)
  let exit: number
  try {
    exit = await ctl(app, words, flags, output)
  } catch (error) {
    throw new CommandError(exitCodeOf(error), reasonOf(error))
  }
  // The shell has printed what failed.
  if (exit !== Exit.Ok) throw new CommandError(exit, '')
}
