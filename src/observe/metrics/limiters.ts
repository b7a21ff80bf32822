import { describe } from '../../base/errors/error-text.ts'
import type { Logger } from '../../base/log.ts'
import type { Endpoint } from '../../endpoint/endpoint.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import { counter, type Family, gauge } from './family.ts'
import { Labels } from './labels.ts'
import type { Show } from './services.ts'

/** Counts of a plugin, such as a rate limit or a bulkhead, when it was read. */
export interface LimiterCounts {
  readonly plugin: Plugin
  /** Counts that are whole numbers. */
  readonly counts: readonly [name: string, count: number][]
  readonly running: unknown
  readonly queued: unknown
  readonly keys: unknown
}

/** Most counts of one plugin that are shown, because a plugin of the user's may have any. */
const MAX_COUNTS = 32

const messages = counter('dmicro_limiter_messages_total', 'Messages that plugins with limits counted, by what became of them.')
const running = gauge('dmicro_limiter_running', 'Messages that a bulkhead has let pass and that have not ended.')
const queued = gauge('dmicro_limiter_queued', 'Messages that wait for their place in a bulkhead.')
const keys = gauge('dmicro_limiter_keys', 'Keys that a rate limit keeps.')

/** In the order of a page. */
export const limiterFamilies: readonly Family[] = [messages, running, queued, keys]

/** Plugins that could not be read, which is logged once. */
const unreadable = new WeakSet<Plugin>()

/** Reads the plugins of an endpoint, its groups and its routes that count. */
export function* countingPlugins({ plugins, log }: Endpoint): Generator<LimiterCounts, void> {
  const seen = new Set<Plugin>()
  for (const container of plugins.sides.containers) {
    for (const plugin of container.all) {
      if (seen.has(plugin)) continue
      seen.add(plugin)
      const counts = read(plugin, log)
      if (counts !== undefined) yield counts
    }
  }
}

/** @returns undefined for a plugin that does not count, and for one whose getters throw, which may be the user's */
function read(plugin: Plugin, log: Logger): LimiterCounts | undefined {
  try {
    const { stats, running, queued, keys } = plugin as Plugin & { stats?: unknown } & Partial<LimiterCounts>
    if (typeof stats !== 'object' || stats === null) return undefined
    const all = Object.entries(stats).slice(0, MAX_COUNTS)
    const counts = all.filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] >= 0)
    return { plugin, counts, running, queued, keys }
  } catch (error) {
    if (!unreadable.has(plugin)) log.error('the counts of a plugin cannot be read', { plugin: plugin.name, error: describe(error) })
    unreadable.add(plugin)
    return undefined
  }
}

/** Shows the counts of a plugin, less those `before`. */
export function showLimiter(read: LimiterCounts, name: string, before: ReadonlyMap<string, number> | undefined, show: Show): void {
  const own = new Labels({ name, limiter: read.plugin.name })
  for (const [result, count] of read.counts) show(messages, own.and('result', labelOf(result)), count - (before?.get(result) ?? 0))
  for (const [family, value] of [
    [running, read.running],
    [queued, read.queued],
    [keys, read.keys],
  ] as const)
    if (Number.isSafeInteger(value)) show(family, own, value as number)
}

/** `wouldRefuse` as the value of a label. */
function labelOf(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
}
