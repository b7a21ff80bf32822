import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../e2e/fixtures/dserver/app.mjs', import.meta.url))

/** Result of a command that has ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** A program that runs, with all that it prints line by line. */
export class Program {
  readonly child: ChildProcess
  readonly lines: string[] = []
  /** Resolves when the program, and all that share its output, have ended. */
  readonly ended: Promise<Ended>
  /** Resolves to the exit code when the program itself has ended. */
  readonly exited: Promise<number | null>
  #err = ''
  #onLine = (): void => {}

  constructor(child: ChildProcess) {
    this.child = child
    this.exited = once(child, 'exit').then(([code]) => code)
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
        this.lines.push(line)
        this.#onLine()
      })
    }
    child.stderr?.on('data', (data) => {
      this.#err += data
    })
    let out = ''
    child.stdout?.on('data', (data) => {
      out += data
    })
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#onLine()
      return { code, signal, out, err: this.#err }
    })
  }

  /** The first line that matches. Fails when the program ends without one. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line))
      if (found !== undefined) return found
      assert.equal(this.child.exitCode ?? this.child.signalCode, null, `ended without ${pattern}:\n${this.lines.join('\n')}`)
      await new Promise<void>((resolve) => {
        this.#onLine = resolve
      })
    }
  }

  /** The lines that match, in order. */
  all(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line))
  }
}

/** An application with files of its own, which are removed when the test ends, as are its processes. */
export class App {
  readonly folder = mkdtempSync(join(tmpdir(), 'dserver-'))
  readonly runtime = join(this.folder, 'run')
  readonly pidFile = join(this.runtime, 'app.pid')
  readonly socket = join(this.runtime, 'app.sock')
  readonly env: NodeJS.ProcessEnv
  readonly #programs: Program[] = []

  constructor(t: TestContext, env: Record<string, unknown> = {}) {
    const texts = Object.entries(env).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
    const { ENV_NAME, RUNTIME_DIRECTORY, XDG_RUNTIME_DIR, NOTIFY_SOCKET, ...own } = process.env
    this.env = { ...own, DMICRO_RUNTIME_DIR: this.runtime, ...Object.fromEntries(texts) }
    t.after(async () => {
      for (const { child } of this.#programs) child.kill('SIGKILL')
      this.#killSuccessor()
      await Promise.all(this.#programs.map(({ ended }) => ended))
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  /** Kills the process that has taken over from one of ours. */
  #killSuccessor(): void {
    try {
      const pid = Number(readFileSync(this.pidFile, 'utf8'))
      if (pid > 1 && pid !== process.pid) process.kill(pid, 'SIGKILL')
    } catch {
      // There is none.
    }
  }

  /** Starts a command of the application. */
  spawn(...args: string[]): Program {
    return this.spawnBy([process.execPath], args)
  }

  /** Starts a command of the application by another program, such as a shell with limits. */
  spawnBy(command: readonly string[], args: readonly string[]): Program {
    const [file, ...first] = [...command, script, ...args]
    const program = new Program(spawn(file, first, { cwd: this.folder, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] }))
    this.#programs.push(program)
    return program
  }

  /** Starts the server and waits until it is ready. */
  async start(...args: string[]): Promise<Program> {
    const server = this.spawn('start', ...args)
    await server.line(/dmicro info: ready/)
    return server
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ended> {
    return this.spawn(...args).ended
  }

  /** Runs a command with `--json`: its exit code and the last line that it printed. */
  async json(...args: string[]): Promise<Record<string, unknown> & { exit: number | null }> {
    const { code, out, err } = await this.run(...args, '--json')
    const last = out.trimEnd().split('\n').at(-1) as string
    assert.match(last, /^\{.*\}$/, `${out}\n${err}`)
    return { exit: code, ...JSON.parse(last) }
  }
}
