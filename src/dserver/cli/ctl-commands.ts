import { printable } from '../../base/text/printable.ts'
import { table } from '../../base/text/table.ts'
import type { ControlClient } from '../control/control-client.ts'
import type { ProcessInfo, SandboxInfo } from '../ctl/commands.ts'
import { MAX_KEPT } from '../ctl/kept-lines.ts'
import { ALL_LEVELS, entryText, type LogFilter, levelNames, maskOf } from '../ctl/log-entry.ts'
import { size } from '../ctl/size.ts'
import { uptime } from '../sandbox/runner.ts'
import { CommandError, ExitCode } from '../shell/exit-code.ts'
import { FollowedLines } from './followed-lines.ts'
import { failureOf } from './operate.ts'
import type { Output } from './output.ts'

/** Lines of the past that `log` prints. */
const DEFAULT_LINES = 20

/** Flags of the commands of `ctl`. */
export interface CtlFlags {
  /** Milliseconds to wait for an answer. */
  readonly timeout: number
  /** Milliseconds to wait for a reload of so many processes; without it those of `timeout`. */
  readonly reloadTime?: ((count: number) => number) | undefined
  readonly json?: boolean | undefined
  readonly level?: string | undefined
  readonly name?: readonly string[] | undefined
  readonly lines?: number | undefined
  readonly follow?: boolean | undefined
}

/** The program around a command, as the command needs it. */
export interface CtlSurroundings {
  /** Resolves when the operator has had enough of what a command follows. */
  untilInterrupted(): Promise<void>
  /** Connects again after the server has gone; undefined when there is none any more. */
  reconnect(): Promise<ControlClient | undefined>
}

/** Names of the commands with what follows them, and what they do. */
export const ctlCommands: readonly (readonly [string, string])[] = [
  ['info', 'the sandboxes (also: status)'],
  ['ps', 'the processes: CPU, memory, delay of the event loop, sessions, calls that run'],
  ['start NAME', 'start a sandbox'],
  ['stop NAME', 'stop a sandbox'],
  ['reload [NAME]', 'replace the processes, or that of a service or sandbox, without a failed call'],
  ['config', 'read the configuration again'],
  ['debug on|off', 'log lines of level debug, or do not'],
  ['log', 'the last lines of the log; -l LEVEL, -n NAME, --lines N, -f to follow'],
  ['version', 'the version of the running server'],
]

/**
 * Runs one command on a connection and prints what it tells.
 * @returns the exit code
 * @throws (rejects) CommandError for bad words; StatusError that the server answered
 */
export async function runCtlCommand(
  client: ControlClient,
  [command = 'info', ...args]: readonly string[],
  flags: CtlFlags,
  output: Output,
  surroundings: CtlSurroundings,
): Promise<number> {
  const { timeout } = flags
  const [target = ''] = args
  const extra = args[command === 'info' || command === 'status' || command === 'ps' ? 0 : 1]
  if (extra !== undefined && command !== 'start' && command !== 'stop' && command !== 'reload')
    throw new CommandError(ExitCode.Usage, `ctl ${command}: what is ${JSON.stringify(extra)}?`)
  switch (command) {
    case 'info':
    case 'status': {
      const sandboxes = await client.info(timeout)
      return output.done({ sandboxes }, infoTable(sandboxes))
    }
    case 'ps': {
      // A Go server has no processes to tell of; its own client shows the sandboxes.
      if (await client.isGo(timeout)) return runCtlCommand(client, ['info'], flags, output, surroundings)
      const processes = await client.call('/dserver/ps', undefined, timeout)
      return output.done({ processes }, processTable(processes))
    }
    case 'start':
    case 'stop':
      if (target === '') throw new CommandError(ExitCode.Usage, `ctl ${command} needs the name of a sandbox`)
      for (const name of args) await client.change(command, name, timeout)
      return output.done({ sandboxes: args }, `${args.join(', ')}: done`)
    case 'reload':
      await reload(client, args.length === 0 ? [''] : args, flags)
      return output.done({ target }, 'reloaded')
    case 'config':
      await client.call('/dserver/config', undefined, timeout)
      return output.done({}, 'the configuration was read again')
    case 'debug': {
      const on = readSwitch(target)
      await client.setDebug(on, timeout)
      return output.done({ debug: on }, `lines of level debug: ${on ? 'on' : 'off'}`)
    }
    case 'log':
      return runLog(client, flags, output, surroundings)
    case 'version': {
      const info = await client.call('/dserver/version', undefined, timeout)
      return output.done(info, printable(`${info.name} ${info.version}, dmicro ${info.dmicro}, Node.js ${info.node}, process ${info.pid}`))
    }
    default:
      throw new CommandError(
        ExitCode.Usage,
        `unknown command ${JSON.stringify(command)}; there are: ${ctlCommands.map(([usage]) => usage.split(' ', 1)[0]).join(', ')}`,
      )
  }
}

