import type { TestContext } from 'node:test'
import { RpcClient } from '../../src/rpc/client.ts'
import { type EtcdOptions, etcdRegistry } from '../../src/rpc/registry/etcd/index.ts'
import type { RpcError } from '../../src/rpc/rpc-error.ts'
import type { Kind } from '../support/helpers.ts'
import type { ServeNode } from './fixtures/service-node.ts'
import { Child } from './support.ts'

/** Milliseconds that the record of a node outlives it. */
export const NODE_TTL = 3_000

/** A node of the service `math` in a process of its own. */
export interface ServiceNode {
  readonly child: Child
  readonly address: string
}

/** Starts a node, which is killed when the test ends. */
export async function startNode(t: TestContext, transport: Kind, endpoints: readonly string[]): Promise<ServiceNode> {
  const child = await Child.start(t, 'service-node.ts')
  const address = await child.ask<string>({ do: 'serve', transport, endpoints, ttl: NODE_TTL } satisfies ServeNode)
  return { child, address }
}

/** A client of the service with all that a test asks of it. */
export class ServiceClient {
  readonly client: RpcClient
  /** When which address was dialled. */
  readonly dials: { address: string; at: number }[] = []
  /** Messages of calls that failed, and what node and code they name. */
  readonly failures: { text: string; node: string | undefined; code: number; idempotent: boolean }[] = []
  /** Number of calls that each address answered. */
  readonly answers = new Map<string, number>()
  readonly #open = new Set<Promise<void>>()
  readonly #waiting = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  made = 0

  constructor(t: TestContext, transport: Kind, etcd: EtcdOptions) {
    const registry = etcdRegistry(etcd)
    const dials = { name: 'dials', beforeDial: (url: string) => void this.dials.push({ address: url.slice(6), at: performance.now() }) }
    this.client = new RpcClient('math', { transport, registry, plugins: [dials], log: false, timeout: 10_000, closeTimeout: 1_000 })
    t.after(async () => {
      clearInterval(this.#timer)
      await this.client.close({ timeout: 0 })
      await registry.close()
    })
  }

  /** Begins to make so many calls a second, however slow the answers are (open loop). */
  start(rate: number, isIdempotent: (id: number) => boolean): void {
    if (this.#timer !== undefined) return
    const began = performance.now()
    this.#timer = setInterval(() => {
      for (const due = ((performance.now() - began) * rate) / 1000; this.made < due; this.made++)
        this.#call(this.made, isIdempotent(this.made))
    }, 1)
  }

  /** Ends the load, and waits for all answers. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
  }

  /** Resolves when so many further calls were answered by `address`. */
  async answered(address: string, more: number): Promise<void> {
    const before = this.answers.get(address) ?? 0
    await this.#until(() => (this.answers.get(address) ?? 0) >= before + more)
  }

  /** Addresses that the client knows. */
  get known(): string[] {
    return this.client.selector.candidates('math').map(({ node }) => node.address)
  }

  /** Resolves when the client knows these nodes and no others, or so many. */
  async knows(nodes: readonly ServiceNode[] | number): Promise<void> {
    const isSo = (): boolean => {
      const { known } = this
      if (typeof nodes === 'number') return known.length === nodes
      return nodes.length === known.length && nodes.every(({ address }) => known.includes(address))
    }
    if (isSo()) return
    await new Promise<void>((resolve) => {
      const end = this.client.selector.onChange(() => {
        if (!isSo()) return
        end()
        resolve()
      })
    })
  }

  /** Number of dials to `address` since `time`. */
  dialsOf(address: string, since: number): number {
    return this.dials.filter((dial) => dial.address === address && dial.at > since).length
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
    })
  }

  #call(id: number, idempotent: boolean): void {
    const answer =
      id % 5 === 4
        ? this.client.call<string>('/math/later', id % 21, { idempotent })
        : this.client.call<string>('/math/who', 0, { idempotent })
    const done = answer.then(
      (address) => {
        this.answers.set(address, (this.answers.get(address) ?? 0) + 1)
        for (const check of [...this.#waiting]) check()
      },
      (error: RpcError) =>
        void this.failures.push({ text: `call ${id}: ${error} (${error.cause})`, node: error.node, code: error.code, idempotent }),
    )
    this.#open.add(done)
    void done.finally(() => this.#open.delete(done))
  }
}
