/** Whether words lie in memory as JavaScript's typed arrays of this machine have them. */
export const LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

const views = new WeakMap<Buffer, DataView>()

/** A view of the buffer, the same one each time, because making one takes as long as writing a small message. */
export function viewOf(buffer: Buffer): DataView {
  let found = views.get(buffer)
  if (found === undefined) {
    found = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    views.set(buffer, found)
  }
  return found
}

let into: Buffer | undefined
let view: DataView = new DataView(new ArrayBuffer(0))

/**
 * Copies the first `size` bytes of `words` to `target` at `at`, a word at a time: for some hundred bytes that is less
 * than a call of `set`.
 */
export function copyWords(words: Int32Array, size: number, target: Buffer, at: number): void {
  if (target !== into) {
    into = target
    view = viewOf(target)
  }
  const whole = size >> 2
  for (let i = 0; i < whole; i++) view.setInt32(at + 4 * i, words[i], LITTLE)
  let rest = whole < words.length ? words[whole] : 0
  for (let i = 4 * whole; i < size; i++) {
    // Only little-endian machines have the first byte at the end.
    target[at + i] = LITTLE ? rest : rest >>> 24
    rest = LITTLE ? rest >> 8 : rest << 8
  }
}
