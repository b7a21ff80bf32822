import { markOf } from '../base/mark.ts'
import type { Settings } from '../session/options.ts'

/** Key of an endpoint's settings, which users do not see. A symbol that every copy of this package finds. */
export const settingsMark: unique symbol = markOf('settings') as typeof settingsMark

/** The settings of an endpoint, complete and checked. */
export function settingsOf(endpoint: { readonly [settingsMark]: Settings }): Settings {
  return endpoint[settingsMark]
}
