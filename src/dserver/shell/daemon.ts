import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { duplicateTo } from '../os/files.ts'
import { CommandError, ExitCode } from './exit-code.ts'

/** Names the descriptor on which a daemon tells who started it how its start went. Only that process has it. */
const VARIABLE = 'DMICRO_DAEMON_FD'

/** How the start of a daemon went. */
type StartReport = { readonly pid: number } | { readonly error: string; readonly exitCode: number }

/**
 * Starts this program again, with the same arguments, in a session of its own, and waits until it is ready.
 *
 * @param logFile where its output goes, which is appended to
 * @returns the pid of the daemon
 * @throws CommandError (rejects) what the daemon failed with
 */
export async function startDaemon(logFile: string): Promise<number> {
  const log = openLog(logFile)
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true, // setsid(2)
    stdio: ['ignore', log, log, 'pipe'],
    env: { ...process.env, [VARIABLE]: '3' },
  })
  closeSync(log)
  const exit = once(child, 'exit')
  let text = ''
  const pipe = child.stdio[3] as NodeJS.ReadableStream
  pipe.setEncoding('utf8')
  for await (const part of pipe) text += part
  const report = parse(text)
  child.unref()
  if (report !== undefined && 'pid' in report) return report.pid
  if (report !== undefined) throw new CommandError(report.exitCode, report.error)
  const [code, signal] = await exit
  throw new CommandError(
    code === null || code === 0 ? ExitCode.Failed : code,
    `ended with ${signal ?? `exit code ${code}`} before it was ready, see ${logFile}`,
  )
}

/**
 * The way to tell who started this daemon; undefined when this process is none. The variable is removed, so that no
 * child of this process takes itself for a daemon.
 */
export function daemonReport(environment: NodeJS.ProcessEnv): ((report: StartReport) => void) | undefined {
  const descriptor = Number(environment[VARIABLE])
  const isDaemon = environment[VARIABLE] !== undefined
  delete environment[VARIABLE]
  if (!isDaemon || !Number.isInteger(descriptor) || descriptor < 3) return undefined
  let open = true
  return (report) => {
    if (!open) return
    open = false
    try {
      writeSync(descriptor, JSON.stringify(report))
    } catch {
      // The process that started this daemon has not waited.
    }
    closeSync(descriptor)
  }
}

/**
 * Opens the log of a daemon anew, after it was renamed: this process and those that it starts write to the new file.
 *
 * @throws CommandError when it cannot be opened; Error where the native binary does not run. The old file stays then.
 */
export function reopenLog(path: string): void {
  const log = openLog(path)
  try {
    for (const output of [1, 2])
      if (!duplicateTo(log, output)) throw new Error('that needs the native binary: rotate the log with copytruncate')
  } finally {
    closeSync(log)
  }
}

function openLog(path: string): number {
  try {
    // At the end of the file, wherever that is after a rotation that truncates it.
    return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    throw new CommandError(ExitCode.Failed, `cannot open the log ${path}: ${(error as Error).message}`)
  }
}

function parse(text: string): StartReport | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