async function reload(client: ControlClient, names: readonly string[], { timeout, reloadTime }: CtlFlags): Promise<void> {
  let time = timeout
  // A Go server has no processes to tell of.
  if (reloadTime !== undefined && !(await client.isGo(timeout)))
    time = reloadTime((await client.call('/dserver/ps', undefined, timeout)).length)
  try {
    for (const name of names) await client.change('reload', name, time)
  } catch (error) {
    throw failureOf(error, time)
  }
}

/** Go's words, and ours. */
function readSwitch(word: string): boolean {
  if (['on', 'open', 'true', '1'].includes(word)) return true
  if (['off', 'close', 'false', '0'].includes(word)) return false
  throw new CommandError(ExitCode.Usage, 'ctl debug needs on or off')
}

async function runLog(first: ControlClient, flags: CtlFlags, output: Output, surroundings: CtlSurroundings): Promise<number> {
  const { lines = DEFAULT_LINES, follow = false, timeout } = flags
  const filter = readFilterFlags(flags)
  const interrupted = follow ? surroundings.untilInterrupted().then(() => 'interrupted' as const) : undefined
  const followed = new FollowedLines(filter)
  let client: ControlClient | undefined = first
  for (let isFirst = true; client !== undefined; isFirst = false) {
    // New lines are printed after those of the past.
    let onPast = (): void => {}
    const past = new Promise<void>((resolve) => {
      onPast = resolve
    })
    client.reader = {
      onLines: (batch) => past.then(() => output.lines(followed.take(batch))),
      onText: (text) => output.text(text),
    }
    try {
      if (interrupted !== undefined) followed.connected(await client.server(timeout))
      const recent = await client.log(filter, isFirst ? lines : MAX_KEPT, follow, timeout)
      if (interrupted === undefined) return output.done({ lines: recent }, recent.map((entry) => printable(entryText(entry))).join('\n'))
      await output.lines(isFirst ? followed.take(recent) : followed.missed(recent))
    } finally {
      onPast()
    }
    if ((await Promise.race([client.closed, interrupted])) === 'interrupted') {
      client.reader = undefined
      if (client.isOpen) await client.log(filter, 0, false, timeout)
      return ExitCode.Done
    }
    client = await surroundings.reconnect()
  }
  throw new CommandError(ExitCode.NotRunning, 'the server has ended')
}

function readFilterFlags({ level = 'ALL', name = [] }: CtlFlags): LogFilter {
  const mask = maskOf(level)
  if (mask === undefined)
    throw new CommandError(ExitCode.Usage, `unknown level ${JSON.stringify(level)}; there are: ${levelNames.join(', ')}`)
  return { mask: mask & ALL_LEVELS, names: name }
}

function infoTable(sandboxes: readonly SandboxInfo[]): string {
  return table([
    ['SANDBOX', 'SERVICE', 'STATE', 'DESCRIPTION'],
    ...sandboxes.map(({ name, service, state, description }) => [name, service, state, description]),
  ])
}

function processTable(processes: readonly ProcessInfo[]): string {
  return table([
    ['NAME', 'PID', 'STATE', 'UPTIME', 'CPU', 'MEMORY', 'LOOP DELAY', 'SESSIONS', 'CALLS', 'RESTARTS'],
    ...processes.map(({ name, pid, state, uptime: ms, memory, cpu, loopDelay, sessions, calls, restarts }) => [
      name,
      pid,
      state,
      uptime(ms),
      cpu === undefined ? '-' : `${cpu} %`,
      size(memory),
      loopDelay === undefined ? '-' : `${loopDelay} ms`,
      sessions ?? '-',
      calls ?? '-',
      restarts ?? '-',
    ]),
  ])
}
