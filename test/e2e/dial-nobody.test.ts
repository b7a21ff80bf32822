import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onEachTransport } from '../support/helpers.ts'

const fixture = fileURLToPath(new URL('fixtures/dial-nobody.ts', import.meta.url))
const possible = process.platform === 'linux' && spawnSync('unshare', ['-n', 'ip', '-V'], { stdio: 'ignore' }).status === 0
const skip = possible ? false : 'needs network namespaces, and the right to make them'

onEachTransport('dialling where nobody listens', (transport) => {
  test('a port that the system connects with itself is refused, and free for its server', { skip }, () => {
    const child = spawnSync('unshare', ['-n', process.execPath, '--import', 'tsx', fixture, transport], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    assert.equal(child.status, 0, child.stderr)
    const { outcome, port } = JSON.parse(child.stdout)
    assert.match(outcome, /^105 .*ECONNREFUSED (tcp:\/\/)?127\.0\.0\.1:40000/)
    assert.equal(port, 'free')
  })
})
