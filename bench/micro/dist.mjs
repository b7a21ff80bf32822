// The functions under test, from the compiled package. DMICRO_DIST names another build than the working tree's.
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))

/** The module `name` of src/, as dist has it. */
export const load = (name) => import(pathToFileURL(resolve(dist, `${name}.js`)).href)

/** The addon, or undefined where none runs: the native side is missing then. */
export async function loadAddon() {
  const loaded = (await load('native')).loadNative()
  if ('addon' in loaded) return loaded.addon
  process.stderr.write(`micro: no native side: ${loaded.reason}\n`)
  return undefined
}
