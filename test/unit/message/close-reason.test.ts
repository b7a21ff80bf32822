import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloseReason, closeReasonText } from '../../../src/message/close-reason.ts'
import { loadNative } from '../../../src/transports/native/addon.ts'

test('the C++ core and TypeScript give every close reason the same number and text', (t) => {
  const loaded = loadNative()
  if ('reason' in loaded) return t.skip(loaded.reason)
  assert.deepEqual(
    Object.entries(loaded.addon.layout).filter(([name]) => name.startsWith('CloseReason.')),
    closeReasonText.map((text, number) => [`CloseReason.${number}`, text]),
  )
  assert.equal(Object.keys(CloseReason).length, closeReasonText.length)
})
