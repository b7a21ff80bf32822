import { resolve } from 'node:path'
import { reasonOf } from '../../base/errors/error-text.ts'
import { Code } from '../../base/errors/status.ts'
import { realClock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import { ControlClient, isStatus } from '../control/control-client.ts'
import { GO_NO_NAME, GO_UNKNOWN_NAME, UNKNOWN_NAME } from '../control/routes.ts'
import type { StopKind } from '../ctl/commands.ts'
import type { ServerSettings } from '../options.ts'
import { ACCEPT_WITHIN } from '../restart/successor.ts'
import { CommandError, ExitCode } from '../shell/exit-code.ts'
import { isAlive } from '../shell/file-lock.ts'
import { KILL_AFTER_MS } from '../shell/multi-model.ts'
import { hasOpen, runningPid } from '../shell/pid-file.ts'
import { type RuntimeFiles, runtimeFiles } from '../shell/runtime-folder.ts'
import type { Output } from './output.ts'

/** Milliseconds between looks at the pid file of a server that stops. */
const LOOK_MS = 50

/** A server that runs, as an operator's command sees it. */
interface Running {
  readonly files: RuntimeFiles
  /** 0 when it is not known. */
  readonly pid: number
}

/**
 * Finds the running server.
 * @throws CommandError 3 when there is none
 */
export function findRunning(name: string, pidFile: string | undefined): Running {
  const files = runtimeFiles(name, pidFile)
  const pid = runningPid(files.pidFile)
  if (pid === undefined) throw new CommandError(ExitCode.NotRunning, `${name} is not running (${files.pidFile})`)
  return { files, pid }
}

/** `stop` and `quit`: resolves when the server has ended. */
export async function stop(name: string, kind: StopKind, flags: { pid?: string; timeout: number }, output: Output): Promise<number> {
  const running = findRunning(name, flags.pid)
  const end = realClock.now() + flags.timeout
  // A pid of another namespace is that of another process here.
  const isHere = running.pid > 0 && hasOpen(running.pid, running.files.pidFile)
  await tellToStop(running, kind, flags.timeout)
  for (;;) {
    const pid = runningPid(running.files.pidFile)
    // Another pid: somebody has started it again in the meantime.
    const isFree = pid === undefined || (running.pid !== 0 && pid !== running.pid)
    if (isFree && !(isHere && isAlive(running.pid))) break
    if (realClock.now() > end)
      throw new CommandError(ExitCode.TimedOut, `${name} (process ${running.pid}) has not ended within ${flags.timeout} ms`)
    await sleep(realClock, LOOK_MS)
  }
  return output.done({ pid: running.pid }, `${name} (process ${running.pid}) has ended`)
}

async function tellToStop({ files, pid }: Running, kind: StopKind, timeout: number): Promise<void> {
  const client = await ControlClient.dial(files.socket)
  if (client === undefined) return signal(pid, kind === 'quit' ? 'SIGQUIT' : 'SIGTERM', files.pidFile)
  try {
    await client.call('/dserver/end', kind, timeout)
  } catch (error) {
    if (isStatus(error, Code.ConnectionClosed)) return // ended before its answer came
    if (isStatus(error, Code.HandleTimeout)) throw new CommandError(ExitCode.TimedOut, 'the server does not answer')
    throw new CommandError(ExitCode.Failed, `not stopped: ${(error as Error).message}`)
  } finally {
    await client.close()
  }
}

/** For a server without a socket. */
function signal(pid: number, name: NodeJS.Signals, pidFile: string): void {
  // 0 would be this process's own group.
  if (pid <= 0) throw new CommandError(ExitCode.Failed, 'the server is just starting, and its pid not known yet')
  // In a container's folder the pid is one of the container, and another process here.
  if (!hasOpen(pid, pidFile) && runningPid(pidFile) !== undefined)
    throw new CommandError(ExitCode.Failed, `process ${pid} is not the server that has ${pidFile}`)
  try {
    process.kill(pid, name)
  } catch (error) {
    if (runningPid(pidFile) === undefined) return // it has ended meanwhile
    throw new CommandError(ExitCode.Failed, `cannot signal process ${pid}: ${(error as Error).message}`)
  }
}

/**
 * Connects to the running server.
 * @throws CommandError (rejects) 3 when there is none, 1 when it does not answer
 */
export async function connect(
  name: string,
  { pid, socket }: { pid?: string | undefined; socket?: string | undefined },
): Promise<ControlClient> {
  const path = socket === undefined ? findRunning(name, pid).files.socket : resolve(socket)
  const client = await ControlClient.dial(path)
  if (client !== undefined) return client
  if (socket !== undefined) throw new CommandError(ExitCode.NotRunning, `nobody answers on ${path}`)
  throw new CommandError(ExitCode.Failed, `${name} runs, but does not answer on ${path}`)
}

/**
 * Asks the running server one thing.
 * @throws CommandError (rejects) 3, 5, or 1 with what the server answered
 */
export async function ask<T>(
  name: string,
  flags: { pid?: string; timeout: number },
  question: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const client = await connect(name, flags)
  try {
    return await question(client)
  } catch (error) {
    throw failureOf(error, flags.timeout)
  } finally {
    await client.close()
  }
}

/**
 * Milliseconds that a reload may take: `beforeStop` is asked, and then processes of services are replaced one after the
 * other, and each drains.
 * @param count number of processes, with the master of those of services
 */
export function reloadTime(count: number, { reloadTimeout, stopTimeout, quitTimeout }: ServerSettings): number {
  const replaced = Math.max(stopTimeout, quitTimeout) + KILL_AFTER_MS
  return stopTimeout + (count === 1 ? reloadTimeout + ACCEPT_WITHIN : (count - 1) * (reloadTimeout + replaced))
}

/** The failure of a command for the error of a call. */
export function failureOf(error: unknown, timeout: number): CommandError {
  if (error instanceof CommandError) return error
  if (isStatus(error, Code.HandleTimeout)) return new CommandError(ExitCode.TimedOut, `no answer within ${timeout} ms`)
  if (isStatus(error, Code.NotFound)) return new CommandError(ExitCode.Failed, 'the server does not know this command')
  const isUnknown = [UNKNOWN_NAME, GO_UNKNOWN_NAME, GO_NO_NAME].some((code) => isStatus(error, code))
  return new CommandError(isUnknown ? ExitCode.Usage : ExitCode.Failed, reasonOf(error))
}
