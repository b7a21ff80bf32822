import { closed, pair, transport } from './pair.mjs'

test('a file with modules of its own reaches its own endpoints', async () => {
  const ends = await pair('three')
  expect(ends.server.transport.kind).toBe(transport)
  expect(await Promise.all(Array.from({ length: 100 }, () => ends.session.call('/who')))).toEqual(Array(100).fill('three'))
  await closed(ends)
})
