import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once as event } from 'node:events'
import { link, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Endpoint, StatusError } from '../../src/index.ts'
import { endpoint, type Once, once, onEachTransport } from '../support/helpers.ts'
import type { ToWorker } from './fixtures/cluster-worker.ts'

/** A cluster in processes of its own. It is ended with the test. */
class Cluster {
  readonly #primary: ChildProcess
  readonly #open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly #gone: Once<void>[] = []
  #asked = 0

  constructor(t: TestContext, policy: string) {
    const file = fileURLToPath(new URL('fixtures/cluster-primary.ts', import.meta.url))
    this.#primary = fork(file, [policy], { execArgv: ['--import', 'tsx'] })
    t.after(() => this.#primary.kill('SIGKILL'))
    this.#primary.on('message', ({ id, result, error, gone }: { id: number; result: unknown; error?: string; gone?: number }) => {
      if (gone !== undefined) return this.#goneOf(gone).resolve(undefined)
      const { resolve, reject } = this.#open.get(id) as { resolve(value: unknown): void; reject(error: Error): void }
      if (error === undefined) resolve(result)
      else reject(Object.assign(new Error(error), { code: error }))
    })
  }

  ask<T>(worker: number, request: ToWorker): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#open.set(++this.#asked, { resolve: resolve as (value: unknown) => void, reject })
      this.#primary.send({ id: this.#asked, worker, request })
    })
  }

  /** Resolves when the worker's process has ended. */
  gone(worker: number): Promise<void> {
    return this.#goneOf(worker).promise
  }

  #goneOf(worker: number): Once<void> {
    this.#gone[worker] ??= once<void>()
    return this.#gone[worker]
  }
}

const WORKERS = [0, 1, 2]

/** The file of a Unix socket on which nobody listens. */
async function leaveStale(path: string): Promise<void> {
  const server = createServer().listen(`${path}.listening`)
  await event(server, 'listening')
  await link(`${path}.listening`, path)
  server.close()
  await event(server, 'close')
}

onEachTransport('a cluster', (transport) => {
  const real = typeof transport === 'string'

  for (const policy of ['rr', 'none']) {
    const start = async (t: TestContext): Promise<{ cluster: Cluster; pids: number[] }> => {
      const cluster = new Cluster(t, policy)
      const pids: number[] = []
      for (const worker of WORKERS) pids.push(await cluster.ask<number>(worker, { do: 'start', transport }))
      return { cluster, pids }
    }
    const listen = (cluster: Cluster, url: string): Promise<string[]> =>
      Promise.all(WORKERS.map((worker) => cluster.ask<string>(worker, { do: 'listen', url })))
    const who = async (client: Endpoint, url: string): Promise<number> => {
      const session = await client.dial(url)
      try {
        return await session.call<number>('/who')
      } catch (error) {
        if ((error as StatusError).retryAfter === undefined) throw error
        return await who(client, url) // the worker was about to leave, and said so
      } finally {
        await session.close()
      }
    }

    it(`${policy}: workers share a port, one that the system chose too, and none is refused when one leaves`, {
      skip: !real,
    }, async (t) => {
      const { cluster, pids } = await start(t)
      const client = endpoint(t, { transport, protocol: 'raw' })
      const urls = await listen(cluster, 'tcp://127.0.0.1:0')
      assert.equal(new Set(urls).size, 1, String(urls))
      const [url] = urls
      const others = await listen(cluster, 'tcp://127.0.0.1:0')
      assert.equal(new Set(others).size, 1)
      assert.notEqual(others[0], url)
      for (const place of [url, others[0]]) {
        const answered = await Promise.all(Array.from({ length: 60 }, () => who(client, place)))
        assert.ok(answered.every((pid) => pids.includes(pid)))
        // The primary hands out in turn; without it the system gives to whoever is fastest.
        if (policy === 'rr') assert.equal(new Set(answered).size, WORKERS.length)
      }
      let leaving = true
      const left = cluster.ask(0, { do: 'leave' }).then(() => cluster.gone(0))
      void left.then(() => {
        leaving = false
      })
      let dialled = 0
      while (leaving) {
        await who(client, url)
        dialled++
      }
      const rest = await Promise.all(Array.from({ length: 40 }, () => who(client, url)))
      assert.ok(rest.every((pid) => pid === pids[1] || pid === pids[2]))
      t.diagnostic(`${dialled} dialled meanwhile`)
      await cluster.ask(1, { do: 'unlisten' })
      assert.equal(await who(client, url), pids[2])
    })

    it(`${policy}: workers share a Unix socket, also where a stale file lies, and one may keep an address to itself`, {
      skip: !real,
    }, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'dmicro-cluster-'))
      t.after(() => rm(folder, { recursive: true, force: true }))
      const { cluster, pids } = await start(t)
      const client = endpoint(t, { transport, protocol: 'raw' })
      await leaveStale(join(folder, 'shared.sock'))
      const path = `unix://${folder}/shared.sock`
      assert.deepEqual(await listen(cluster, path), [path, path, path])
      const answered = await Promise.all(Array.from({ length: 30 }, () => who(client, path)))
      assert.ok(answered.every((pid) => pids.includes(pid)))
      if (policy === 'rr') assert.equal(new Set(answered).size, WORKERS.length)
      const own = await cluster.ask<string>(0, { do: 'listen', url: 'tcp://127.0.0.1:0', exclusive: true })
      await assert.rejects(cluster.ask(1, { do: 'listen', url: own, exclusive: true }), { code: 'EADDRINUSE' })
      await assert.rejects(cluster.ask(1, { do: 'listen', url: own }), { code: 'EADDRINUSE' })
      assert.equal(await who(client, own), pids[0])
    })
  }
})
