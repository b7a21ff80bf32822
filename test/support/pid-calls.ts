import { Endpoint } from '../../src/index.ts'

/** A client that calls `/pid` all the time, and notes which processes answered and what failed. */
export class PidCalls {
  readonly failures: unknown[] = []
  /** Pids in the order in which they first answered. */
  readonly pids: number[] = []
  readonly #endpoint = new Endpoint({ log: false, timeout: 10_000 })
  #going = true
  #done: Promise<unknown>
  #onPid = (): void => {}

  /** @param workers number of connections that each make one call after the other */
  constructor(url: string, workers = 2) {
    this.#done = Promise.all(Array.from({ length: workers }, () => this.#work(url)))
  }

  /** Each turn connects, calls a few times and closes, so that both connections and calls meet a change of processes. */
  async #work(url: string): Promise<void> {
    while (this.#going) {
      try {
        const session = await this.#endpoint.dial(url)
        for (let i = 0; i < 5; i++) this.#answered(await session.call<number>('/pid', null, { idempotent: true }))
        await session.close()
      } catch (error) {
        this.failures.push(error)
        await new Promise(setImmediate)
      }
    }
  }

  #answered(pid: number): void {
    if (this.pids.includes(pid)) return
    this.pids.push(pid)
    this.#onPid()
  }

  /** Resolves when this many processes have answered. */
  async seen(count: number): Promise<void> {
    while (this.pids.length < count) {
      await new Promise<void>((resolve) => {
        this.#onPid = resolve
      })
    }
  }

  async end(): Promise<void> {
    this.#going = false
    await this.#done
    await this.#endpoint.close()
  }
}
