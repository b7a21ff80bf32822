import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

/** A temporary folder, with a short path since those of Unix sockets are limited. */
export async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'out-'))
  t.after(() => rm(made, { recursive: true, force: true }))
  return made
}

/** Starts a server in the foreground that does not say when it is ready: it is once its Unix socket takes connections. Stopped when the test ends. */
export async function daemon(t: TestContext, [command, ...args]: readonly string[], cwd: string, socket: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'close')
  const stderr = text(child.stderr)
  t.after(() => {
    child.kill('SIGKILL')
    return exited
  })
  while (!(await reachable(join(cwd, socket)))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}:\n${await stderr}`)
    await wait(20)
  }
}

async function reachable(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
