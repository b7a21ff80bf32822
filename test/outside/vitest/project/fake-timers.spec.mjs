import { afterEach, expect, test, vi } from 'vitest'
import { closed, pair } from './pair.mjs'

afterEach(() => {
  vi.useRealTimers()
})

test('calls, pushes and close settle under the default fake timers', async () => {
  vi.useFakeTimers()
  const ends = await pair('faked')
  expect(await ends.session.call('/who')).toBe('faked')
  const pushed = new Promise((resolve) => ends.server.routePush('/pushed', resolve))
  await ends.session.push('/pushed', 1)
  expect(await pushed).toBe(1)
  await closed(ends)
})

test('deadlines and redial keep real time under fake timers', async () => {
  vi.useFakeTimers()
  const ends = await pair('faked')
  await expect(ends.session.call('/never', null, { timeout: 30 })).rejects.toMatchObject({ code: 408 })
  await closed(ends)
})

test('a session lives through timers that become fake and real again', async () => {
  const ends = await pair('both')
  for (let i = 0; i < 5; i++) {
    expect(await ends.session.call('/who')).toBe('both')
    vi.useFakeTimers()
    const calls = [ends.session.call('/who'), ends.session.call('/who')]
    expect(await Promise.all(calls)).toEqual(['both', 'both'])
    vi.useRealTimers()
  }
  await closed(ends)
})

test('close waits for a running handler under fake timers, and ends at closeTimeout', async () => {
  const ends = await pair('slow')
  ends.session.call('/never').catch(() => {})
  await ends.session.call('/who')
  vi.useFakeTimers()
  await Promise.all([ends.server.close({ timeout: 50 }), ends.client.close({ timeout: 50 })])
})
