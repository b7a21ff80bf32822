/** Tells on stderr what a run is doing: a line that changes on a terminal, a line for each step elsewhere. */
export class Progress {
  readonly #start = Date.now()
  readonly #terminal = process.stderr.isTTY === true
  readonly #planned: number
  #done = 0

  /** `planned`: seconds that all steps should take. */
  constructor(planned: number) {
    this.#planned = planned
  }

  step(what: string): void {
    const elapsed = (Date.now() - this.#start) / 1000
    // What was planned is corrected by how it went so far.
    const pace = this.#done > 0 ? elapsed / this.#done : 1
    const line = `${what} (${clock(elapsed)} elapsed, about ${clock((this.#planned - this.#done) * pace)} left)`
    process.stderr.write(this.#terminal ? `\r\x1b[K${line}` : `${line}\n`)
  }

  /** A step that should have taken `planned` seconds has ended. */
  done(planned: number): void {
    this.#done += planned
  }

  end(): void {
    if (this.#terminal) process.stderr.write('\r\x1b[K')
  }
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
