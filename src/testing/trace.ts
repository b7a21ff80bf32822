/** Events of a network as lines, and a hash of all of them. */
export class Trace {
  readonly #max: number
  #lines: string[] = []
  #count = 0
  #high = 0x811c9dc5
  #low = 0x01000193

  /** @param max most lines that are kept; the oldest are dropped */
  constructor(max: number) {
    this.#max = max
  }

  add(time: number, text: string): void {
    const line = `${time.toFixed(3)} ${text}`
    this.#count++
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i)
      this.#high = Math.imul(this.#high ^ unit, 0x01000193)
      this.#low = Math.imul(this.#low ^ unit, 0x85ebca6b) ^ (this.#low >>> 13)
    }
    if (this.#max === 0) return
    this.#lines.push(line)
    if (this.#lines.length >= 2 * this.#max) this.#lines = this.#lines.slice(-this.#max)
  }

  get lines(): string[] {
    return this.#lines.slice(-this.#max || this.#lines.length)
  }

  get digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return `${this.#count}-${hex(this.#high)}${hex(this.#low)}`
  }
}
