import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Crashes, Output } from './fixtures/supervisor.ts'
import { Child, limit, scaled } from './support.ts'

const MIB = 1 << 20

describe('a supervisor under load', () => {
  it('a child that crashes over and over: the back-off holds, and nothing grows', {
    timeout: scaled(limit.timeout, 590_000),
  }, async (t) => {
    const child = await Child.start(t, 'supervisor.ts', { execArgv: ['--expose-gc'] })
    const [warm, count, delay] = scaled([20, 100, 20], [100, 1_000, 400])
    const { cpu, took, before, after } = await child.ask<Crashes>({ do: 'crashes', warm, count, delay })
    t.diagnostic(`${count} crashes in ${(took / 1000).toFixed(1)} s, ${cpu.toFixed(2)} % of a core; ${JSON.stringify({ before, after })}`)
    assert.ok(took >= count * delay, `${took} ms for ${count} delays of ${delay} ms`)
    assert.ok(after.descriptors <= before.descriptors, `descriptors ${before.descriptors} → ${after.descriptors}`)
    assert.equal(after.children, before.children)
    assert.ok(after.heap <= before.heap * 1.05 + scaled(2, 0.5) * MIB, `heap ${before.heap} → ${after.heap}`)
    assert.ok(after.rss <= before.rss + 32 * MIB, `rss ${before.rss} → ${after.rss}`)
    // With the default back-off a child that crashes has a delay of up to 30 s.
    assert.ok(cpu <= scaled(50, 1), `${cpu} % of a core`)
  })

  it('100 MB/s of output with rotation: nothing is lost, and the loop is not held up', limit, async (t) => {
    const child = await Child.start(t, 'supervisor.ts')
    const megabytes = scaled(50, 1_000)
    const { bytes, wrong, files, delay, took } = await child.ask<Output>({ do: 'output', megabytes, maxBytes: scaled('10MB', '50MB') })
    t.diagnostic(`${(bytes / took / 1000).toFixed(0)} MB/s into ${files} files, loop delay at most ${delay.toFixed(1)} ms`)
    assert.equal(wrong, 0)
    assert.equal(bytes, megabytes * 1e6)
    assert.ok(files >= 4)
    assert.ok(delay <= scaled(500, 50), `${delay} ms`)
  })

  it('a full disk: told once, the child runs on, and the loss is noted when there is room', limit, async (t) => {
    const folder = fullDisk(t)
    if (folder === undefined) return t.skip('no mounts here')
    const child = await Child.start(t, 'supervisor.ts')
    const { failed, text, running } = await child.ask<{ failed: number; text: string; running: boolean }>({ do: 'full', folder })
    assert.equal(failed, 1)
    assert.ok(running)
    assert.match(text, /bytes of output were lost/)
  })
})

/** A file system of 8 MiB; undefined where none can be mounted. */
function fullDisk(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-full-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'dmicro-test', folder])
  t.after(() => {
    if (status === 0) spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return status === 0 ? folder : undefined
}
