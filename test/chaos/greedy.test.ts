import assert from 'node:assert/strict'
import { it } from 'node:test'
import { onEachTransport } from '../support/helpers.ts'
import { plant, show } from './load/processes.ts'
import { long, scaled } from './support.ts'

const SESSIONS = 20
const seconds = scaled(1, 60)
/** Of its share each of the others keeps: the bar, and what noise of a busy machine may leave of it in the short form. */
const kept = long ? 0.9 : 0.3

onEachTransport('greedy', (transport) => {
  for (const kind of ['burn', 'wait'] as const) {
    it(`${kind}: one session that asks for ten times its share leaves the others theirs (L2)`, async (t) => {
      const { run, look } = await plant(t, transport, kind, SESSIONS)
      await run({ inFlight: 40, seconds: scaled(0.5, 1) }) // warm up
      const peak = await run({ inFlight: 40, seconds: scaled(0.5, 5) })
      t.diagnostic(show('peak', peak))
      const share = peak.goodput / SESSIONS
      const loaded = await run({ rates: Array.from({ length: SESSIONS }, (_, n) => (n === 0 ? 10 * share : share)), seconds })
      // In the short form what the server did then counts: a machine that does other things may have been faster a moment before.
      const fair = long ? share : Math.min(share, loaded.goodput / SESSIONS)
      const [greedy, ...others] = loaded.okBySession.map((ok) => ok / loaded.seconds / fair)
      t.diagnostic(show('loaded', loaded))
      t.diagnostic(
        `of their share: greedy ${greedy.toFixed(2)}, others ${Math.min(...others).toFixed(3)} to ${Math.max(...others).toFixed(3)}`,
      )
      t.diagnostic(JSON.stringify((await look()).load))
      assert.equal(loaded.failed, 0, 'every call is answered or refused')
      if (long) assert.ok(loaded.refused > 0, 'more than it can do was asked')
      assert.ok(Math.min(...others) >= kept, `one of the others got ${Math.min(...others)} of its share`)
      if (long) assert.ok(greedy < 5, `the greedy one got ${greedy} times its share`)
    })
  }
})
