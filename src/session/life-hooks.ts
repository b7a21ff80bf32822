import { reasonOf } from '../base/errors/error-text.ts'
import { runHooks } from '../hooks/hooks.ts'
import type { Settings } from './options.ts'

/** Runs the hooks of an endpoint and of its sessions' lives, each for at most `hookTimeout`. */
export class LifeHookRunner {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** In order; the first that fails stops them. */
  async run<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): Promise<void> {
    await runHooks(hooks === null ? null : hooks.map((hook) => () => hook(...args)), undefined, this.#settings.hookTimeout)
  }

  /** The same where a failure changes nothing. */
  runAndLog<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): Promise<void> {
    if (hooks === null) return Promise.resolve()
    return this.run(hooks, ...args).catch((error) => this.#settings.log.warn('a plugin failed', { error: reasonOf(error) }))
  }
}
