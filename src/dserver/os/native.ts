import { loadNative } from '../../transports/native/addon.ts'
import type { OsAddon } from '../../transports/native/os-addon.ts'

/** Functions of the system in the C++ addon; undefined where it does not run. */
export function osAddon(): OsAddon | undefined {
  const loaded = loadNative()
  return 'addon' in loaded ? loaded.addon : undefined
}
