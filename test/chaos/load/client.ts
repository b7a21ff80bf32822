// Makes calls at a rate, whatever comes back (open loop), or so many at once (closed loop), in a process of its own. Arguments: transport, sessions. The first
// message is the url.
import { Endpoint, type Session, StatusError } from '../../../src/index.ts'
import type { Kind } from '../../support/helpers.ts'
import type { Load, Outcome } from './processes.ts'

const [transport, count] = process.argv.slice(2)
const endpoint = new Endpoint({ transport: transport as Kind, log: false, timeout: 2000 })
const sessions: Session[] = []

/** Milliseconds of one bin of the outcome. */
const BIN = 100

class Run {
  readonly #began = performance.now()
  readonly #refusals: number[] = []
  readonly #latencies: number[] = []
  readonly #ok: number[]
  readonly #sent: number[]
  readonly #bins: { ok: number; refused: number }[]
  #refused = 0
  #hinted = 0
  #failed = 0
  #open = 0
  #settled: () => void = () => {}

  constructor(seconds: number) {
    this.#ok = sessions.map(() => 0)
    this.#sent = sessions.map(() => 0)
    this.#bins = Array.from({ length: Math.ceil((seconds * 1000) / BIN) + 1 }, () => ({ ok: 0, refused: 0 }))
  }

  call(n: number, then?: () => void): void {
    const sent = performance.now()
    this.#open++
    this.#sent[n]++
    sessions[n].call('/work', 1).then(
      () => {
        const now = performance.now()
        this.#ok[n]++
        this.#latencies.push(now - sent)
        this.#bin(now).ok++
        this.#done(then)
      },
      (error) => {
        const now = performance.now()
        if (error instanceof StatusError && (error.code === 503 || error.code === 429)) {
          this.#refused++
          if (error.retryAfter !== undefined) this.#hinted++
          this.#refusals.push(now - sent)
          this.#bin(now).refused++
        } else {
          this.#failed++
        }
        this.#done(then)
      },
    )
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000
  }

  async end(): Promise<Outcome> {
    const { seconds } = this
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#settled = resolve))
    const ok = this.#ok.reduce((a, b) => a + b, 0)
    return {
      seconds,
      ok,
      goodput: ok / seconds,
      refused: this.#refused,
      hinted: this.#hinted,
      failed: this.#failed,
      okBySession: this.#ok,
      sentBySession: this.#sent,
      latency: percentiles(this.#latencies),
      refusal: percentiles(this.#refusals),
      bins: this.#bins,
    }
  }

  #bin(now: number): { ok: number; refused: number } {
    return this.#bins[Math.min(this.#bins.length - 1, Math.floor((now - this.#began) / BIN))]
  }

  #done(then: (() => void) | undefined): void {
    if (--this.#open === 0) this.#settled()
    then?.()
  }
}

function percentiles(values: number[]): Outcome['latency'] {
  values.sort((a, b) => a - b)
  const at = (share: number): number => values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** Each session calls at its own rate, all evenly spread over time. */
function open(rates: number[], seconds: number): Promise<Outcome> {
  const run = new Run(seconds)
  const due = rates.map((rate, n) => n / rates.length / rate)
  return new Promise((resolve) => {
    const tick = (): void => {
      const { seconds: now } = run
      rates.forEach((rate, n) => {
        for (; due[n] <= now && due[n] < seconds; due[n] += 1 / rate) run.call(n)
      })
      if (now < seconds) setTimeout(tick, 1)
      else resolve(run.end())
    }
    tick()
  })
}

function closed(inFlight: number, seconds: number): Promise<Outcome> {
  const run = new Run(seconds)
  return new Promise((resolve) => {
    let left = inFlight
    const next = (n: number): void => {
      if (run.seconds < seconds) run.call(n, () => next(n))
      else if (--left === 0) resolve(run.end())
    }
    for (let n = 0; n < inFlight; n++) next(n % sessions.length)
  })
}

async function dial(url: string): Promise<string> {
  for (let n = 0; n < Number(count); n++) sessions.push(await endpoint.dial(url))
  return 'dialled'
}

process.on('message', (load: Load | string) => {
  if (typeof load === 'string') {
    dial(load).then((done) => process.send?.(done))
    return
  }
  const run = load.inFlight === undefined ? open(load.rates ?? [], load.seconds) : closed(load.inFlight, load.seconds)
  run.then((outcome) => process.send?.(outcome))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
