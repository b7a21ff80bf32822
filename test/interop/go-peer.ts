import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { ProtocolName } from './protocols.ts'

/** One line of `dmicro-interop client`. */
export interface GoCheck {
  name: string
  row?: string
  ok: boolean
  /** Why it did not run. */
  skipped?: string
  detail: string
}

export interface GoServer {
  /** What a client of ours dials. */
  readonly url: string
  /** What a client written in Go dials. */
  readonly address: string
  stop(): Promise<void>
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>
}

export type Network = 'tcp' | 'tcp6' | 'unix' | 'kcp' | 'quic'

/** The real Go DMicro, built from `./go` into a directory that `dispose` removes. */
export class GoPeer {
  readonly #directory: string
  readonly #binary: string
  #sockets = 0

  private constructor(directory: string, binary: string) {
    this.#directory = directory
    this.#binary = binary
  }

  /**
   * @returns the peer, or in one line why there can be none on this machine
   * @throws when the module is there and does not compile: that is our mistake, not the machine's
   */
  static async build(): Promise<GoPeer | string> {
    const directory = await mkdtemp(join(tmpdir(), 'dmicro-interop-'))
    const binary = join(directory, 'dmicro-interop')
    let reason: string
    try {
      const { code, stderr } = await run('go', ['build', '-o', binary, '.'], join(import.meta.dirname, 'go'))
      if (code === 0) return new GoPeer(directory, binary)
      if (/^\.\/\S+\.go:\d+:/m.test(stderr)) throw new Error(`test/interop/go does not compile:\n${stderr}`)
      reason = `go build: ${lastLine(stderr)}`
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return 'go is not installed'
    }
    await rm(directory, { recursive: true, force: true })
    return reason
  }

  async dispose(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** An address to listen on: any free port, or a path nobody has used. */
  freeAddress(network: Network): string {
    if (network === 'tcp' || network === 'kcp' || network === 'quic') return '127.0.0.1:0'
    if (network === 'tcp6') return '[::1]:0'
    return join(this.#directory, `${++this.#sockets}.sock`)
  }

  /** Starts a Go server with every route of `./go/README.md`. It ends with this process, whatever happens. */
  async serve(network: Network, protocol: ProtocolName, ...flags: string[]): Promise<GoServer> {
    return this.#serve('server', network, '-proto', protocol, ...flags)
  }

  /** Starts a Go `RpcServer` of the service `math` with every route of `./go/README.md`. */
  async serveRpc(): Promise<GoServer> {
    return this.#serve('rpc-server', 'tcp')
  }

  /** Lets a Go `RpcClient` check the node at `address` of the service `math`. Rejects when it could not run. */
  async checkRpc(address: string): Promise<GoCheck[]> {
    return this.#check(['rpc-client', '-addr', address])
  }

  /** Starts Go's own HTTP server, which answers with what it was asked. */
  async serveHttp(network: Network): Promise<GoServer> {
    return this.#serve('nethttp', network)
  }

  async #serve(command: string, network: Network, ...flags: string[]): Promise<GoServer> {
    const args = [command, '-network', network, '-listen', this.freeAddress(network), ...flags]
    const child = spawn(this.#binary, args)
    const exited = once(child, 'close')
    const stderr = text(child.stderr)
    const line = await Promise.race([once(createInterface(child.stdout), 'line'), exited.then(() => undefined)])
    if (line === undefined) throw new Error(`the Go server did not start:\n${await stderr}`)
    const { address } = JSON.parse(String(line[0])) as { address: string }
    return {
      url: urlOf(network, address),
      address,
      async stop() {
        child.stdin.end()
        const [code] = await exited
        if (code !== 0) throw new Error(`the Go server ended with ${code}:\n${await stderr}`)
      },
      async kill() {
        child.kill('SIGKILL')
        await exited
      },
    }
  }

  /** Lets a Go client check the server at `address`. Rejects when it hung, panicked or could not start. */
  async check(network: Network, protocol: ProtocolName, address: string, ...flags: string[]): Promise<GoCheck[]> {
    return this.#check(['client', '-proto', protocol, '-network', network, '-addr', address, ...flags])
  }

  async #check(args: string[]): Promise<GoCheck[]> {
    const { code, stdout, stderr } = await run(this.#binary, args)
    if (code !== 0 && code !== 1) throw new Error(`the Go client ended with ${code}:\n${stdout}${stderr}`)
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as GoCheck)
  }
}

export function urlOf(network: Network, address: string): string {
  return `${network === 'tcp6' ? 'tcp' : network}://${address}`
}

export function addressOf(url: string): string {
  return url.slice(url.indexOf('://') + 3)
}

/** Runs a command to its end. Rejects when it cannot start. */
async function run(command: string, args: string[], cwd?: string) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number | null, stdout, stderr }
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? ''
}
