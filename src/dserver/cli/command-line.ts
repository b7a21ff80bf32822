import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { durationOf } from '../config/values.ts'
import { ExitCode } from '../shell/exit-code.ts'
import { versionInfo } from '../version.ts'
import { type CtlTarget, ctl } from './ctl.ts'
import { ask, reloadTime, stop } from './operate.ts'
import { Output } from './output.ts'
import { type Application, type StartFlags, start } from './start.ts'

/** Milliseconds that a command waits beyond the server's own time. */
const COMMAND_GRACE_MS = 10_000

/** Flags that each command has. */
interface CommonFlags {
  readonly json?: boolean
  readonly pid?: string
  readonly timeout?: number
}

/** Runs one command and resolves to its exit code. A server that was started ends the process. */
export async function runCommandLine(application: Application & { readonly args: readonly string[] }): Promise<number> {
  const { name, settings } = application
  let exitCode: number = ExitCode.Done
  const program = new Command(name).description(`${name}: start, stop and watch this server`).exitOverride().showSuggestionAfterError()

  /** Adds a command whose action resolves to the exit code, and prints what it fails with. */
  const add = (
    usage: string,
    description: string,
    action: (output: Output, flags: never, words: string[]) => Promise<number> | number,
  ): Command => {
    const command: Command = program.command(usage).description(description).option('--json', 'print one line of JSON')
    command.action(async (...args: unknown[]) => {
      const flags = command.opts<CommonFlags>()
      const words = (args.length > 2 ? (args[0] as string[]) : []).flatMap((word) => word.split(',')).filter((word) => word !== '')
      const output = new Output(command.name(), flags.json === true)
      try {
        exitCode = await action(output, flags as never, words)
      } catch (error) {
        exitCode = output.failed(error)
      }
    })
    return command
  }
  const withTimeout = (command: Command): Command =>
    withPid(command).addOption(new Option('--timeout <duration>', 'how long to wait, such as 30s').argParser(readDuration))

  withPid(
    add('start [sandboxes...]', 'start the server, with all sandboxes or those named', async (output, flags: StartFlags, words) => {
      // Whatever still keeps the process alive.
      process.exit(await start(application, words, flags, output))
    }),
  )
    .option('-c, --config <file>', 'configuration file: toml, yaml or json')
    .option(
      '-s, --set <key=value>',
      'a value of the configuration, stronger than all others',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option('-d, --daemon', 'run in the background; returns when the server is ready')
    .option('-e, --env <name>', 'name of the environment', process.env.ENV_NAME ?? 'product')
    .addOption(new Option('-m, --model <model>', 'process model').argParser(readModel))
    .option('--log <file>', 'where the output of a daemon goes')
    .option('--debug', 'log more')

  const timeoutOf = ({ timeout }: CommonFlags, own: number): number => timeout ?? own + COMMAND_GRACE_MS
  const ownReloadTime = (count: number): number => reloadTime(count, settings) + COMMAND_GRACE_MS
  for (const kind of ['stop', 'quit'] as const) {
    const own = kind === 'quit' ? settings.quitTimeout : settings.stopTimeout
    const description = kind === 'quit' ? 'let what runs end, then end the server' : 'stop the server'
    withTimeout(
      add(`${kind} [sandboxes...]`, `${description}, or only the sandboxes named`, async (output, flags: CommonFlags, words) => {
        const how = { ...flags, timeout: timeoutOf(flags, own) }
        if (words.length === 0) return stop(name, kind, how, output)
        for (const word of words) await ask(name, how, (client) => client.call('/dserver/stop', word, how.timeout))
        return output.done({ sandboxes: words }, `stopped: ${words.join(', ')}`)
      }),
    )
  }
  withTimeout(
    add(
      'reload [names...]',
      'replace the running processes by new ones, without a failed call',
      async (output, flags: CommonFlags, words) => {
        const first = { ...flags, timeout: timeoutOf(flags, settings.setupTimeout) }
        const count = async (): Promise<number> =>
          (await ask(name, first, (client) => client.call('/dserver/ps', undefined, first.timeout))).length
        const how = { ...first, timeout: flags.timeout ?? ownReloadTime(await count()) }
        for (const word of words.length === 0 ? [''] : words)
          await ask(name, how, (client) => client.call('/dserver/reload', word, how.timeout))
        return output.done({ names: words }, `${name} was reloaded`)
      },
    ),
  )
  withTimeout(
    add(
      'ctl [words...]',
      'commands to the running server, see ctl help; without one a shell',
      (output, flags: CommonFlags & CtlTarget, words) =>
        ctl(
          name,
          words,
          {
            ...flags,
            timeout: timeoutOf(flags, settings.setupTimeout),
            reloadTime: flags.timeout === undefined ? ownReloadTime : undefined,
          },
          output,
        ),
    ),
  )
    .option('-l, --level <level>', 'least level of `log`: all, debug, info, warn, error')
    .option('-n, --name <name>', 'only lines of this process, service or sandbox; may be repeated', (value: string, all: string[] = []) => [
      ...all,
      value,
    ])
    .addOption(new Option('--lines <count>', 'how many lines of the past `log` prints').argParser(readCount))
    .option('-f, --follow', 'print new lines of `log` as they come')
    .option('--socket <path>', 'socket of the server, where it is another one, such as one of Go')
  add('version', 'print the version', (output) => {
    const info = versionInfo(name, settings)
    const { version, commit, buildTime, dmicro, node, executable } = info
    const built = [commit, buildTime].filter((text) => text !== undefined).join(', ')
    return output.done(info, `${name} ${version}${built === '' ? '' : ` (${built})`}\ndmicro ${dmicro}, Node.js ${node}\n${executable}`)
  }).aliases(['v', 'i'])

  settings.commands?.(program)
  try {
    await program.parseAsync([...application.args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? ExitCode.Done : ExitCode.Usage
  }
  return exitCode
}

function withPid(command: Command): Command {
  return command.option('--pid <file>', 'pid file, where it is not the default one')
}

function readDuration(text: string): number {
  const ms = durationOf(text)
  if (ms === undefined) throw new InvalidArgumentError('expected a duration such as 500ms, 30s or 5m')
  return ms
}

function readModel(text: string): 'single' | 'multi' {
  if (text === 'single' || text === '0') return 'single'
  if (text === 'multi' || text === '1') return 'multi'
  throw new InvalidArgumentError('expected single or multi')
}

function readCount(text: string): number {
  const count = Number(text)
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return count
}
