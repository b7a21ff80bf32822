import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from '../../../src/dmctl/bench/histogram.ts'
import { htmlPicture, milliseconds, terminalPicture } from '../../../src/dmctl/bench/picture.ts'

test('percentiles are right to about 3 %, and the pictures show every value', () => {
  const latencies = new Histogram()
  for (let i = 1; i <= 1_000; i++) latencies.add(i / 10)
  for (const [share, value] of [[0.5, 50], [0.99, 99], [0.001, 0.1], [1, 100]] as const) // biome-ignore format: one line
    assert.ok(Math.abs(latencies.percentile(share) / value - 1) < 0.03, `${share}: ${latencies.percentile(share)}`)
  assert.deepEqual([latencies.count, latencies.max], [1_000, 100])
  const rows = latencies.rows(16)
  assert.ok(rows.length <= 16)
  assert.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    1_000,
  )
  for (const columns of [40, 80, 200]) {
    const picture = terminalPicture(latencies, columns)
    assert.equal(picture.length, rows.length)
    for (const row of picture) assert.ok(row.join(' ').length + 2 <= columns && row[1].trim() !== '', row.join(' '))
  }
  assert.match(htmlPicture('a < b', [['max', '1 s']], latencies), /<title>a &lt; b<\/title>[\s\S]*<rect /)
})

test('no values have no picture, and times have units', () => {
  assert.deepEqual([new Histogram().percentile(0.5), new Histogram().rows(5), terminalPicture(new Histogram(), 80)], [0, [], []])
  assert.deepEqual([0.0123, 1.234, 55.55, 12_345].map(milliseconds), ['12 µs', '1.23 ms', '55.5 ms', '12.35 s'])
})
