import { expect, test, vi } from 'vitest'

test('the package may be imported when timers are already fake', async () => {
  vi.useFakeTimers()
  const { closed, pair } = await import('./pair.mjs')
  const ends = await pair('late')
  expect(await ends.session.call('/who')).toBe('late')
  await expect(ends.session.call('/never', null, { timeout: 30 })).rejects.toMatchObject({ code: 408 })
  await closed(ends)
})
