import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { transports } from '../support/helpers.ts'
import type { Job, Repeat, Repeated } from './fixtures/leaks.ts'
import { Child, limit, scaled, side } from './support.ts'

const MIB = 1 << 20

/** Short of what the promise is about, by how much they may be noise: code compiled late, and the collector's own pages. */
const HEAP_NOISE = 0.05
/** What comes once, which a short run cannot tell from a leak. */
const ONCE = scaled(6, 0) * MIB
const RSS_NOISE = 48 * MIB

/** What was done a million times leaves nothing behind (M6, M8). A step of `unanswered` is a thousand calls. */
const jobs: Record<string, { job: Job; count: number; warm: number; twice?: boolean }> = {
  'calls (M8)': { job: 'calls', warm: scaled(20_000, 100_000), count: scaled(30_000, 1_000_000) },
  'connections (M8)': { job: 'connects', warm: scaled(200, 5000), count: scaled(500, 100_000) },
  'handshakes that fail, refused, garbage and silent (M8)': { job: 'handshakes', warm: scaled(150, 10_000), count: scaled(300, 10_000) },
  'calls without a reply (M6)': { job: 'unanswered', warm: scaled(10, 200), count: scaled(30, 1000), twice: true },
}

describe('what is done very often leaves nothing behind', side, () => {
  for (const transport of transports)
    for (const [name, { job, warm, count, twice = false }] of Object.entries(jobs))
      it(`${name} (${transport})`, limit, async (t) => {
        const child = await Child.start(t, 'leaks.ts', { execArgv: ['--expose-gc'] })
        const { before, after, again, took } = await child.ask<Repeated>({
          do: job,
          transport,
          warm,
          count,
          growth: 1 + HEAP_NOISE,
          once: ONCE,
          twice,
        } satisfies Repeat)
        const mib = (bytes: number): string => (bytes / MIB).toFixed(1)
        t.diagnostic(
          `${count} in ${(took / 1000).toFixed(1)} s; MiB: heap ${mib(before.heap)} → ${mib(after.heap)}, external ${mib(before.external)} → ` +
            `${mib(after.external)}, rss ${mib(before.rss)} → ${mib(after.rss)}; descriptors ${before.descriptors} → ${after.descriptors}`,
        )
        assert.deepEqual(after.resources, before.resources)
        assert.equal(after.descriptors, before.descriptors)
        assert.ok(after.heap <= before.heap * (1 + HEAP_NOISE) + ONCE, `heap ${mib(before.heap)} → ${mib(after.heap)} MiB`)
        assert.ok(after.external <= before.external * 1.05 + MIB / 2, `external ${mib(before.external)} → ${mib(after.external)} MiB`)
        if (again === undefined) {
          assert.ok(after.rss <= before.rss + RSS_NOISE, `rss ${mib(before.rss)} → ${mib(after.rss)} MiB`)
          return
        }
        // V8 of Node.js 22 and later keeps pages of a heap that was large once. What leaks takes new ones each time.
        assert.deepEqual(again.resources, before.resources)
        assert.ok(again.heap <= before.heap * (1 + HEAP_NOISE) + ONCE, `heap ${mib(before.heap)} → ${mib(again.heap)} MiB after both`)
        assert.ok(
          again.external <= before.external * 1.05 + MIB / 2,
          `external ${mib(before.external)} → ${mib(again.external)} MiB after both`,
        )
        assert.ok(again.rss <= after.rss + RSS_NOISE, `rss ${mib(after.rss)} → ${mib(again.rss)} MiB in the second round`)
      })
})
