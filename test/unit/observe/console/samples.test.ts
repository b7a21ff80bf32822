import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Samples } from '../../../../src/observe/console/samples.ts'
import { EndpointMeter } from '../../../../src/observe/metrics/meter.ts'
import { once } from '../../../support/helpers.ts'

test('durations of the first calls served are not mixed with those of calls made before', async (t) => {
  const meter = new EndpointMeter('', new Float64Array([1, 10, 100]))
  const made = { inFlight: 0, otherCodes: 0, ok: 500, durations: { counts: [0, 0, 0, 500] } }
  meter.called.set('/made', made as never)
  let sampled = once<void>()
  const samples = new Samples({ meters: () => [meter], sessions: () => 0, onSample: () => sampled.resolve() })
  // Its timers do not keep the process alive.
  const alive = setInterval(() => {}, 1000)
  t.after(() => clearInterval(alive))
  t.after(() => samples.stop())
  samples.start()
  meter.served.set('/served', { inFlight: 0, otherCodes: 0, ok: 4, durations: { counts: [4, 0, 0, 0] } } as never)
  await sampled.promise
  const last = (kind: 'p50' | 'p99' | 'served' | 'made'): number => samples.last(kind).at(-1) as number
  assert.deepEqual([last('p50'), last('p99')], [0.5, 0.99])
  assert.ok(last('served') > 0)
  assert.equal(last('made'), 0)
  sampled = once<void>()
  made.durations.counts[3]++
  await sampled.promise
  assert.ok(Number.isNaN(last('p99')), 'none was served in this second')
})
