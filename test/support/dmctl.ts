import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../dist/dmctl/index.js', import.meta.url))

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** A started `dmctl`, and how it ends. */
export function start(args: readonly string[], options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const child = spawn(process.execPath, [command, ...args], { cwd: options.cwd, env: { ...(options.env ?? process.env), NO_COLOR: '1' } })
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

/** One process that runs many command lines, which is quicker than a process for each. */
export class ManyCommands {
  readonly #child = fork(fileURLToPath(new URL('../e2e/fixtures/dmctl/many.ts', import.meta.url)), [], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  #last: Promise<unknown> = Promise.resolve()

  run(...args: string[]): Promise<Ran> {
    const ran = this.#last.then(async () => {
      const answer = once(this.#child, 'message')
      this.#child.send(args)
      return (await answer)[0] as Ran
    })
    this.#last = ran
    return ran
  }

  close(): void {
    this.#child.kill()
  }
}
