const NEWLINE = 10

/** Puts the time before each line of a stream. */
export class TimestampedLines {
  #atStart = true

  /** @param time milliseconds since 1970 */
  stamp(chunk: Buffer, time: number): Buffer {
    const stamp = Buffer.from(`${new Date(time).toISOString()} `)
    const parts: Buffer[] = []
    let from = 0
    while (from < chunk.length) {
      if (this.#atStart) parts.push(stamp)
      const at = chunk.indexOf(NEWLINE, from)
      const to = at < 0 ? chunk.length : at + 1
      parts.push(chunk.subarray(from, to))
      this.#atStart = at >= 0
      from = to
    }
    return Buffer.concat(parts)
  }
}
