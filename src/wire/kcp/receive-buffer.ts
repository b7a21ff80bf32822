import { Queue } from '../../base/collections/queue.ts'
import { distance } from './segment.ts'

/** Segments of data that were received: those that can be read, and those beyond a gap. */
export class ReceiveBuffer {
  /** The next number that can be read. */
  next = 0
  /** Bytes of data that were taken, also beyond a gap; none is counted twice. */
  bytes = 0
  readonly #window: number
  readonly #ready = new Queue<Buffer>()
  readonly #beyond = new Map<number, Buffer>()

  constructor(window: number) {
    this.#window = window
  }

  /** Number of segments that may come. */
  get free(): number {
    return Math.max(this.#window - this.#ready.size, 0)
  }

  get readable(): number {
    return this.#ready.size
  }

  /** Whether segment `sn` is not beyond the window. */
  accepts(sn: number): boolean {
    return distance(sn, (this.next + this.#window) >>> 0) < 0
  }

  /** Takes segment `sn`, which the window accepts. Its bytes are kept, not copied. */
  add(sn: number, data: Buffer): void {
    if (distance(sn, this.next) < 0) return
    if (sn === this.next && this.#beyond.size === 0 && this.#ready.size < this.#window) {
      this.#ready.push(data)
      this.bytes += data.length
      this.next = (this.next + 1) >>> 0
      return
    }
    if (!this.#beyond.has(sn)) {
      this.#beyond.set(sn, data)
      this.bytes += data.length
    }
    this.#advance()
  }

  /** Removes the next segment; undefined when there is none. */
  read(): Buffer | undefined {
    const data = this.#ready.shift()
    if (data !== undefined) this.#advance()
    return data
  }

  #advance(): void {
    while (this.#beyond.size > 0 && this.#ready.size < this.#window) {
      const data = this.#beyond.get(this.next)
      if (data === undefined) return
      this.#beyond.delete(this.next)
      this.#ready.push(data)
      this.next = (this.next + 1) >>> 0
    }
  }
}
