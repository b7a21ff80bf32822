// Imports nothing of the package: the build leaves this file in its own place (scripts/build.mjs), which is how the
// package tells itself from a bundle.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Path of this file in a CommonJS bundle, which has no `import.meta`. */
declare const __filename: string | undefined

const file = thisFile()

/** Whether this code is part of a file that a bundler made: then the files of the package are not around it. */
export const bundled = !/[\\/](?:src|dist)[\\/]base[\\/]here\.[jt]s$/.test(file) || !existsSync(file)

/** The folder of the package, with a separator at its end. In a bundle, the parent of the bundle's folder. */
export const packageRoot = fileURLToPath(new URL('../..', pathToFileURL(file)))

/**
 * Finds modules as the package does. Bundlers do not follow it: `createRequire` imported by name would be webpack's,
 * which accepts only a literal argument.
 */
export const packageRequire = module.createRequire(file)

/** The file that contains this code: one of the package, or a bundle. */
function thisFile(): string {
  const url: string | undefined = import.meta.url
  if (url?.startsWith('file:')) return fileURLToPath(url)
  return resolve(typeof __filename === 'string' ? __filename : (process.argv[1] ?? process.execPath))
}
