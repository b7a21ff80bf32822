const MIN_THRESHOLD = 2

/** The congestion window of kcp-go: slow start, then growth by fractions of a segment; all numbers are u32. */
export class CongestionWindow {
  /** Segments that may be on their way; 0 before the first flush. */
  size = 0
  #threshold = MIN_THRESHOLD
  #bytes = 0
  readonly #mss: number

  constructor(mss: number) {
    this.#mss = mss
  }

  /** Called when a datagram acknowledged segments in order. */
  grow(remoteWindow: number): void {
    if (this.size >= remoteWindow) return
    const mss = this.#mss
    if (this.size < this.#threshold) {
      this.size++
      this.#bytes = (this.#bytes + mss) >>> 0
    } else {
      if (this.#bytes < mss) this.#bytes = mss
      this.#bytes = (this.#bytes + Math.floor((mss * mss) / this.#bytes) + (mss >>> 4)) >>> 0
      if ((this.size + 1) * mss <= this.#bytes) this.size = Math.floor((this.#bytes + mss - 1) / mss)
    }
    if (this.size > remoteWindow) {
      this.size = remoteWindow
      this.#bytes = remoteWindow * mss
    }
  }

  /** Called after a flush. */
  flushed(resentEarly: boolean, lost: boolean, inFlight: number, window: number, resend: number): void {
    const mss = this.#mss
    if (resentEarly) {
      this.#threshold = Math.max(inFlight >>> 1, MIN_THRESHOLD)
      this.size = (this.#threshold + resend) >>> 0
      this.#bytes = Math.imul(this.size, mss) >>> 0
    }
    if (lost) {
      this.#threshold = Math.max(window >>> 1, MIN_THRESHOLD)
      this.size = 1
      this.#bytes = mss
    }
    if (this.size < 1) {
      this.size = 1
      this.#bytes = mss
    }
  }
}
