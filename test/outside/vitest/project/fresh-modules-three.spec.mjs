import { expect, test } from 'vitest'
import { closed, pair, transport } from './pair.mjs'

test('a file reaches its own endpoints', async () => {
  const ends = await pair('three')
  expect(ends.server.transport.kind).toBe(transport)
  expect(await Promise.all(Array.from({ length: 100 }, () => ends.session.call('/who')))).toEqual(Array(100).fill('three'))
  await closed(ends)
})
