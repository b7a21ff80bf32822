import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { realClock } from '../../../src/base/time/clock.ts'
import { turnNow } from '../../../src/base/time/turn-now.ts'

describe('the time of a turn', () => {
  it('is read once for the code that runs now, and again in its microtasks and in the next turn', async () => {
    const now = turnNow(realClock)
    const first = now()
    const begun = realClock.now()
    while (realClock.now() - begun < 2);
    assert.equal(now(), first)
    await undefined
    const later = now()
    assert.ok(later >= first + 2, `${later - first}`)
    await new Promise(setImmediate)
    assert.ok(now() > later)
  })

  it('of a clock that is not the system’s is read each time', () => {
    let time = 0
    const now = turnNow({ ...realClock, now: () => time++ })
    assert.deepEqual([now(), now(), now()], [0, 1, 2])
  })
})
