import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Path of this file in a CommonJS bundle, which has no `import.meta`. */
declare const __filename: string | undefined

const file = thisFile()
const isSource = /[\\/]src[\\/]base[\\/]here\.ts$/.test(file)

/**
 * Whether this code is part of a file that a bundler made: then the files of the package are not around it. A file of
 * dist/ that nothing imports, so that no bundler takes it along, tells the two apart (scripts/build.mjs).
 */
export const bundled = !existsSync(isSource ? file : fileURLToPath(new URL('base/here.js', pathToFileURL(file))))

/** The folder of the package, with a separator at its end. In a bundle, the parent of the bundle's folder. */
export const packageRoot = fileURLToPath(new URL(isSource ? '../..' : '..', pathToFileURL(file)))

let find: NodeJS.Require | undefined

/**
 * Loads a module that is found from the package. Bundlers do not follow it: `createRequire` imported by name would be
 * webpack's, which accepts only a literal argument.
 */
export function packageRequire(name: string): unknown {
  find ??= process.getBuiltinModule('node:module').createRequire(file)
  return find(name)
}

/** The file that contains this code: one of the package, or a bundle. */
function thisFile(): string {
  const url: string | undefined = import.meta.url
  if (url?.startsWith('file:')) return fileURLToPath(url)
  return resolve(typeof __filename === 'string' ? __filename : (process.argv[1] ?? process.execPath))
}
