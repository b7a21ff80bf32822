interface Entry<T> {
  readonly bytes: Uint8Array
  readonly value: T
  readonly next: Entry<T> | undefined
}

/** Values by a few fixed ASCII texts, which are found by their bytes in any case. Text of peers is never added. */
export class ByteTable<T> {
  readonly #buckets: (Entry<T> | undefined)[] = new Array(256).fill(undefined)

  constructor(entries: Iterable<readonly [string, T]>) {
    for (const [text, value] of entries) {
      const bytes = Buffer.from(text.toLowerCase(), 'latin1')
      const bucket = hash(bytes, 0, bytes.length)
      this.#buckets[bucket] = { bytes, value, next: this.#buckets[bucket] }
    }
  }

  get(buffer: Uint8Array, start: number, end: number): T | undefined {
    if (start === end) return undefined
    for (let entry = this.#buckets[hash(buffer, start, end)]; entry !== undefined; entry = entry.next) {
      if (equals(entry.bytes, buffer, start, end)) return entry.value
    }
    return undefined
  }
}

function hash(buffer: Uint8Array, start: number, end: number): number {
  const middle = buffer[start + ((end - start) >> 1)] | 0x20
  return ((end - start) * 7 + (buffer[start] | 0x20) * 3 + middle * 5 + (buffer[end - 1] | 0x20)) & 255
}

function equals(lower: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  if (lower.length !== end - start) return false
  for (let i = 0; i < lower.length; i++) {
    const c = buffer[start + i]
    if (lower[i] !== c && (c < 0x41 || c > 0x5a || lower[i] !== (c | 0x20))) return false
  }
  return true
}
