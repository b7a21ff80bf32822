import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { tarball } from '../support/packed.ts'
import { type Ended, run } from '../support/processes.ts'
import { npmSettings, serveRegistry } from '../support/registry.ts'

const checkout = resolve(import.meta.dirname, '../../..')
const canHide = spawnSync('unshare', ['-m', 'true']).status === 0

/** A home that has nothing, on a machine whose npm has this package, and where this checkout cannot be seen if the system lets us hide it. */
export class Place {
  readonly home: string
  /** Where commands run. */
  folder: string
  readonly #env: NodeJS.ProcessEnv
  readonly #background = new Set<ChildProcess>()

  private constructor(home: string, env: NodeJS.ProcessEnv) {
    this.home = home
    this.folder = home
    this.#env = env
  }

  static async make(t: TestContext, extra: NodeJS.ProcessEnv): Promise<Place> {
    const home = await mkdtemp(join(tmpdir(), 'dmicro-place-'))
    const packed = await mkdtemp(join(tmpdir(), 'dmicro-packed-'))
    const registry = await serveRegistry(await tarball(packed))
    const { cafile } = await npmSettings()
    const place = new Place(home, {
      HOME: home,
      PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
      TMPDIR: home,
      DMICRO_RUNTIME_DIR: join(home, 'run'),
      npm_config_registry: registry.url,
      ...(cafile === undefined ? {} : { npm_config_cafile: cafile }),
      ...extra,
    })
    t.after(async () => {
      await place.endBackground()
      registry.close()
      for (const folder of [home, packed]) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    })
    return place
  }

  /** Runs a line of a shell to its end. */
  async run(line: string): Promise<Ended> {
    // `cd` counts for the lines after it.
    const change = /^cd (\S+)$/.exec(line)
    if (change !== null) this.folder = resolve(this.folder, change[1])
    const [command, args] = this.#inShell(change === null ? line : 'true')
    return run(command, args, { cwd: this.folder, env: this.#env, timeout: 120_000 })
  }

  /** Starts a line that goes on; resolves when it has printed what matches. */
  async start(line: string, ready: RegExp): Promise<void> {
    const [command, args] = this.#inShell(line)
    const child = spawn(command, args, { cwd: this.folder, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    this.#background.add(child)
    let seen = ''
    await new Promise<void>((found, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data) => {
          seen += data
          if (ready.test(seen)) found()
        })
      }
      child.once('exit', () => reject(new Error(`${line} ended:\n${seen}`)))
    })
  }

  async endBackground(): Promise<void> {
    for (const child of this.#background) {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        try {
          process.kill(-(child.pid as number), 'SIGTERM')
        } catch {
          // It has just ended.
        }
        await ended
      }
    }
  }

  #inShell(line: string): [command: string, args: string[]] {
    if (!canHide) return ['sh', ['-c', line]]
    return ['unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none "$0" && cd . && exec sh -c "$1"', checkout, line]]
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
