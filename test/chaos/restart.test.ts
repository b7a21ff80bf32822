import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Endpoint, Session } from '../../src/index.ts'
import { endpoint, type Kind, onEachTransport } from '../support/helpers.ts'
import { gone, Restarting, type Serving } from '../support/restarting.ts'
import { scaled } from './support.ts'

const RESTARTS = scaled(5, 50)
const CALLS_PER_SECOND = scaled(1000, 5000)
const CONNECTS_PER_SECOND = scaled(50, 200)
/** Sessions over which the calls are spread. */
const SESSIONS = 8
/** Milliseconds in which a new process of the second test must be ready. */
const TIMEOUT = scaled(2000, 5000)

/** Calls on sessions that redial, and connections that make one call each and redial nothing, at fixed rates. */
class Load {
  readonly failures: string[] = []
  calls = 0
  connects = 0
  readonly #open = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  constructor(client: Endpoint, url: string, sessions: readonly Session[]) {
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

async function started(t: TestContext, transport: Kind, options: { timeout?: number; fault?: string } = {}) {
  const app = new Restarting(t, { transport, urls: ['tcp://127.0.0.1:0'], timeout: 60_000, ...options })
  const first = await app.serving()
  const client = endpoint(t, {
    transport,
    protocol: 'raw',
    redial: { minDelay: 5, maxDelay: 100 },
    timeout: 30_000,
    closeTimeout: 20_000,
    limits: { maxRunning: 100_000 }, // what waits while a busy machine starts a process must have room
  })
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => client.dial(first.urls[0])))
  return { app, first, load: new Load(client, first.urls[0], sessions) }
}

onEachTransport(`${CALLS_PER_SECOND} calls and ${CONNECTS_PER_SECOND} connects a second`, (transport) => {
  test(`none fails while the process is restarted ${RESTARTS} times`, { timeout: 600_000 }, async (t) => {
    const { app, first, load } = await started(t, transport)
    let now: Serving = first
    for (let i = 0; i < RESTARTS; i++) {
      process.kill(now.pid, 'SIGUSR2')
      const before = now
      now = await app.serving()
      await gone(before.pid)
      assert.deepEqual(app.errors, [])
    }
    await load.stop()
    load.assertNoFailure()
    t.diagnostic(`${load.calls} calls, ${load.connects} connects`)
  })

  test('none fails where the new process crashes, throws, hangs or is never ready', { timeout: 120_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-restart-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const fault = join(folder, 'fault')
    writeFileSync(fault, '')
    const { app, first, load } = await started(t, transport, { timeout: TIMEOUT, fault })
    const late = new RegExp(`not ready within ${TIMEOUT} ms`)
    for (const [name, reason] of Object.entries({ crash: /SIGKILL/, throw: /exit code 1/, hang: late, late })) {
      writeFileSync(fault, name)
      const failed = app.failed()
      const asked = performance.now()
      process.kill(first.pid, 'SIGUSR2')
      await failed
      assert.ok(performance.now() - asked < TIMEOUT + 1000, `it took ${performance.now() - asked} ms to say so`)
      // On a busy machine even a process that would fail at once may be late.
      if (!late.test(app.errors.at(-1) as string)) assert.match(app.errors.at(-1) as string, reason)
    }
    await load.stop()
    load.assertNoFailure()
  })
})
