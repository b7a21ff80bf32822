import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../dist/dmctl/index.js', import.meta.url))

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** A started `dmctl`, and how it ends. */
export function start(args: readonly string[], options: { input?: string; cwd?: string } = {}) {
  const child = spawn(process.execPath, [command, ...args], { cwd: options.cwd, env: { ...process.env, NO_COLOR: '1' } })
  const ran: Ran = { code: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    ran.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    ran.stderr += text
  })
  child.stdin.end(options.input)
  const done = new Promise<Ran>((resolve) => child.once('close', (code) => resolve({ ...ran, code })))
  return { child, done }
}

/** Runs `dmctl` to its end. */
export function dmctl(...args: string[]): Promise<Ran> {
  return start(args).done
}
