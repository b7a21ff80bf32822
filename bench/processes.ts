// Child processes of a benchmark. Each leads a process group, so that what it starts itself (a broker) ends with it.
// Servers end with their standard input, so that none outlives the runner, however that ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
/** Where the C++ programs and the Go program are built. */
export const programs = path('../build/bench')

const STOP_MS = 5_000
const STDERR_KEPT = 8_192
const running = new Set<ChildProcess>()

/** Ends every child at once, and what they started. */
export function killAll(): void {
  for (const child of running) killGroup(child)
  running.clear()
}
process.on('exit', killAll)

interface LaunchOptions {
  cwd?: string | undefined
  env?: Record<string, string> | undefined
}

/** Starts a program in a group of its own; `killAll` knows it until its output has ended. */
export function launch([file, ...args]: (string | number)[], { cwd, env }: LaunchOptions = {}): ChildProcess {
  const child = spawn(String(file), args.map(String), { stdio: 'pipe', detached: true, cwd, env: { ...process.env, ...env } })
  running.add(child)
  const gone = () => running.delete(child)
  child.once('close', gone).once('error', gone)
  child.stdin!.on('error', () => {}) // it has ended; that is told elsewhere
  return child
}

export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // all of it has ended
  }
}

/** What a program said went wrong: the line that names an error, else its last one. */
export function complaint(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.find((line) => /\b(\w*Error|error|panic|fatal)(?=:)/.test(line)) ?? lines.at(-1) ?? ''
}

export class Program {
  readonly name: string
  readonly #child: ChildProcess
  /** Of JSON: libraries log on standard output too. */
  readonly #lines: string[] = []
  readonly #exit: Promise<void>
  readonly #closed: Promise<void>
  #failure: Error | undefined
  #done = false
  #stderr = ''
  #wake = () => {}

  /** `name` stands for it in messages. */
  constructor(name: string, command: (string | number)[], env?: Record<string, string> | undefined) {
    this.name = name
    this.#child = launch(command, { env })
    this.#child.stderr!.on('data', (data) => {
      this.#stderr = (this.#stderr + data).slice(-STDERR_KEPT)
    })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (/^[{[]/.test(line)) this.#lines.push(line)
      this.#wake()
    })
    this.#exit = new Promise((resolve) => this.#child.once('exit', () => resolve()).once('error', () => resolve()))
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(error.message)).once('error', () => resolve())
      this.#child.once('close', (code, signal) => {
        this.#end(code === 0 ? '' : `ended with ${signal ?? code}`)
        resolve()
      })
    })
  }

  #end(how: string): void {
    const said = complaint(this.#stderr)
    if (how !== '') this.#failure ??= new Error(`${this.name} ${how}${said === '' ? '' : `: ${said}`}`)
    this.#done = true
    this.#wake()
  }

  /** The next line it prints, as JSON. */
  async next<T>(limitMs: number): Promise<T> {
    const late = setTimeout(() => this.#giveUp(limitMs), limitMs)
    while (this.#lines.length === 0 && !this.#done && this.#failure === undefined) await new Promise<void>((wake) => (this.#wake = wake))
    clearTimeout(late)
    const line = this.#lines.shift()
    if (line === undefined) throw this.#failure ?? new Error(`${this.name} ended early`)
    return this.#parse<T>(line)
  }

  /** Waits for its end; rejects when it fails. */
  async end(limitMs: number): Promise<void> {
    const late = setTimeout(() => this.#giveUp(limitMs), limitMs)
    await this.#closed
    clearTimeout(late)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Waits for its end; the last line it printed, as JSON. */
  async result<T>(limitMs: number): Promise<T> {
    await this.end(limitMs)
    return this.#parse<T>(this.#lines.at(-1) ?? '')
  }

  /** Rejects when it ends before `stop`. */
  async failure(): Promise<never> {
    await this.#closed
    throw this.#failure ?? new Error(`${this.name} ended early`)
  }

  get pid(): number {
    return this.#child.pid!
  }

  tell(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  /** Ends its standard input, and after STOP_MS it itself. */
  async stop(): Promise<void> {
    this.#child.stdin!.end()
    const late = setTimeout(() => killGroup(this.#child), STOP_MS)
    await this.#exit
    clearTimeout(late)
    killGroup(this.#child)
  }

  #parse<T>(line: string): T {
    try {
      return JSON.parse(line) as T
    } catch {
      throw new Error(`${this.name} printed no JSON: ${JSON.stringify(line.slice(0, 200))}`)
    }
  }

  #giveUp(limitMs: number): void {
    this.#failure ??= new Error(`${this.name} took more than ${limitMs / 1000} s`)
    killGroup(this.#child)
    this.#wake()
  }
}
