const keys = [
  'id',
  'text',
  'list',
  'ok',
  'f',
  'a',
  'b',
  '',
  'a key with blanks',
  'a key of more than twenty-nine characters',
  '0',
  '7',
  'é',
  'x"y',
]
const texts = [
  '',
  'x',
  'hello',
  'exactly twelve',
  'a text of more than twelve characters',
  '世界',
  '🚀',
  '"',
  '\\',
  '\n',
  '\u007f',
  '\u2028',
  '\ud800',
]
const numbers = [0, -0, 1, -1, 7, 10, 99, 100, 12345, 123456789, 1234567890, -2147483648, 2147483647, 4294967296, 1732845600123, 2 ** 53]
const fractions = [
  0.1, 0.25, -0.5, 1.5, 100.125, 0.001, 99.999, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2.718281828459045e3, 2147483.647,
]

/** A value that JSON can hold, with objects and lists down to `depth`. */
export function randomValue(below: (limit: number) => number, depth: number): unknown {
  const kind = below(depth > 0 ? 10 : 6)
  if (kind === 0) return numbers[below(numbers.length)]
  if (kind === 1) return fractions[below(fractions.length)]
  if (kind === 2) return below(2_000_000) / 1000 - 1000
  if (kind === 3) return [true, false, null][below(3)]
  if (kind < 6) return texts[below(texts.length)]
  if (kind < 8) return Array.from({ length: below(6) }, () => randomValue(below, depth - 1))
  const object: Record<string, unknown> = {}
  for (let i = below(6); i > 0; i--) object[keys[below(keys.length)]] = randomValue(below, depth - 1)
  return object
}

/** The JSON of such a value, some of it with white space. */
export function randomJson(below: (limit: number) => number, depth: number): string {
  return JSON.stringify(randomValue(below, depth), null, below(4) === 0 ? 1 : 0)
}
