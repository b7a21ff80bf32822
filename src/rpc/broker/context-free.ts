import { AsyncResource } from 'node:async_hooks'
import { markOf } from '../../base/mark.ts'
import type { HookList, WriteContext } from '../../hooks/hooks.ts'
import type { Plugin, PluginContainer } from '../../hooks/plugin.ts'

/**
 * Property of plugins whose hooks of sent calls run the same in any async context. A call that may be made again need
 * not keep its caller's context for them, which costs a tenth of the call.
 */
export const contextFree: unique symbol = markOf('contextFree') as typeof contextFree

type ContextFree = Plugin & { readonly [contextFree]?: boolean }

/** The async context of the caller, in which a later attempt runs. */
export function contextOfCaller(): AsyncResource {
  return new AsyncResource('dmicro')
}

/** Tells whether hooks of sent calls need the async context of the caller. */
export class ContextNeed {
  readonly #plugins: PluginContainer
  /** The hooks for which `#seeing` holds: they are compiled anew when plugins change. */
  #before: HookList<WriteContext> = null
  #after: HookList<WriteContext> = null
  #seeing: readonly ContextFree[] = []

  constructor(plugins: PluginContainer) {
    this.#plugins = plugins
  }

  get isThere(): boolean {
    const { hooks } = this.#plugins
    if (!hooks.callsOut) return false
    if (hooks.beforeWriteCall !== this.#before || hooks.afterWriteCall !== this.#after) {
      this.#before = hooks.beforeWriteCall
      this.#after = hooks.afterWriteCall
      this.#seeing = this.#plugins.all.filter(({ beforeWriteCall, afterWriteCall }) => beforeWriteCall ?? afterWriteCall)
    }
    return !this.#seeing.every((plugin) => plugin[contextFree])
  }
}
