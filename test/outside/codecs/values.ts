import { random } from '../../support/random.ts'
import { plainForm } from './plain-form.ts'

const powers = [7, 8, 15, 16, 31, 32, 52, 53].flatMap((bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1])
const sizes = [0, 1, 15, 16, 23, 24, 31, 32, 255, 256, 65_535, 65_536]
const times = [0, 1_000, 1_700_000_000_000, 1_700_000_000_123, 1_700_000_000_001, (2 ** 32 - 1) * 1000]

/** Of which not every library has a form: below zero, before 1970, beyond 32 bits of seconds. */
const rare: readonly unknown[] = [-0, ...[-1, -1_500, 2 ** 32 * 1000, 2 ** 34 * 1000, 253_402_300_799_999].map((time) => new Date(time))]

/** Numbers, texts, bytes, Dates and containers at every edge of the formats' sizes. */
const edges: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 23, 24, -24, -25, 127, 128, -32, -33],
  ...powers.filter(Number.isSafeInteger),
  ...[2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n],
  ...[0.5, -1.5, 1 / 3, 65_504.5, 1e300, 5e-324, 1.5e-45, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...['', 'a', 'ü', '水', '\u{10151}', '"\\\n\0', '__proto__'],
  ...times.map((time) => new Date(time)),
  ...sizes.flatMap((size) => ['x'.repeat(size), new Uint8Array(size).fill(0xa5)]),
  ...sizes.slice(0, -2).map((size) => Array.from({ length: size }, (_, i) => i)),
  ...sizes.slice(0, -2).map((size) => Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i]))),
  { a: [{ b: [[], {}, null] }], '': 'empty key', ключ: Buffer.from('value') },
]

const small = edges.filter((value) => plainForm(value).length < 200)

function nested(rnd: (below: number) => number, depth: number): unknown {
  const kind = depth > 4 ? 0 : rnd(3)
  if (kind === 0) return small[rnd(small.length)]
  const members = Array.from({ length: rnd(6) }, () => nested(rnd, depth + 1))
  return kind === 1 ? members : Object.fromEntries(members.map((member, i) => [`${'k'.repeat(rnd(40))}${i}`, member]))
}

const rnd = random(1)

/** All of these, and what can be made out of them; the same each time. */
export const values: readonly unknown[] = [...rare, ...edges, ...Array.from({ length: 300 }, () => nested(rnd, 0))]
