import assert from 'node:assert/strict'
import { it } from 'node:test'
import { interleave } from '../../../src/transports/first-to-connect.ts'

it('families take turns, each in its order, the first address first (RFC 8305 §4)', () => {
  assert.deepEqual(interleave(['::1', '::2', '::3', '10.0.0.1', '10.0.0.2']), ['::1', '10.0.0.1', '::2', '10.0.0.2', '::3'])
  assert.deepEqual(interleave(['10.0.0.1', '::1', '10.0.0.2']), ['10.0.0.1', '::1', '10.0.0.2'])
  assert.deepEqual(interleave(['10.0.0.2', '10.0.0.1']), ['10.0.0.2', '10.0.0.1'])
  assert.deepEqual(interleave([]), [])
})
