import { isUtf8 } from 'node:buffer'

/** Checks that text which comes in pieces is UTF-8 (RFC 3629), the twin of native/wire/utf8.h. */
export class Utf8Check {
  /** Bytes that the current character still needs, and the range of the next one. */
  #missing = 0
  #low = 0x80
  #high = 0xbf

  /** False when the bytes so far begin no valid text. Must not be called again after that. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start
    // The usual case: the piece holds whole characters.
    if (this.#missing === 0 && isUtf8(bytes.subarray(start, end))) return true
    while (at < end) {
      const byte = bytes[at++]
      if (this.#missing !== 0) {
        if (byte < this.#low || byte > this.#high) return false
        this.#missing--
        this.#low = 0x80
        this.#high = 0xbf
      } else if (byte >= 0x80) {
        if (byte < 0xc2 || byte > 0xf4) return false
        this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
        // The second byte excludes what is overlong, a surrogate, or too large.
        if (byte === 0xe0) this.#low = 0xa0
        else if (byte === 0xed) this.#high = 0x9f
        else if (byte === 0xf0) this.#low = 0x90
        else if (byte === 0xf4) this.#high = 0x8f
      }
    }
    return true
  }

  /** Whether the text ends between two characters. Begins a new text. */
  finish(): boolean {
    const whole = this.#missing === 0
    this.#missing = 0
    this.#low = 0x80
    this.#high = 0xbf
    return whole
  }
}
