const { latin1Slice } = Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, start: number, end: number): string }
const text = String.fromCharCode

/** Longest text for which a call of String.fromCharCode beats one into Node's C++: 15 instead of 60 ns at 8 bytes. */
const SHORT = 16

/** `bytes[at, end)` as text. Requires that they are ASCII. */
export function asciiText(b: Uint8Array, at: number, end: number): string {
  const size = end - at
  return size > SHORT ? latin1Slice.call(b, at, end) : size > 8 ? middle(b, at, size) : short(b, at, size)
}

// Written out, because arguments that are counted at run time make an array first.

// biome-ignore format: one line each
function short(b: Uint8Array, i: number, size: number): string {
  switch (size) {
    case 0: return ''
    case 1: return text(b[i])
    case 2: return text(b[i], b[i + 1])
    case 3: return text(b[i], b[i + 1], b[i + 2])
    case 4: return text(b[i], b[i + 1], b[i + 2], b[i + 3])
    case 5: return text(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4])
    case 6: return text(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5])
    case 7: return text(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6])
    default: return text(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7])
  }
}

// biome-ignore format: one line each
function middle(b: Uint8Array, i: number, size: number): string {
  const [c0, c1, c2, c3, c4, c5, c6, c7, c8] = [b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8]]
  switch (size) {
    case 9: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8)
    case 10: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8, b[i + 9])
    case 11: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8, b[i + 9], b[i + 10])
    case 12: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8, b[i + 9], b[i + 10], b[i + 11])
    case 13: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8, b[i + 9], b[i + 10], b[i + 11], b[i + 12])
    case 14: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8, b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13])
    case 15: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8, b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14])
    default: return text(c0, c1, c2, c3, c4, c5, c6, c7, c8, b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15])
  }
}
