import type { Logger } from '../../base/log.ts'
import { realClock } from '../../base/time/clock.ts'
import { withDependencies } from '../dependencies.ts'
import { startOrder } from './order.ts'
import { SandboxRunner } from './runner.ts'
import type { Sandbox } from './sandbox.ts'
import { UnknownNameError } from './unknown-name.ts'

/** Least milliseconds that a sandbox gets to shut down, also when others before it have used up the time. */
const MIN_SHUTDOWN_MS = 1000

/** All sandboxes of an application, those of other processes included, which do not start here. */
export class Sandboxes {
  readonly #runners = new Map<string, SandboxRunner>()

  /**
   * @throws TypeError for a bad name; Error for one that is taken: names are told apart without regard to case
   */
  add(sandbox: Sandbox, serviceName: string, log: Logger, setupTimeout: number): void {
    const { name } = sandbox
    if (typeof name !== 'string' || !/^[\w.:-]{1,64}$/.test(name))
      throw new TypeError(`the name of a sandbox must be 1 to 64 letters, digits or one of _.:- , got ${JSON.stringify(name)}`)
    if (this.find(name) !== undefined) throw new Error(`two sandboxes are named ${name}`)
    this.#runners.set(name.toLowerCase(), new SandboxRunner(sandbox, serviceName, log, setupTimeout))
  }

  find(name: string): SandboxRunner | undefined {
    return this.#runners.get(name.toLowerCase())
  }

  all(): SandboxRunner[] {
    return [...this.#runners.values()]
  }

  /**
   * The sandboxes with these names and all that they depend on; all when there are no names.
   * @throws Error for an unknown name, or dependencies that cannot be
   */
  select(names: readonly string[]): SandboxRunner[] {
    const dependents = this.#dependents()
    const order = startOrder(dependents)
    const chosen = names.map((name) => {
      const runner = this.find(name)
      if (runner === undefined)
        throw new UnknownNameError(`there is no sandbox ${JSON.stringify(name)}; there are: ${order.join(', ') || 'none'}`)
      return runner.name
    })
    const wanted = names.length === 0 ? new Set(order) : withDependencies(dependents, chosen)
    return order.filter((name) => wanted.has(name)).map((name) => this.find(name)!)
  }

  /**
   * Starts sandboxes, each once what it depends on is ready, and those that do not depend on each other at once.
   * @throws (rejects) the first failure of one that is not optional, at once; the others go on
   */
  async start(chosen: readonly SandboxRunner[]): Promise<void> {
    const started = new Map<string, Promise<void>>()
    for (const runner of chosen) {
      const before = this.#dependencies(runner).flatMap((name) => started.get(name) ?? [])
      const start = Promise.all(before).then(() => runner.start())
      // The failure of an optional one concerns those that need it.
      start.catch(() => {})
      started.set(runner.name, start)
    }
    await Promise.all(chosen.filter(({ sandbox }) => !sandbox.optional).map(({ name }) => started.get(name)))
    await Promise.allSettled(started.values())
  }

  /**
   * Stops sandboxes, each after those that depend on it. All are stopped, whatever one does.
   * @param timeout milliseconds for all of them
   * @returns the failures
   */
  async stop(chosen: readonly SandboxRunner[], timeout: number): Promise<unknown[]> {
    const end = realClock.now() + timeout
    const failures: unknown[] = []
    const stopped = new Map<string, Promise<void>>()
    for (const runner of chosen.toReversed()) {
      const after = chosen.filter((other) => this.#dependencies(other).includes(runner.name)).flatMap(({ name }) => stopped.get(name) ?? [])
      const left = (): number => Math.ceil(Math.max(end - realClock.now(), Math.min(timeout, MIN_SHUTDOWN_MS)))
      const stop = Promise.all(after).then(() => runner.stop(left()))
      stopped.set(
        runner.name,
        stop.catch((error) => void failures.push(error)),
      )
    }
    await Promise.all(stopped.values())
    return failures
  }

  /** The sandboxes that depend on this one. */
  usersOf({ name }: SandboxRunner): SandboxRunner[] {
    return this.all().filter((other) => this.#dependencies(other).includes(name))
  }

  #dependencies(runner: SandboxRunner): string[] {
    return runner.sandbox.dependsOn.map((name) => this.find(name)?.name ?? name)
  }

  #dependents(): { name: string; dependsOn: string[] }[] {
    return this.all().map((runner) => ({ name: runner.name, dependsOn: this.#dependencies(runner) }))
  }
}
