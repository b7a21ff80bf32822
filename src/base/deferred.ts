/**
 * A module of this package that is loaded on first use, because most processes never need it. Its users must be able to
 * wait for it.
 */
export class Deferred<T> {
  readonly #load: () => Promise<T>
  #module: T | undefined

  /**
   * @param load an `import`, written out, so that bundlers follow it
   */
  constructor(load: () => Promise<T>) {
    this.#load = load
  }

  /** Resolves to the module, which the first call loads. */
  async load(): Promise<T> {
    this.#module ??= await this.#load()
    return this.#module
  }

  /** The module. Requires that it is loaded. */
  get module(): T {
    return this.#module as T
  }

  /** Sets the module, so that `load` has nothing to load. */
  provide(module: T): void {
    this.#module ??= module
  }
}
