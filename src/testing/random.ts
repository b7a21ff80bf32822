/**
 * A generator of numbers from 0 up to 1 that depends on `seed` alone: sfc32, started with a hash of the text (both
 * public domain). Seeds that differ in anything give unrelated generators.
 */
export function seeded(seed: string): () => number {
  const next = hash(seed)
  let a = next()
  let b = next()
  let c = next()
  let counter = 1
  const random = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 15; i++) random()
  return random
}

/** A generator of 32-bit words made from `text`. */
function hash(text: string): () => number {
  let h = 0x811c9dc5
  const mix = (byte: number): void => {
    h = Math.imul(h ^ byte, 0x01000193)
  }
  for (let i = 0; i < text.length; i++) {
    mix(text.charCodeAt(i) & 0xff)
    mix(text.charCodeAt(i) >>> 8)
  }
  return () => {
    mix(h >>> 24)
    let word = h
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
    return word ^ (word >>> 15)
  }
}
