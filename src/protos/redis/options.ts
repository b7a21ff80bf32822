import { requireOptions } from '../../base/check-options.ts'

/** Options of `redis`. */
export interface RedisOptions {
  /**
   * Prefix of the lower-case command in the service method: by default `GET` reaches `/redis/get`, as with Go's
   * companion plugin. '' leaves the command exactly as it was sent, as in Go without the plugin. Default: '/redis/'.
   */
  prefix?: string | undefined
}

const known: ReadonlySet<string> = new Set(['prefix'])

/**
 * Checks the options, and returns the prefix.
 *
 * @throws TypeError for bad options
 */
export function readRedisOptions(options: RedisOptions): string {
  requireOptions('options', options, known)
  const { prefix = '/redis/' } = options
  if (typeof prefix !== 'string') throw new TypeError(`option prefix must be a string, got ${typeof prefix}`)
  return prefix
}
