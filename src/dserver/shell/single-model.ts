import type { ProcessInfo, SandboxInfo } from '../ctl/commands.ts'
import type { SandboxRunner } from '../sandbox/runner.ts'
import type { Sandboxes } from '../sandbox/sandboxes.ts'
import { UnknownNameError } from '../sandbox/unknown-name.ts'
import type { Model } from './model.ts'

/** All sandboxes in this process. */
export class SingleModel implements Model {
  readonly #sandboxes: Sandboxes
  readonly #chosen: readonly SandboxRunner[]
  readonly #stopTimeout: number

  /** @param chosen sandboxes that start with the server, in order; others wait for an operator to start them */
  constructor(sandboxes: Sandboxes, chosen: readonly SandboxRunner[], stopTimeout: number) {
    this.#sandboxes = sandboxes
    this.#chosen = chosen
    this.#stopTimeout = stopTimeout
  }

  start(): Promise<void> {
    return this.#sandboxes.start(this.#chosen)
  }

  stop(timeout: number): Promise<unknown[]> {
    return this.#sandboxes.stop(this.#sandboxes.select([]), timeout)
  }

  async info(): Promise<SandboxInfo[]> {
    return this.#sandboxes.all().map(sandboxInfo)
  }

  async processes(): Promise<ProcessInfo[]> {
    return []
  }

  async startSandbox(name: string): Promise<void> {
    const runner = this.#find(name)
    if (runner.state === 'running') throw new Error(`sandbox ${runner.name} is running already`)
    await this.#sandboxes.start(this.#sandboxes.select([runner.name]))
  }

  async stopSandbox(name: string): Promise<void> {
    const runner = this.#find(name)
    if (runner.state !== 'running' && runner.state !== 'starting') throw new Error(`sandbox ${runner.name} is not running`)
    const users = this.#sandboxes.usersOf(runner).filter(({ state }) => state === 'running' || state === 'starting')
    if (users.length > 0) throw new Error(`sandbox ${runner.name} is needed by ${users.map((user) => user.name).join(', ')}`)
    await runner.stop(this.#stopTimeout)
  }

  #find(name: string): SandboxRunner {
    const runner = this.#sandboxes.find(name)
    if (runner === undefined) throw new UnknownNameError(`there is no sandbox ${JSON.stringify(name)}`)
    return runner
  }
}

/** A sandbox of this process, as `info` shows it. */
function sandboxInfo({ name, serviceName: service, state, description }: SandboxRunner): SandboxInfo {
  return { name, service, state, description, pid: state === 'stopped' || state === 'fatal' ? 0 : process.pid }
}
