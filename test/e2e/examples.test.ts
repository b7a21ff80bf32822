import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

test('the example of a protocol of one’s own runs', { timeout: 20_000 }, async () => {
  const { stdout } = await run(process.execPath, ['examples/custom-protocol/lines.mjs'])
  assert.match(stdout, /\[1,2,3\] -> 6\n/)
  assert.match(stdout, /\/nothing -> 404 Not Found\n/)
})

test('the example of a plugin of one’s own runs', { timeout: 20_000 }, async () => {
  const { stdout } = await run(process.execPath, ['examples/plugin/counting.mjs'])
  assert.equal(stdout, 'call 1 -> hello ann\ncall 2 -> hello bob\nrefused -> 429 Too Many Requests (2 are enough)\n')
})

test('the example of a network that fails runs, and each run is the same', { timeout: 20_000 }, async () => {
  const [one, two] = [
    await run(process.execPath, ['examples/testing/flaky-network.mjs']),
    await run(process.execPath, ['examples/testing/flaky-network.mjs']),
  ]
  assert.match(one.stdout, /^[0-9]+ bought, [1-9][0-9]* unsure, [0-9]+ left after [0-9.]+ virtual seconds, /)
  assert.equal(two.stdout, one.stdout)
})
