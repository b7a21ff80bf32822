/** A module of this package that is loaded when it is first needed, since most processes never need it. Whoever needs it can wait. */
export class Deferred<T> {
  readonly #load: () => Promise<T>
  #module: T | undefined

  /** @param load an `import`, written out, so that bundlers follow it */
  constructor(load: () => Promise<T>) {
    this.#load = load
  }

  async load(): Promise<T> {
    this.#module ??= await this.#load()
    return this.#module
  }

  /** From here on `load` takes no time. */
  provide(module: T): void {
    this.#module ??= module
  }
}
