import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import type { Service } from '../../src/rpc/registry/registry.ts'
import { run } from '../outside/support/processes.ts'

/** One line of the Go program. */
export interface Line {
  kind: string
  value: unknown
  error?: string
}

/** What `calls` of the Go program found. */
export interface GoCalls {
  /** Number of calls that each kind of server answered. */
  answers: Record<string, number>
  failures: string[]
}

let built: Promise<string | { binary: string; directory: string }> | undefined

/**
 * The real Go DMicro with its registry in etcd, RpcServer and RpcClient, built from `./go-etcd` once for a process.
 *
 * @returns undefined, or in one line why there can be none on this machine
 * @throws when the module is there and does not compile: that is our mistake, not the machine's
 */
export async function goEtcdMissing(): Promise<string | undefined> {
  built ??= build()
  const result = await built
  return typeof result === 'string' ? result : undefined
}

/** Removes what was built. */
export async function disposeGoEtcd(): Promise<void> {
  const result = await built
  if (typeof result === 'object') await rm(result.directory, { recursive: true, force: true })
}

async function build(): Promise<string | { binary: string; directory: string }> {
  if (spawnSync('which', ['etcd']).status !== 0) return 'etcd is not installed (Debian: etcd-server)'
  if (spawnSync('which', ['go']).status !== 0) return 'go is not installed'
  const directory = await mkdtemp(join(tmpdir(), 'dmicro-interop-etcd-'))
  const binary = join(directory, 'dmicro-interop-etcd')
  const { code, stderr } = await run('go', ['build', '-o', binary, '.'], { cwd: join(import.meta.dirname, 'go-etcd'), timeout: 300_000 })
  if (code === 0) return { binary, directory }
  await rm(directory, { recursive: true, force: true })
  if (/^\.\/\S+\.go:\d+:/m.test(stderr)) throw new Error(`test/interop/go-etcd does not compile:\n${stderr}`)
  return `go build: ${stderr.trim().split('\n').at(-1)}`
}

/** The Go program, which does what it is told. */
export class GoEtcd {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  readonly #events: Line[] = []

  /** Starts it, with the client address of an etcd. It ends with the test. */
  static async start(t: TestContext, endpoint: string): Promise<GoEtcd> {
    const result = await built
    if (typeof result !== 'object') throw new Error(`there is no Go peer: ${result}`)
    return new GoEtcd(t, result.binary, endpoint)
  }

  private constructor(t: TestContext, binary: string, endpoint: string) {
    this.#child = spawn(binary, [endpoint], { stdio: 'pipe' })
    this.#child.stderr.resume()
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
    t.after(() => this.kill())
  }

  tell(command: string): void {
    this.#child.stdin.write(`${command}\n`)
  }

  /** Gives a command, and resolves to the answer. */
  async ask(command: string): Promise<Line> {
    this.tell(command)
    return this.#next((line) => line.kind === command.split(' ')[0])
  }

  /** The next event of its watch: what happened, by Go's numbers, and to which addresses. */
  async event(): Promise<string> {
    const { value } = this.#events.shift() ?? (await this.#next(({ kind }) => kind === 'event'))
    const { Action, Service } = value as { Action: number; Service: Service }
    return `${['create', 'delete', 'update'][Action]} ${Service.nodes.map(({ address }) => address).join()}`
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  async #next(wanted: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      assert.ok(!done, 'the Go program ended')
      const line = JSON.parse(value) as Line
      if (wanted(line)) return line
      if (line.kind === 'event') this.#events.push(line)
    }
  }
}
