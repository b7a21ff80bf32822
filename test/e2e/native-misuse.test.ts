import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadNative, type NativeAddon } from '../../src/transports/native/addon.ts'

const junk: unknown[] = [
  undefined,
  null,
  true,
  -1,
  0,
  1,
  0.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 40),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  10n,
  '',
  'text',
  'a\0b',
  '127.0.0.1',
  '999.999.999.999',
  'x'.repeat(100_000),
  Symbol('s'),
  {},
  [],
  () => {},
  new Uint8Array(0),
  new Uint8Array(300),
  new Float64Array(3),
  new ArrayBuffer(8),
  Buffer.from('/x'),
  new Proxy({}, {}),
]

test('nothing JavaScript passes to the addon can do more than throw (N1)', (t) => {
  const loaded = loadNative()
  if ('reason' in loaded) return t.skip(loaded.reason)
  const addon = loaded.addon as unknown as Record<string, (...args: unknown[]) => unknown>
  let seed = 1
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return seed % below
  }
  const opened: [core: number, id: number][] = []
  // Core 0 in this thread, core 1 on its own; the first round meets an addon that has neither.
  for (let round = 0; round < 2; round++) {
    for (const name of Object.keys(addon).filter((key) => typeof addon[key] === 'function' && key !== 'start')) {
      for (let i = 0; i < 3000; i++) {
        const args = Array.from({ length: next(20) }, () => junk[next(junk.length)])
        if (next(2) === 0) args[0] = next(2)
        try {
          const result = addon[name](...args)
          if (name === 'listen' && (result as number) >= 0) opened.push([args[0] as number, result as number])
        } catch (error) {
          assert.ok(error instanceof Error, name)
        }
      }
    }
    for (const args of junk.map((value) => [value, value, value])) assert.throws(() => addon.start(...args), TypeError)
    if (round === 0) for (const ownThread of [false, true]) addon.start(ownThread, ownThread, () => {})
  }
  for (const [core, id] of opened) (addon as unknown as NativeAddon).closeListener(core, id, false)
  for (const core of [0, 1]) addon.keepAlive(core, false)
})
