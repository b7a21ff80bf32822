import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

/** Milliseconds that a server may take to start. */
const START_MS = 20_000
/** Elections take a second, not the default's; leases are then granted for as little as that. */
const timing = ['--heartbeat-interval', '50', '--election-timeout', '500']

/** One server of etcd, which can be ended in several ways and started again, with its data, at the same port. */
export class EtcdServer {
  readonly port: number
  readonly #binary: string
  readonly #folder: string
  readonly #args: readonly string[]
  /** How it meets the others of its cluster. */
  readonly #peers: readonly string[]
  readonly #scheme: string
  #data = 0
  #child: ChildProcess | undefined

  private constructor(binary: string, folder: string, port: number, args: readonly string[], peers: readonly string[]) {
    this.#binary = binary
    this.#folder = folder
    this.port = port
    this.#args = args
    this.#peers = peers
    this.#scheme = args.includes('--cert-file') ? 'https' : 'http'
  }

  /** Starts one that ends with the test. */
  static async start(t: TestContext, binary: string, args: readonly string[] = []): Promise<EtcdServer> {
    const server = await EtcdServer.#make(t, binary, args, peersOf('default', 'http://127.0.0.1:0', alone))
    await server.start()
    return server
  }

  /** Starts a cluster that ends with the test. */
  static async startCluster(t: TestContext, binary: string, size: number): Promise<EtcdServer[]> {
    const urls: string[] = []
    for (let i = 0; i < size; i++) urls.push(`http://127.0.0.1:${await freePort()}`)
    const all = urls.map((url, i) => `m${i}=${url}`).join()
    const servers: EtcdServer[] = []
    for (const [i, url] of urls.entries()) servers.push(await EtcdServer.#make(t, binary, [], peersOf(`m${i}`, url, all)))
    await Promise.all(servers.map((server) => server.start()))
    return servers
  }

  static async #make(t: TestContext, binary: string, args: readonly string[], peers: readonly string[]): Promise<EtcdServer> {
    const folder = await mkdtemp(join(tmpdir(), 'dmicro-etcd-'))
    const server = new EtcdServer(binary, folder, await freePort(), args, peers)
    t.after(async () => {
      await server.kill()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    })
    return server
  }

  get endpoint(): string {
    return `127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const url = `${this.#scheme}://${this.endpoint}`
    const urls = ['--listen-client-urls', url, '--advertise-client-urls', url]
    const data = ['--data-dir', join(this.#folder, `data-${this.#data}`)]
    const child = spawn(this.#binary, [...data, ...urls, ...this.#peers, ...timing, ...this.#args], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    const lines: string[] = []
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`etcd did not start:\n${lines.join('\n')}`)), START_MS)
      createInterface(child.stderr as NodeJS.ReadableStream).on('line', (line) => {
        if (lines.length < 200) lines.push(line)
        if (/serving .*client (requests|traffic)/.test(line)) resolve(clearTimeout(timer))
      })
      child.once('exit', () => reject(new Error(`etcd ended:\n${lines.slice(-20).join('\n')}`)))
    })
    await ready
  }

  /** Ends it as an operator does. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Stops it from answering, while its connections stay open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Lets the next start begin with nothing. */
  wipe(): void {
    this.#data++
  }

  /** Asks it over its gateway for JSON, as nothing of ours would. Bytes are base64, 64-bit numbers text. */
  async ask(path: string, body: object, token?: string): Promise<Record<string, unknown>> {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: token }
    const response = await fetch(`${this.#scheme}://${this.endpoint}/v3/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const answer = (await response.json()) as Record<string, unknown>
    if (!response.ok) throw new Error(`etcd ${path}: ${JSON.stringify(answer)}`)
    return answer
  }

  async put(key: string, value: string | Uint8Array): Promise<void> {
    await this.ask('kv/put', { key: base64(key), value: base64(value) })
  }

  async delete(key: string): Promise<void> {
    await this.ask('kv/deleterange', { key: base64(key) })
  }

  /** All keys that begin with `prefix`. */
  async read(prefix: string): Promise<{ key: string; value: string; lease: string }[]> {
    const end = Buffer.from(prefix)
    end[end.length - 1]++
    const { kvs = [] } = (await this.ask('kv/range', { key: base64(prefix), range_end: base64(end) })) as { kvs?: Record<string, string>[] }
    return kvs.map(({ key, value = '', lease = '0' }) => ({ key: text(key), value: text(value), lease }))
  }

  /** Whether it leads its cluster. */
  async isLeader(): Promise<boolean> {
    const { header, leader } = (await this.ask('maintenance/status', {})) as { header: { member_id: string }; leader?: string }
    return leader === header.member_id
  }

  /** The ids of all leases. */
  async leases(): Promise<string[]> {
    const { leases = [] } = (await this.ask('lease/leases', {})) as { leases?: { ID: string }[] }
    return leases.map(({ ID }) => ID)
  }

  /** Forgets all changes up to now. */
  async compact(): Promise<void> {
    const { header } = (await this.ask('kv/range', { key: base64('x') })) as { header: { revision: string } }
    await this.ask('kv/compaction', { revision: header.revision, physical: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGCONT')
    child.kill(signal)
    await once(child, 'exit')
  }
}

/** A cluster of one, whose peer address nobody asks. */
const alone = 'default=http://127.0.0.1:2380'

function peersOf(name: string, url: string, cluster: string): string[] {
  const advertised = cluster === alone ? 'http://127.0.0.1:2380' : url
  const addresses = ['--listen-peer-urls', url, '--initial-advertise-peer-urls', advertised]
  return ['--name', name, ...addresses, '--initial-cluster', cluster]
}

function base64(bytes: string | Uint8Array): string {
  return Buffer.from(bytes as string).toString('base64')
}

function text(encoded: string): string {
  return Buffer.from(encoded, 'base64').toString()
}

/** A port that nobody has now; etcd is to have the same one after a restart. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
