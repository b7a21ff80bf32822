import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { RpcClient } from '../../src/rpc/client.ts'
import type { RpcClientOptions } from '../../src/rpc/client-options.ts'
import { memoryRegistry } from '../../src/rpc/registry/memory.ts'
import type { Registry } from '../../src/rpc/registry/registry.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import type { RpcServerOptions } from '../../src/rpc/server-options.ts'
import type { Kind } from './helpers.ts'

/** A service that adds numbers and says which server answered. Started, and closed when the test ends. */
export async function mathServer(t: TestContext, transport: Kind, registry: Registry, options: RpcServerOptions = {}): Promise<RpcServer> {
  const server = rpcServer(t, transport, { registry, ...options })
  server.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
  server.routeCall('/math/who', () => server.url)
  await server.start()
  return server
}

export function rpcServer(t: TestContext, transport: Kind, options: RpcServerOptions = {}): RpcServer {
  const server = new RpcServer('math', {
    transport,
    listen: 'tcp://127.0.0.1:0',
    log: false,
    drainDelay: 0,
    closeTimeout: 200,
    ...options,
  })
  t.after(() => server.close({ timeout: 0 }))
  return server
}

export function rpcClient(t: TestContext, transport: Kind, registry: Registry, options: Partial<RpcClientOptions> = {}): RpcClient {
  const client = new RpcClient('math', { transport, registry, log: false, closeTimeout: 200, timeout: 5_000, ...options })
  t.after(() => client.close({ timeout: 0 }))
  return client
}

/** What services listen on. */
export const schemes = ['tcp', 'unix', 'ws'] as const

/** A url to listen on that nobody else has. */
export function urlToListen(t: TestContext, scheme: (typeof schemes)[number]): string {
  if (scheme !== 'unix') return scheme === 'tcp' ? 'tcp://127.0.0.1:0' : 'ws://127.0.0.1:0/rpc'
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-rpc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return `unix://${join(folder, 'node.sock')}`
}

/** A registry in memory, which the test closes. */
export function ownRegistry(t: TestContext): Registry {
  const registry = memoryRegistry()
  t.after(() => registry.close())
  return registry
}

/** `registry` with some methods replaced. */
export function over(registry: Registry, own: Partial<Registry>): Registry {
  return {
    name: 'test',
    register: (...args) => registry.register(...args),
    deregister: (...args) => registry.deregister(...args),
    getService: (...args) => registry.getService(...args),
    listServices: (...args) => registry.listServices(...args),
    watch: (...args) => registry.watch(...args),
    close: () => registry.close(),
    ...own,
  }
}

/** Calls that are made all the time. */
export interface Load {
  /** Calls that were answered so far. */
  answered: number
  /** Resolves when so many more calls are answered. */
  more(count: number): Promise<void>
  /** Ends the load. Resolves to what failed. */
  end(): Promise<unknown[]>
}

/** Makes a call all the time, 64 at once. */
export function load(call: () => Promise<unknown>): Load {
  const failures: unknown[] = []
  let isOver = false
  let due = { at: Number.POSITIVE_INFINITY, resolve: () => {} }
  const result: Load = {
    answered: 0,
    more: (count) =>
      new Promise((resolve) => {
        due = { at: result.answered + count, resolve }
      }),
    async end() {
      isOver = true
      await running
      return failures
    },
  }
  const caller = async (): Promise<void> => {
    while (!isOver) {
      try {
        await call()
        if (++result.answered >= due.at) due.resolve()
      } catch (error) {
        failures.push(error)
        await new Promise(setImmediate)
      }
    }
  }
  const running = Promise.all(Array.from({ length: 64 }, caller))
  return result
}
