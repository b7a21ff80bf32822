import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { AppOptions } from '../e2e/fixtures/restart/app.ts'

/** What a program says when it serves. */
export interface Serving {
  pid: number
  urls: string[]
  http?: string
  leaked: string[]
}

/** A program and those that follow it. All are killed when the test ends. */
export class Restarting {
  readonly first: ChildProcess
  readonly #lines: Interface
  readonly #pids = new Set<number>()
  readonly errors: string[] = []
  readonly #said: Serving[] = []
  /** Resolves when the program does nothing any more for a while, as its route `/stall` was asked to. */
  readonly stalled: Promise<void>
  #waiting: { resolve(serving: Serving): void; reject(error: Error): void } | undefined
  #failed: (() => void) | undefined

  /** Starts the program; `serving` gives what it says. */
  constructor(t: TestContext, options: AppOptions, spawning: { prefix?: string[]; env?: NodeJS.ProcessEnv } = {}) {
    const file = fileURLToPath(new URL('../e2e/fixtures/restart/app.ts', import.meta.url))
    const [program, ...args] = [...(spawning.prefix ?? []), process.execPath, '--import', 'tsx', file, JSON.stringify(options)]
    this.first = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...spawning.env } })
    this.#pids.add(this.first.pid as number)
    this.#lines = createInterface(this.first.stdout!)
    this.stalled = new Promise((resolve) => {
      this.#lines.on('line', (line) => line === 'stalled' && resolve())
    })
    this.#lines.on('line', (line) => {
      if (!line.startsWith('{')) return
      const serving = JSON.parse(line) as Serving
      this.#pids.add(serving.pid)
      this.#said.push(serving)
      if (this.#waiting !== undefined) this.#waiting.resolve(this.#said.shift() as Serving)
      this.#waiting = undefined
    })
    createInterface(this.first.stderr!).on('line', (line) => {
      this.errors.push(line)
      if (line.includes('restart failed')) this.#failed?.()
    })
    this.first.once('exit', (code) => {
      if (this.#pids.size === 1) this.#waiting?.reject(new Error(`the program ended with ${code}: ${this.errors.join('\n')}`))
    })
    t.after(() => {
      for (const pid of this.#pids) kill(pid)
    })
  }

  /** The next process that serves. */
  serving(): Promise<Serving> {
    const said = this.#said.shift()
    if (said !== undefined) return Promise.resolve(said)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** Resolves when the program has logged that a restart failed. */
  failed(): Promise<void> {
    return new Promise((resolve) => {
      this.#failed = resolve
    })
  }
}

/** Resolves when the process has ended. */
export async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10))
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
