import { requireObject, shown } from '../base/check-options.ts'
import { hookNames } from './hook-names.ts'

const known: ReadonlySet<string> = new Set(hookNames)
/** How the names of hooks begin, also in Go's spelling. A plugin may have methods of its own with other names. */
const looksLikeHook = /^(?:before|after)(?:New|Close|Reg|Listen|Dial|Accept|Disconnect|Read|Write)/i

/**
 * Checks a plugin. A function whose name looks like that of a hook, but is none, is refused: it would never run.
 *
 * @throws TypeError
 */
export function checkPlugin(plugin: { readonly name: string }): void {
  requireObject('a plugin', plugin)
  const { name } = plugin
  if (typeof name !== 'string' || name === '') throw new TypeError(`a plugin must have a name, got ${shown(name)}`)
  const members = plugin as unknown as Record<string, unknown>
  for (const hook of hookNames) {
    if (members[hook] !== undefined && typeof members[hook] !== 'function')
      throw new TypeError(`plugin ${JSON.stringify(name)}: ${hook} must be a function, got ${shown(members[hook])}`)
  }
  for (let at: object | null = plugin; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const member of Object.getOwnPropertyNames(at)) {
      if (looksLikeHook.test(member) && !known.has(member) && typeof members[member] === 'function')
        throw new TypeError(`plugin ${JSON.stringify(name)}: no hook is named ${member}`)
    }
  }
}
