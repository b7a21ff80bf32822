import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Sampler } from '../../../src/base/sampler.ts'

const ASKED = 100_000

/** The same numbers in each run. */
function seeded(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function takenOf(sampler: Sampler): boolean[] {
  return Array.from({ length: ASKED }, () => sampler.takes())
}

describe('a sampler', () => {
  for (const share of [0.001, 0.01, 0.1, 0.5, 0.9])
    it(`takes ${share} of what it is asked about`, () => {
      const taken = takenOf(new Sampler(share, seeded())).filter(Boolean).length
      // Six standard deviations.
      assert.ok(Math.abs(taken - share * ASKED) < 6 * Math.sqrt(ASKED * share * (1 - share)), `${taken}`)
    })

  it('takes each with the same chance, also right after another', () => {
    const all = takenOf(new Sampler(0.3, seeded()))
    const next = all.filter((_, i) => i > 0 && all[i - 1])
    assert.ok(Math.abs(next.filter(Boolean).length / next.length - 0.3) < 0.02)
  })

  it('takes the same where each is first asked whether it is passed over', () => {
    const sampler = new Sampler(0.3, seeded())
    const taken = Array.from({ length: ASKED }, () => !sampler.passesOver() && sampler.takes())
    assert.deepEqual(taken, takenOf(new Sampler(0.3, seeded())))
  })

  it('takes all with 1 and none with 0, and draws no number for it', () => {
    const none = (): number => assert.fail('a number was drawn')
    assert.ok(takenOf(new Sampler(1, none)).every(Boolean))
    assert.ok(!takenOf(new Sampler(0, none)).some(Boolean))
  })

  it('draws a number for those that it takes, not for each', () => {
    let drawn = 0
    const random = seeded()
    const sampler = new Sampler(0.01, () => {
      drawn++
      return random()
    })
    const taken = takenOf(sampler).filter(Boolean).length
    assert.equal(drawn, taken + 1)
  })
})
