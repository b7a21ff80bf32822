/** Up to this length writing ASCII in JavaScript beats the call into Node's C++ (Node 20, x64: even at 40 to 50 characters). */
const SHORT = 40

/** Writes `text` as UTF-8 into `target`, which has room for three bytes per UTF-16 unit; returns the end. */
export function writeText(target: Buffer, text: string, at: number): number {
  const length = text.length
  if (length > SHORT) return at + target.write(text, at)
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i)
    if (c > 127) return at + target.write(text, at)
    target[at + i] = c
  }
  return at + length
}
