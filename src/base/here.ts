import { existsSync } from 'node:fs'
import module from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { textOf } from './errors/error-text.ts'
import { Code, StatusError } from './errors/status.ts'

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

/**
 * A module of another package that is loaded when it is first needed, since many processes never need it. In a bundle
 * the module lies in a chunk that only `import` finds, asynchronously, so `listen` and `dial` load it before its first
 * use (`prepare`).
 */
export class Lazy<T> {
  readonly #name: string
  readonly #load: () => Promise<unknown>
  #module: T | undefined

  /**
   * @param name the argument of `require`
   * @param load an `import` of the same name, written out, so that bundlers follow it
   */
  constructor(name: string, load: () => Promise<unknown>) {
    this.#name = name
    this.#load = load
  }

  /**
   * The module, loaded on first use.
   * @throws StatusError 500 that names the package
   */
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

  /**
   * Loads the module, so that `module` also works in a bundle. Synchronous outside of a bundle.
   * @throws (rejects) StatusError 500 that names the package
   */
  async prepare(): Promise<void> {
    if (!bundled || this.#module !== undefined) {
      void this.module
      return
    }
    try {
      const found = (await this.#load()) as { default?: T }
      this.#module = found.default ?? (found as T)
    } catch (error) {
      // The chunk was left out of the bundle; the package may still be installed.
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
