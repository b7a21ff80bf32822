import { existsSync } from 'node:fs'
import module from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { textOf } from './errors/error-text.ts'
import { Code, StatusError } from './errors/status.ts'

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

/**
 * A module of another package that is loaded when it is first needed, since many processes never need it. In a bundle it lies in a part that only
 * `import` finds, which takes a moment: so it is loaded before that, by whoever can wait (`prepare`).
 */
export class Lazy<T> {
  readonly #name: string
  readonly #load: () => Promise<unknown>
  #module: T | undefined

  /** @param name for `require` @param load an `import` of the same name, written out, so that bundlers follow it */
  constructor(name: string, load: () => Promise<unknown>) {
    this.#name = name
    this.#load = load
  }

  /** @throws StatusError 500 that names the package */
  get module(): T {
    if (this.#module === undefined) {
      try {
        this.#module = packageRequire(this.#name) as T
      } catch (error) {
        throw this.#unable(error)
      }
    }
    return this.#module
  }

  /** Makes `module` work, in a bundle too; takes no time outside of one. @throws (rejects) StatusError 500 that names the package */
  async prepare(): Promise<void> {
    if (!bundled || this.#module !== undefined) {
      void this.module
      return
    }
    try {
      const found = (await this.#load()) as { default?: T }
      this.#module = found.default ?? (found as T)
    } catch (error) {
      // It was left out, and may be around.
      try {
        this.#module = packageRequire(this.#name) as T
      } catch {
        throw this.#unable(error)
      }
    }
  }

  #unable(error: unknown): StatusError {
    const text = textOf(error).split('\n', 1)[0]
    return new StatusError(Code.InternalServerError, undefined, `the module ${this.#name} does not load: ${text}`)
  }
}
