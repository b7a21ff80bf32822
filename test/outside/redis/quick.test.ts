import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { transports } from '../../support/helpers.ts'
import { npmPackages } from '../support/install.ts'
import { suite } from '../support/suite.ts'
import { answers, serve, UNKNOWN, withoutCode } from './served.ts'

/** A client as it is by default, connected. */
interface Client {
  ping(): Promise<unknown>
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<unknown>
  incr(key: string): Promise<unknown>
  list(key: string): Promise<unknown>
  hash(key: string): Promise<unknown>
  /** Any command, by its words. */
  command(words: string[]): Promise<unknown>
  pipeline(keys: string[]): Promise<unknown[]>
  close(): void
}

type Connect = (port: number) => Promise<Client>

async function ask(client: Client) {
  const failure = (words: string[]): Promise<unknown> =>
    client.command(words).then(
      () => 'no error',
      (error: unknown) => withoutCode(error),
    )
  const first = await client.ping()
  const set = await client.set('k', 'v ä')
  await client.set('large', 'x'.repeat(2_000_000))
  const piped = await client.pipeline(Array.from({ length: 100 }, (_, i) => String(i)))
  const unknown = await failure(['NoSuch', 'x'])
  assert.match(String(unknown), UNKNOWN)
  return {
    ping: first,
    set,
    get: await client.get('k'),
    none: await client.get('nothing'),
    large: ((await client.get('large')) as string).length,
    size: await client.command(['SIZE', 'y'.repeat(1_000_000)]),
    incr: await client.incr('n'),
    list: await client.list('l'),
    hash: { ...((await client.hash('h')) as object) },
    mixed: await client.command(['mixed']),
    fail: await failure(['fail']),
    break: await failure(['Break']),
    pipeline: piped.join(),
    still: await client.ping(),
  }
}

await suite(
  'redis clients of Node',
  async (): Promise<Record<string, Connect>> => {
    const folder = join(await npmPackages(import.meta.dirname), 'node_modules')
    const load = (file: string) => import(pathToFileURL(join(folder, file)).href)
    const { Redis } = await load('ioredis/built/index.js')
    const { createClient } = await load('redis/dist/index.js')
    return {
      ioredis: async (port) => {
        const redis = new Redis(port, '127.0.0.1')
        return {
          close: () => redis.disconnect(),
          ping: () => redis.ping(),
          set: (key, value) => redis.set(key, value),
          get: (key) => redis.get(key),
          incr: (key) => redis.incr(key),
          list: (key) => redis.lrange(key, 0, -1),
          hash: (key) => redis.hgetall(key),
          command: ([name, ...args]) => redis.call(name, ...args),
          pipeline: async (keys) => {
            const piped = redis.pipeline()
            for (const key of keys) piped.set(key, key).get(key)
            const results: [unknown, unknown][] = await piped.exec()
            return keys.map((_, i) => `${results[i * 2 + 1][1]} ${results[i * 2][1]}`)
          },
        }
      },
      'node-redis': async (port) => {
        const redis = createClient({ url: `redis://127.0.0.1:${port}` })
        await redis.connect()
        return {
          close: () => redis.destroy(),
          ping: () => redis.ping(),
          set: (key, value) => redis.set(key, value),
          get: (key) => redis.get(key),
          incr: (key) => redis.incr(key),
          list: (key) => redis.lRange(key, 0, -1),
          hash: (key) => redis.hGetAll(key),
          command: (words) => redis.sendCommand(words),
          // What is called in one turn is written at once.
          pipeline: (keys) =>
            Promise.all(
              keys
                .map(async (key) => [redis.set(key, key), redis.get(key)] as const)
                .map(async (both) => {
                  const [set, got] = await both
                  return `${await got} ${await set}`
                }),
            ),
        }
      },
    }
  },
  (clients) => {
    for (const transport of transports) {
      for (const [name, connect] of Object.entries(clients)) {
        it(`${name} (${transport})`, async (t) => {
          const client = await connect(await serve(t, transport))
          try {
            assert.deepEqual(await ask(client), answers)
          } finally {
            client.close() // before the server does
          }
        })
      }
    }
  },
)
