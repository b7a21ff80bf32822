import { reasonOf } from '../base/errors/error-text.ts'
import { runHooks } from '../hooks/hooks.ts'
import type { Settings } from './options.ts'

/** Runs the hooks about an endpoint and the lives of its sessions, each for at most `hookTimeout`. */
export class LifeHookRunner {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Runs hooks in order; the first that fails stops the rest. */
  async run<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): Promise<void> {
    await runHooks(hooks === null ? null : hooks.map((hook) => () => hook(...args)), undefined, this.#settings.hookTimeout)
  }

  /** Runs hooks as `run`, where a failure is only logged. */
  runAndLog<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): Promise<void> {
    if (hooks === null) return Promise.resolve()
    return this.run(hooks, ...args).catch((error) => this.#settings.log.warn('a plugin failed', { error: reasonOf(error) }))
  }
}
