// `Buffer` of Node.js, as far as the code of sessions uses it: a Uint8Array with a few more methods.

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** Most arguments of one call of String.fromCharCode. */
const PART = 8192

export class PageBuffer extends Uint8Array {
  static alloc(size: number): PageBuffer {
    return new PageBuffer(size)
  }

  static allocUnsafe(size: number): PageBuffer {
    return new PageBuffer(size)
  }

  static allocUnsafeSlow(size: number): PageBuffer {
    return new PageBuffer(size)
  }

  /** A view of an ArrayBuffer; the bytes of a text, or a copy of bytes otherwise. */
  static override from(source: unknown, offset?: unknown, length?: number): PageBuffer {
    if (typeof source === 'string') return viewOf(encoder.encode(source))
    if (source instanceof ArrayBuffer) return new PageBuffer(source, offset as number | undefined, length)
    return new PageBuffer(source as ArrayLike<number>)
  }

  static concat(parts: readonly Uint8Array[]): PageBuffer {
    const all = new PageBuffer(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  static byteLength(text: string | Uint8Array): number {
    if (typeof text !== 'string') return text.length
    let size = text.length
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (c < 0x80) continue
      size += c < 0x800 ? 1 : 2
      // A pair takes four bytes, two for each of its units.
      if (isHigh(c) && isLow(text.charCodeAt(i + 1))) i++
    }
    return size
  }

  static isBuffer(value: unknown): value is PageBuffer {
    return value instanceof PageBuffer
  }

  latin1Slice(start = 0, end = this.length): string {
    let text = ''
    for (let at = start; at < end; at += PART) text += String.fromCharCode(...this.subarray(at, Math.min(at + PART, end)))
    return text
  }

  utf8Slice(start = 0, end = this.length): string {
    return decoder.decode(this.subarray(start, end))
  }

  utf8Write(text: string, at: number): number {
    return encoder.encodeInto(text, this.subarray(at)).written
  }

  latin1Write(text: string, at: number): number {
    for (let i = 0; i < text.length; i++) this[at + i] = text.charCodeAt(i)
    return text.length
  }

  override toString(encoding?: string, start?: number, end?: number): string {
    if (encoding === 'latin1') return this.latin1Slice(start, end)
    if (encoding !== 'base64url') return this.utf8Slice(start, end)
    return btoa(this.latin1Slice(start, end)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  }
}

function isHigh(unit: number): boolean {
  return unit >> 10 === 0x36
}

function isLow(unit: number): boolean {
  return unit >> 10 === 0x37
}

/** A buffer of the same memory. */
export function viewOf({ buffer, byteOffset, length }: Uint8Array): PageBuffer {
  return new PageBuffer(buffer as ArrayBuffer, byteOffset, length)
}
