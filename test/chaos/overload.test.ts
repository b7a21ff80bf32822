import assert from 'node:assert/strict'
import { it } from 'node:test'
import { onEachTransport } from '../support/helpers.ts'
import { type Outcome, plant, show } from './load/processes.ts'
import { long } from './support.ts'

const SESSIONS = 16
const seconds = long ? 60 : 2
/** The second that decides whether things are normal again: in the long form the sixth, as the bar has it. */
const calm = long ? 7 : 2

/** Goodput against the peak, at so many times the capacity: the bar, and what noise of a busy machine may leave of it in the short form. */
const bars = [
  { times: 2, bar: 0.9, atLeast: 0.3 },
  { times: 5, bar: 0.8, atLeast: 0.3 },
]

onEachTransport('overload', (transport) => {
  for (const kind of ['burn', 'wait'] as const) {
    it(`${kind}: goodput holds at 2 and 5 times the capacity, refusals are quick, and it is over when the load is (L1)`, async (t) => {
      const { run, look } = await plant(t, transport, kind, SESSIONS)
      const evenly = (total: number): number[] => Array.from({ length: SESSIONS }, () => total / SESSIONS)
      await run({ inFlight: 32, seconds: 1 }) // warm up
      const peak = await run({ inFlight: 32, seconds: long ? 5 : 1 })
      t.diagnostic(show('peak', peak))
      for (const { times, bar, atLeast } of bars) {
        const loaded = await run({ rates: evenly(peak.goodput * times), seconds })
        t.diagnostic(`${show(`${times}x`, loaded)}; ${((loaded.goodput / peak.goodput) * 100).toFixed(1)} % of peak`)
        t.diagnostic(JSON.stringify((await look()).load))
        const after = await run({ rates: evenly(peak.goodput / 2), seconds: calm })
        t.diagnostic(show('after', after))
        assert.equal(loaded.failed, 0, 'every call is answered or refused')
        assert.equal(loaded.hinted, loaded.refused, 'every refusal says when to try again')
        if (long) assert.ok(loaded.refused > 0, 'more than it can do was asked')
        assert.ok(loaded.goodput >= peak.goodput * (long ? bar : atLeast), `goodput at ${times}x: ${loaded.goodput} of ${peak.goodput}`)
        assert.equal(after.failed, 0, 'all is answered afterwards')
        const refusedLate = lastSecond(after)
        if (long) assert.equal(refusedLate, 0, `${refusedLate} calls of the last second were refused at half the load`)
        if (long) assert.ok(loaded.refusal.p99 <= 5, `refusals took ${loaded.refusal.p99} ms`)
      }
    })
  }
})

function lastSecond({ bins }: Outcome): number {
  return bins.slice(-11).reduce((sum, { refused }) => sum + refused, 0)
}
