import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Endpoint, Session } from '../../src/index.ts'
import { endpoint, type Kind } from '../support/helpers.ts'
import { scaled } from './support.ts'

export const CALLS_PER_SECOND = scaled(1000, 5000)
export const CONNECTS_PER_SECOND = scaled(50, 200)
/** Sessions over which the calls are spread. */
const SESSIONS = 8

/** Calls on sessions that redial, and connections that make one call each and redial nothing, at fixed rates. */
export class SteadyLoad {
  readonly failures: string[] = []
  calls = 0
  connects = 0
  readonly #open = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  /** Begins once all sessions are there. */
  static async start(t: TestContext, transport: Kind, url: string): Promise<SteadyLoad> {
    const client = endpoint(t, {
      transport,
      protocol: 'raw',
      redial: { minDelay: 5, maxDelay: 100 },
      timeout: 30_000,
      closeTimeout: 20_000,
      limits: { maxRunning: 100_000 }, // what waits while a busy machine starts a process must have room
    })
    const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => client.dial(url)))
    return new SteadyLoad(client, url, sessions)
  }

  private constructor(client: Endpoint, url: string, sessions: readonly Session[]) {
    const start = performance.now()
    this.#timer = setInterval(() => {
      const seconds = (performance.now() - start) / 1000
      // An open loop: what is due is made, however slow the server is.
      for (const due = seconds * CALLS_PER_SECOND; this.calls < due; this.calls++) {
        const session = sessions[this.calls % sessions.length]
        const state = session.state
        this.#run(`call while ${state}`, session.call('/pid'))
      }
      for (const due = seconds * CONNECTS_PER_SECOND; this.connects < due; this.connects++) this.#run('connect', connectOnce(client, url))
    }, 2)
  }

  #run(what: string, work: Promise<unknown>): void {
    const done = work.then(
      () => {},
      (error) => void this.failures.push(`${what}: ${error} (${error.cause})`),
    )
    this.#open.add(done)
    void done.then(() => this.#open.delete(done))
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
  }

  assertNoFailure(): void {
    assert.deepEqual(this.failures.slice(0, 10), [], `${this.failures.length} of ${this.calls} calls and ${this.connects} connects failed`)
  }
}

async function connectOnce(client: Endpoint, url: string): Promise<void> {
  const session = await client.dial(url, { redial: false })
  await session.call('/pid')
  await session.close()
}
