import { once } from 'node:events'
import { realClock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import type { ControlClient } from '../control/control-client.ts'
import { ExitCode } from '../shell/exit-code.ts'
import { type CtlFlags, type CtlSurroundings, runCtlCommand } from './ctl-commands.ts'
import { runShell } from './ctl-shell.ts'
import { connect, failureOf, findRunning } from './operate.ts'
import type { Output } from './output.ts'

/** Milliseconds that a follower waits for the server that takes over from the one that has ended. */
const RECONNECT_MS = 3000
const RECONNECT_PAUSE_MS = 50

/** Flags that say which server is meant. */
export interface CtlTarget {
  readonly pid?: string | undefined
  /** Socket of a server, such as one of Go; without it the pid file tells. */
  readonly socket?: string | undefined
}

/** `ctl [COMMAND …]`: one command to the running server, or a shell for many. */
export async function ctl(name: string, words: readonly string[], flags: CtlTarget & CtlFlags, output: Output): Promise<number> {
  const dial = (): Promise<ControlClient> => connect(name, flags)
  if (words[0] === 'shell' || (words.length === 0 && flags.json !== true && process.stdin.isTTY === true))
    return runShell(name, dial, flags, output)
  const clients = [await dial()]
  const surroundings: CtlSurroundings = {
    untilInterrupted: async () => {
      // Also when nobody reads any more.
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process.stdout, 'close'), brokenOutput()])
    },
    reconnect: async () => {
      const client = await reconnect(name, flags)
      if (client !== undefined) clients.push(client)
      return client
    },
  }
  try {
    return await runCtlCommand(clients[0], words, flags, output, surroundings)
  } catch (error) {
    throw failureOf(error, flags.timeout)
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

function brokenOutput(): Promise<void> {
  return new Promise((resolve) => process.stdout.on('error', () => resolve()))
}

/** Connects to the server that has taken over, if there is one. */
async function reconnect(name: string, flags: CtlTarget): Promise<ControlClient | undefined> {
  const end = realClock.now() + RECONNECT_MS
  while (realClock.now() < end) {
    try {
      if (flags.socket === undefined) findRunning(name, flags.pid)
      return await connect(name, flags)
    } catch (error) {
      if ((error as { exitCode?: number }).exitCode === ExitCode.NotRunning) return undefined
    }
    await sleep(realClock, RECONNECT_PAUSE_MS)
  }
  return undefined
}
