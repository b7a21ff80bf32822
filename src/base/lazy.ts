import { textOf } from './errors/error-text.ts'
import { Code, StatusError } from './errors/status.ts'
import { bundled, packageRequire } from './here.ts'

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
