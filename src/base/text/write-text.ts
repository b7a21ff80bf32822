/**
 * Longest text, in UTF-16 units, that is written by a loop: below it the loop is faster than the call into Node's C++
 * (Node 20, x64: even at 24 to 48 characters, noisy).
 */
const SHORT = 40

/**
 * Methods of every Buffer that its type declarations leave out; `write` adds about 8 ns to look the encoding up. Read
 * once, because the prototype of Buffer is a dictionary to V8.
 */
const { utf8Write, latin1Write } = Buffer.prototype as unknown as {
  utf8Write(this: Buffer, text: string, at: number): number
  latin1Write(this: Buffer, text: string, at: number): number
}

/**
 * Writes `text` as UTF-8 into `target` at `at`. Requires room for three bytes per UTF-16 unit.
 * @returns where the text ends in `target`
 */
export function writeText(target: Buffer, text: string, at: number): number {
  const length = text.length
  if (length > SHORT) return at + utf8Write.call(target, text, at)
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i)
    if (c > 127) return at + utf8Write.call(target, text, at)
    target[at + i] = c
  }
  return at + length
}

/**
 * Writes `text` into `target` at `at`. Requires that `text` is ASCII and that there is room for it.
 * @returns where the text ends in `target`
 */
export function writeAscii(target: Buffer, text: string, at: number): number {
  const length = text.length
  if (length > SHORT) return at + latin1Write.call(target, text, at)
  for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i)
  return at + length
}
