import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CpuProfile, javaScriptShare } from '../../bench/profile.ts'

const names = ['(idle)', '(program)', 'handler', 'writev', '(garbage collector)']
const nodes = names.map((functionName, id) => ({ id, callFrame: { functionName, url: functionName === 'handler' ? 'file:///a.js' : '' } }))

/** A sample of 1 ms of each function named. */
const profile = (...functions: string[]): CpuProfile => ({
  nodes,
  samples: functions.map((name) => names.indexOf(name)),
  timeDeltas: functions.map(() => 1_000),
})
const times = (count: number, ...functions: string[]): string[] => Array.from({ length: count }, () => functions).flat()

test('JavaScript is what has a URL, and the collector; native functions and waiting are not', () => {
  const load = times(250, 'handler', 'writev', '(garbage collector)', '(program)')
  assert.ok(Math.abs(javaScriptShare(profile(...load), 1) - 0.5) < 0.02)
})

test('the start before the load and the wait after it do not count', () => {
  const start = times(2_000, 'handler')
  const load = times(250, 'handler', '(idle)', '(idle)', '(idle)')
  assert.ok(Math.abs(javaScriptShare(profile(...start, ...load, ...times(300, '(idle)')), 1) - 0.25) < 0.02)
})

test('a profile without JavaScript has none', () => {
  assert.equal(javaScriptShare(profile(...times(100, '(idle)')), 1), 0)
})
