import type { Endpoint } from '../../endpoint/endpoint.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import { counter, type Family, gauge } from './family.ts'
import { Labels } from './labels.ts'
import type { Show } from './services.ts'

/** A plugin that counts, such as a rate limit or a bulkhead. */
export interface CountingPlugin extends Plugin {
  readonly stats: object
  readonly running?: unknown
  readonly queued?: unknown
  readonly keys?: unknown
}

/** Most counts of one plugin that are shown, because a plugin of the user's may have any. */
const MAX_COUNTS = 32

const messages = counter('dmicro_limiter_messages_total', 'Messages that plugins with limits counted, by what became of them.')
const running = gauge('dmicro_limiter_running', 'Messages that a bulkhead has let pass and that have not ended.')
const queued = gauge('dmicro_limiter_queued', 'Messages that wait for their place in a bulkhead.')
const keys = gauge('dmicro_limiter_keys', 'Keys that a rate limit keeps.')

/** In the order of a page. */
export const limiterFamilies: readonly Family[] = [messages, running, queued, keys]

/** The plugins of an endpoint, its groups and its routes that count. */
export function* countingPlugins({ plugins }: Endpoint): Generator<CountingPlugin, void> {
  const seen = new Set<Plugin>()
  for (const container of plugins.sides.containers) {
    for (const plugin of container.all) {
      if (seen.has(plugin)) continue
      seen.add(plugin)
      const { stats } = plugin as Partial<CountingPlugin>
      if (typeof stats === 'object' && stats !== null) yield plugin as CountingPlugin
    }
  }
}

/** The counts of a plugin that are whole numbers. */
export function countsOf({ stats }: CountingPlugin): [string, number][] {
  const all = Object.entries(stats).slice(0, MAX_COUNTS)
  return all.filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] >= 0)
}

/** Shows the counts of a plugin, less those `before`. */
export function showLimiter(plugin: CountingPlugin, name: string, before: ReadonlyMap<string, number> | undefined, show: Show): void {
  const own = new Labels({ name, limiter: plugin.name })
  for (const [result, count] of countsOf(plugin)) show(messages, own.and('result', labelOf(result)), count - (before?.get(result) ?? 0))
  for (const [family, value] of [
    [running, plugin.running],
    [queued, plugin.queued],
    [keys, plugin.keys],
  ] as const)
    if (Number.isSafeInteger(value)) show(family, own, value as number)
}

/** `wouldRefuse` as the value of a label. */
function labelOf(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
}
