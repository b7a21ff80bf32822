import { requireOptions } from '../../base/check-options.ts'

export interface RedisOptions {
  /**
   * Stands before the lower-case command in the service method: `GET` goes to `/redis/get` by default, as with Go's companion plugin. '':
   * the command exactly as it came, as in Go without the plugin.
   */
  prefix?: string | undefined
}

const known: ReadonlySet<string> = new Set(['prefix'])

/** The prefix. @throws TypeError for bad options */
export function readRedisOptions(options: RedisOptions): string {
  requireOptions('options', options, known)
  const { prefix = '/redis/' } = options
  if (typeof prefix !== 'string') throw new TypeError(`option prefix must be a string, got ${typeof prefix}`)
  return prefix
}
