import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

export interface Ended {
  /** Null when a signal ended it, as it does after the time limit. */
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a command to its end, at most a minute unless `timeout` says otherwise. Rejects when it cannot start. */
export async function run(command: string, args: readonly string[], options: SpawnOptions & { input?: string } = {}): Promise<Ended> {
  const { input, ...rest } = options
  const child = spawn(command, args, { timeout: 60_000, killSignal: 'SIGKILL', ...rest, stdio: 'pipe' })
  child.stdin.on('error', () => {}) // it may end without reading
  child.stdin.end(input ?? '')
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number | null, stdout, stderr }
}

/** The same for one that must succeed: its standard output, trimmed. */
export async function succeed(command: string, args: readonly string[], options: SpawnOptions & { input?: string } = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout.trim()
}

export interface Started {
  child: ChildProcess
  /** The first line it wrote, as where it listens. */
  line: string
}

/** Starts a program that writes one line when it is ready; it is killed when the test ends. */
export async function start(t: TestContext, command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Started> {
  const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = once(child, 'close')
  exited.catch(() => {})
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await exited
  })
  const stderr = text(child.stderr)
  const lines = createInterface(child.stdout)
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (first === undefined) throw new Error(`${command} did not start:\n${await stderr}`)
  return { child, line: String(first[0]) }
}
