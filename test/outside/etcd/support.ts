import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type EtcdOptions, type EtcdRegistry, etcdRegistry } from '../../../src/rpc/registry/etcd/index.ts'
import type { Service } from '../../../src/rpc/registry/registry.ts'
import { FaultyProxy } from '../../chaos/proxy.ts'
import type { EtcdServer } from './servers.ts'

/** What the keys of the nodes of `math` begin with. */
export const MATH = '/dmicro/registry/math/'

/** A registry that is closed when the test ends. */
export function registryOf(t: TestContext, { endpoint }: Pick<EtcdServer, 'endpoint'>, options: EtcdOptions = {}): EtcdRegistry {
  const registry = etcdRegistry({ endpoints: [endpoint], ...options })
  t.after(() => registry.close())
  return registry
}

/** A proxy before a server, as an endpoint. */
export async function proxyOf(t: TestContext, server: EtcdServer): Promise<{ proxy: FaultyProxy; endpoint: string }> {
  const proxy = await FaultyProxy.start(t, `tcp://${server.endpoint}`)
  return { proxy, endpoint: new URL(proxy.url).host }
}

/** A watch that keeps what it has seen, and can be asked for a state that is to come. */
export class Watcher {
  readonly seen: string[] = []
  /** Why it ended. */
  error: unknown
  #waiting: { expected: string; resolve: () => void; reject: (error: unknown) => void }[] = []

  constructor(t: TestContext, registry: EtcdRegistry, name: string) {
    const controller = new AbortController()
    t.after(() => controller.abort())
    this.#read(registry.watch(name, { signal: controller.signal })).catch((error) => {
      this.error = error
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    })
  }

  /** Resolves once the nodes have these ports, or at once when they have them now. Rejects when the watch has ended. */
  ports(...ports: number[]): Promise<void> {
    const expected = ports.join()
    if (this.seen.at(-1) === expected) return Promise.resolve()
    if (this.error !== undefined) return Promise.reject(this.error)
    return new Promise((resolve, reject) => this.#waiting.push({ expected, resolve, reject }))
  }

  async #read(watch: AsyncIterable<readonly Service[]>): Promise<void> {
    for await (const services of watch) {
      const ports = portsOf(services).join()
      this.seen.push(ports)
      for (const { resolve } of this.#waiting.filter(({ expected }) => expected === ports)) resolve()
      this.#waiting = this.#waiting.filter(({ expected }) => expected !== ports)
    }
  }
}

export function portsOf(services: readonly Service[]): number[] {
  return services.flatMap(({ nodes }) => nodes.map(({ address }) => Number(address.split(':').at(-1)))).sort((a, b) => a - b)
}

/** The value of a node as anybody could write it. */
export function nodeValue(name: string, port: number): string {
  const node = { id: `${name}-127.0.0.1:${port}`, address: `127.0.0.1:${port}`, paths: [], metadata: null }
  return JSON.stringify({ name, version: '1', metadata: null, nodes: [node] })
}

/** Asks again and again, which is all one can do with a server that tells nothing by itself. At most 20 s. */
export async function eventually(check: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const until = performance.now() + 20_000
  while (!(await check())) {
    assert.ok(performance.now() < until, `it never came about that ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
