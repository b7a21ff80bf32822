import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Kind, onEachTransport } from '../support/helpers.ts'
import { gone, Restarting, type Serving } from '../support/restarting.ts'
import { CALLS_PER_SECOND, CONNECTS_PER_SECOND, SteadyLoad } from './steady-load.ts'
import { scaled } from './support.ts'

const RESTARTS = scaled(5, 50)
/** Milliseconds in which a new process of the second test must be ready. */
const TIMEOUT = scaled(2000, 5000)

async function started(t: TestContext, transport: Kind, options: { timeout?: number; fault?: string } = {}) {
  const app = new Restarting(t, { transport, urls: ['tcp://127.0.0.1:0'], timeout: 60_000, ...options })
  const first = await app.serving()
  return { app, first, load: await SteadyLoad.start(t, transport, first.urls[0]) }
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
