import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BASELINE, compareBars, verdict } from '../compare-bars.ts'
import { trials } from '../trials.ts'

test('a comparison with the baseline says whether each load has become as fast as it must', () => {
  const rate = (driver: string, ratio: number) => verdict(BASELINE, 'unary-object', driver, 'calls_per_second', ratio)
  assert.equal(rate('native', 1.5), '≥ 1.5 ×: yes')
  assert.equal(rate('native', 1.49), '≥ 1.5 ×: **NO**')
  assert.equal(rate('js', 1.2), '≥ 1.2 ×: yes')
  const cost = (trial: string, ratio: number) => verdict(`${BASELINE}9`, trial, 'native', 'server_cpu_us_per_call', ratio)
  assert.equal(cost('deep-object', 0.75), '≤ 0.75 ×: yes')
  assert.equal(cost('protocols@http-object', 0.667), '≤ 0.667 ×: **NO**')
  assert.equal(verdict(BASELINE, 'unary-64', 'js', 'calls_per_second', 0.97), '≥ 0.98 ×: **NO**')
})

test('a comparison with another commit, and what has no bar, says nothing', () => {
  assert.equal(verdict('1234567', 'unary-object', 'native', 'calls_per_second', 1), '')
  assert.equal(verdict(BASELINE, 'unary-object', 'native', 'server_cpu_us_per_call', 1), '')
})

test('every bar of a comparison names a trial with that driver', () => {
  for (const { trial, driver } of compareBars) {
    assert.ok(trials.find(({ id }) => id === trial)?.drivers.includes(driver), `${trial} ${driver}`)
  }
})
