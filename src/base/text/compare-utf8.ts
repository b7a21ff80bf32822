/**
 * Compares in UTF-8 order, which is code point order. JavaScript's own UTF-16 order differs between surrogates and
 * units from U+E000 on.
 * @returns below 0, 0 or above 0, as for `Array.sort`
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return orderKey(x) - orderKey(y)
  }
  return a.length - b.length
}

/** Moves surrogates above the rest of the 16-bit range, where the code points they stand for are. */
function orderKey(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
