import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRestartOptions } from '../../../src/dserver/restart/options.ts'

test('options of a restart have defaults, and each bad one is named', () => {
  const { signal, timeout, grace, drainTimeout, stopSignals, exit, go } = readRestartOptions({})
  assert.deepEqual([signal, timeout, grace, drainTimeout, stopSignals, exit, go], ['SIGUSR2', 30_000, 250, 15_000, true, true, false])
  const bad: Record<string, unknown> = {
    signal: 'USR2',
    timeout: 0,
    grace: -1,
    drainTimeout: Number.NaN,
    stop: 1,
    command: [],
    cwd: 5,
    exit: 'no',
    log: {},
    nope: 1,
  }
  for (const [name, value] of Object.entries(bad)) assert.throws(() => readRestartOptions({ [name]: value }), new RegExp(name), name)
  assert.throws(() => readRestartOptions({ go: true, stopSignals: false }), /stopSignals/)
})
