import { textOf } from './errors/error-text.ts'
import { Code, StatusError } from './errors/status.ts'
import { bundled, packageRequire } from './here.ts'

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
