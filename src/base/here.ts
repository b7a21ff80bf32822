// Imports nothing of the package: the build leaves this file alone in its place (scripts/build.mjs), which is how the package tells itself from a bundle.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** In a bundle of CommonJS, which has no `import.meta`. */
declare const __filename: string | undefined

const file = thisFile()

/** This code is part of a file that a bundler made: the package is not around it. */
export const bundled = !/[\\/](?:src|dist)[\\/]base[\\/]here\.[jt]s$/.test(file) || !existsSync(file)

/** The folder of the package, with a separator at its end; of a bundle, the one above its folder. */
export const packageRoot = fileURLToPath(new URL('../..', pathToFileURL(file)))

/** Finds modules as the package does. Bundlers do not follow it: named by itself `createRequire` would be webpack's, which takes nothing but a text for its argument. */
export const packageRequire = module.createRequire(file)

/** The file that this code is in: one of the package, or a bundle. */
function thisFile(): string {
  const url: string | undefined = import.meta.url
  if (url?.startsWith('file:')) return fileURLToPath(url)
  return resolve(typeof __filename === 'string' ? __filename : (process.argv[1] ?? process.execPath))
}
