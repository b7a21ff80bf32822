import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once as onceEvent } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { type RateLimit, rateLimit } from '../../../../src/rpc/broker/rate-limit.ts'
import type { RateLimitStore } from '../../../../src/rpc/broker/rate-limit-store.ts'
import { redisStore } from '../../../../src/rpc/broker/redis-store.ts'

const missing = spawnSync('redis-server', ['--version']).error !== undefined
const skip = missing ? 'redis-server is not installed' : false

/** A Redis of the test's own, on a Unix socket. */
class Server {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dmicro-redis-'))
  readonly path = join(this.#folder, 'socket')
  #process: ChildProcess | undefined

  async start(): Promise<void> {
    const args = ['--port', '0', '--unixsocket', this.path, '--save', '', '--dir', this.#folder]
    const process = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = process
    let text = ''
    for await (const chunk of process.stdout) if ((text += chunk).includes('ready to accept connections')) break
    process.stdout.resume()
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  async stop(): Promise<void> {
    const process = this.#process
    this.#process = undefined
    if (process === undefined) return
    const exited = onceEvent(process, 'exit')
    process.kill('SIGKILL')
    await exited
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function server(t: TestContext): Promise<Server> {
  const redis = new Server()
  await redis.start()
  t.after(async () => {
    await redis.stop()
    redis.remove()
  })
  return redis
}

/** A client of each package, on a connection of its own. */
const clients: [string, (t: TestContext, path: string) => Promise<RateLimitStore>][] = [
  [
    'ioredis',
    async (t, path) => {
      const client = new Redis({ path, retryStrategy: () => 20, lazyConnect: true })
      client.on('error', () => {})
      t.after(() => client.disconnect())
      await client.connect()
      return redisStore(client)
    },
  ],
  [
    '@redis/client',
    async (t, path) => {
      const client = createClient({ socket: { path, reconnectStrategy: () => 20 } })
      client.on('error', () => {})
      t.after(() => client.destroy())
      await client.connect()
      return redisStore(client)
    },
  ],
]

async function passes(limit: RateLimit, tenant = 'x'): Promise<boolean> {
  try {
    await limit.beforeReadCallBody?.({ kind: 'call', serviceMethod: '/a', meta: { tenant }, session: {} } as never)
    return true
  } catch {
    return false
  }
}

async function passing(limits: RateLimit[], times: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: times }, (_, n) => passes(limits[n % limits.length])))
  return all.filter(Boolean).length
}

for (const [name, connect] of clients) {
  test(`${name}: a bucket in Redis hands out each token once, and forgets keys that are full`, { skip }, async (t) => {
    const redis = await server(t)
    const stores = await Promise.all([1, 2, 3].map(() => connect(t, redis.path)))
    const grants = await Promise.all(Array.from({ length: 300 }, (_, n) => stores[n % 3].take('k', 0.001, 100, 1 + (n % 4))))
    assert.equal(
      grants.reduce((sum, { granted }) => sum + granted, 0),
      100,
    )
    const { granted, wait } = await stores[0].take('k', 0.001, 100, 1)
    assert.ok(granted === 0 && wait > 990_000 && wait <= 1_000_000, `${wait}`)
    assert.deepEqual(await stores[0].take('fast', 1e6, 1e6, 7), { granted: 7, wait: 0 })
    const plain = new Redis({ path: redis.path })
    t.after(() => plain.disconnect())
    const ttl = await plain.pttl('dmicro:rate:fast')
    assert.ok(ttl > 0 && ttl <= 1001, `${ttl}`)
    const again = await stores[1].take('k', 1e6, 5, 100)
    assert.deepEqual(again, { granted: 5, wait: 0 }, 'another rate and burst apply at once')
  })

  test(`${name}: processes share a limit; without Redis each has its own, and shares again when it is back`, { skip }, async (t) => {
    const redis = await server(t)
    const limits: RateLimit[] = []
    for (let n = 0; n < 3; n++) {
      const store = await connect(t, redis.path)
      limits.push(rateLimit({ rate: 0.5, burst: 60, by: { meta: 'tenant' }, store, storeTimeout: 500 }))
    }
    const total = await passing(limits, 300)
    assert.ok(total >= 60 && total <= 61, `${total}`)
    await redis.stop()
    const down = Promise.all(limits.map((limit) => onceEvent(limit, 'store')))
    // The key has no tokens for a while, so another one finds out.
    for (const limit of limits) while (limit.stats.storeFailures === 0) await passes(limit, `${Math.random()}`)
    await down
    const alone = await Promise.all(limits.map((limit) => passing([limit], 100)))
    for (const each of alone) assert.ok(each >= 59 && each <= 61, `${each}`)
    await redis.start()
    for (const limit of limits) {
      const up = onceEvent(limit, 'store')
      let isUp = false
      void up.then(() => (isUp = true))
      while (!isUp) {
        await passes(limit, 'probe')
        await new Promise(setImmediate)
      }
    }
    const shared = await passing(limits, 300)
    assert.ok(shared >= 60 && shared <= 61, `${shared} of a new bucket`)
  })

  test(`${name}: a Redis that hangs delays messages once, for the time of the option`, { skip }, async (t) => {
    const redis = await server(t)
    const limit = rateLimit({ rate: 100, by: { meta: 'tenant' }, store: await connect(t, redis.path), storeTimeout: 30 })
    assert.equal(await passes(limit), true)
    redis.signal('SIGSTOP')
    const failed = onceEvent(limit, 'store')
    const all = Array.from({ length: 50 }, (_, n) => passes(limit, `${n}`))
    const [{ error }] = (await failed) as [{ error: Error }]
    assert.match(error.message, /no answer within 30 ms/)
    assert.deepEqual(await Promise.all(all), Array(50).fill(true))
    const { local } = limit.stats
    assert.ok(local >= 50, `${local}`)
    redis.signal('SIGCONT')
  })
}
