import { nodeCrypto } from '../../base/builtin.ts'
import { optionNames, requireOptions, requireText } from '../../base/check-options.ts'
import type { Grant, RateLimitStore } from './rate-limit-store.ts'

/** Any client that can run a script in Redis. */
export interface ScriptClient {
  /** Runs a Lua script as `EVAL` does, and resolves to what it returns. */
  evalScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>
}

/** The package `ioredis`, as far as it is used. */
export interface IoRedisLike {
  /** Not called: tells clients of `ioredis` from others. */
  defineCommand(...args: never[]): unknown
  /** `SCRIPT LOAD`: keeps a script in Redis. */
  script(command: 'LOAD', script: string): Promise<unknown>
  /** `EVALSHA`: runs a script that Redis has, by its SHA-1. `rest` are the keys, then the arguments. */
  evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown>
}

/** The packages `redis` and `@redis/client`, as far as they are used. */
export interface NodeRedisLike {
  /** `SCRIPT LOAD`: keeps a script in Redis. */
  scriptLoad(script: string): Promise<unknown>
  /** `EVALSHA`: runs a script that Redis has, by its SHA-1. */
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /** Put before all keys. Default: `dmicro:rate:`. */
  prefix?: string | undefined
}

const known = optionNames<RedisStoreOptions>({ prefix: true })

/**
 * A bucket in a hash, by the clock of Redis, so that clocks of the processes do not matter. A key expires when its
 * bucket would be full.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local rate = tonumber(ARGV[1]) / 1000
local burst = tonumber(ARGV[2])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(state[1]) or burst
local at = tonumber(state[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local granted = math.min(tonumber(ARGV[3]), math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.17g', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / rate) + 1000)
return { granted, granted > 0 and 0 or math.ceil((1 - tokens) / rate) }
`

/**
 * Shares the buckets of `rateLimit` through Redis 5 or newer.
 *
 * @param client a client of `ioredis`, `redis` or `@redis/client`, or any object with `evalScript`
 * @throws TypeError for another client or a bad option
 */
export function redisStore(client: ScriptClient | IoRedisLike | NodeRedisLike, options: RedisStoreOptions = {}): RateLimitStore {
  requireOptions('options', options, known)
  requireText('prefix', options.prefix)
  const { prefix = 'dmicro:rate:' } = options
  const run = runnerOf(client)
  return {
    async take(key, rate, burst, count): Promise<Grant> {
      const answer = await run([prefix + key], [String(rate), String(burst), String(count)])
      if (!Array.isArray(answer)) throw new TypeError('the script did not return a list')
      return { granted: Number(answer[0]), wait: Number(answer[1]) }
    },
  }
}

type Run = (keys: string[], args: string[]) => Promise<unknown>

function runnerOf(client: ScriptClient | IoRedisLike | NodeRedisLike): Run {
  const given = Object(client) as Partial<ScriptClient & IoRedisLike & NodeRedisLike>
  if (typeof given.evalScript === 'function') return (keys, args) => (client as ScriptClient).evalScript(SCRIPT, keys, args)
  const sha = nodeCrypto().createHash('sha1').update(SCRIPT).digest('hex')
  if (typeof given.defineCommand === 'function' && typeof given.evalsha === 'function') {
    const redis = client as IoRedisLike
    return (keys, args) =>
      loaded(
        () => redis.evalsha(sha, keys.length, ...keys, ...args),
        () => redis.script('LOAD', SCRIPT),
      )
  }
  if (typeof given.evalSha === 'function' && typeof given.scriptLoad === 'function') {
    const redis = client as NodeRedisLike
    return (keys, args) =>
      loaded(
        () => redis.evalSha(sha, { keys, arguments: args }),
        () => redis.scriptLoad(SCRIPT),
      )
  }
  throw new TypeError('redisStore needs a client of ioredis or redis, or an object with evalScript')
}

/** Runs the script by its hash, and loads it first where Redis does not have it yet. */
async function loaded(run: () => Promise<unknown>, load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    await load()
    return run()
  }
}
