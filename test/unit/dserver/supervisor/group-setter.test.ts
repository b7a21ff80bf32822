import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { groupSetter } from '../../../../src/dserver/supervisor/group-setter.ts'

const identity = { uid: 7, gid: 8, groups: [9, 10], environment: {} }
const options = { skip: process.platform === 'win32' }

/** A program named setpriv, which notes each run in a file. */
function setpriv(t: TestContext, script: string): { program: string; runs: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-setpriv-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const program = join(folder, 'setpriv')
  const noted = join(folder, 'runs')
  appendFileSync(noted, '')
  writeFileSync(program, `#!/bin/sh\necho "$*" >> '${noted}'\n${script}\n`, { mode: 0o755 })
  return { program, runs: () => readFileSync(noted, 'utf8').split('\n').slice(0, -1) }
}

test('setpriv of util-linux is tried once, and sets user, group and groups', options, (t) => {
  const { program, runs } = setpriv(t, 'exit 0')
  const args = ['--reuid', '7', '--regid', '8', '--groups', '8,9,10', '--']
  for (let i = 0; i < 2; i++) assert.deepEqual(groupSetter(identity, program), { program, args })
  assert.deepEqual(runs(), [[...args, 'true'].join(' ')])
})

for (const [what, script, said] of [
  [
    'that does not know the options, as that of BusyBox',
    'echo "setpriv: unrecognized option \'--reuid\'" >&2; exit 1',
    /unrecognized option/,
  ],
  [
    'that may not set groups, as in a user namespace',
    'echo "setpriv: setgroups failed: Operation not permitted" >&2; exit 127',
    /setgroups failed/,
  ],
] as const)
  test(`a setpriv ${what}, is not used, and why is told`, options, (t) => {
    const { program, runs } = setpriv(t, script)
    for (let i = 0; i < 2; i++) assert.match((groupSetter(identity, program) as { reason: string }).reason, said)
    assert.equal(runs().length, 1)
  })

test('a setpriv that does not even run is not used', options, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-setpriv-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  assert.match((groupSetter(identity, join(folder, 'nothing')) as { reason: string }).reason, /cannot set them: .*ENOENT/)
})
