import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** In a bundle of CommonJS, which has no `import.meta`. */
declare const __filename: string | undefined

/** The file that this code is in: one of the package, or a bundle. */
function file(): string {
  const url: string | undefined = import.meta.url
  if (url !== undefined) return fileURLToPath(url)
  return typeof __filename === 'string' ? __filename : process.argv[1]
}

/** The folder of the package, with a separator at its end. Of a bundle, the one above it, where nothing of the package need be. */
export function packageRoot(): string {
  return fileURLToPath(new URL('..', pathToFileURL(file())))
}

/** Finds modules as the package does. Bundlers do not follow it. */
export function packageRequire(): NodeJS.Require {
  return createRequire(file())
}
