import { loadNative } from '../../transports/native/addon.ts'
import type { ProcessAddon } from '../../transports/native/process-addon.ts'

/** The addon; undefined where there is none: then orphans are not reaped, and children call `listen` themselves. */
export function loadProcessAddon(): ProcessAddon | undefined {
  const loaded = loadNative()
  return 'addon' in loaded ? loaded.addon : undefined
}
