// Stands in for `hooks/plugin.ts`, `endpoint/hooked-dispatch.ts` and `session/hooked-calls.ts`: plugins of a page have
// the hooks of an endpoint's life and of dialling, none of messages.
import { StatusError } from '../../base/errors/status.ts'
import { hookNames } from '../../hooks/hook-names.ts'

const there = /^(?:(?:before|after)(?:New|Close)Endpoint|afterRegRouter|beforeDial|afterDial|afterDialFail|afterDisconnect)$/

type Plugin = { readonly name: string } & Readonly<Record<string, unknown>>
type Hook = (...args: unknown[]) => unknown

export class PluginContainer {
  readonly hooks: Record<string, unknown> = { callsIn: false, pushesIn: false, repliesIn: false, callsOut: false, pushesOut: false }
  readonly all: readonly Plugin[]

  constructor(own: readonly Plugin[] = [], parent?: PluginContainer) {
    this.all = [...(parent?.all ?? []), ...own]
    for (const plugin of own) {
      if (typeof plugin?.name !== 'string' || plugin.name === '') throw new TypeError('a plugin must have a name')
    }
    for (const name of hookNames) {
      const list = this.all.filter((plugin) => typeof plugin[name] === 'function')
      if (list.length > 0 && !there.test(name)) throw new StatusError(1, undefined, `hook ${name} is not there in pages`)
      this.hooks[name] = list.length === 0 ? null : list.map((plugin) => (plugin[name] as Hook).bind(plugin))
    }
  }
}

export class HookedDispatch {}
export class HookedCalls {}
export class HookedCall {}
