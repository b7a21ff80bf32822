import { loadNative } from '../../transports/native/addon.ts'
import type { OsAddon } from '../../transports/native/os-addon.ts'

/** Functions of the operating system that Node.js lacks; undefined where the native addon does not run. */
export function osAddon(): OsAddon | undefined {
  const loaded = loadNative()
  return 'reason' in loaded ? undefined : loaded.addon
}
