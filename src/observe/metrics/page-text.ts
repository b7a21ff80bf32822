import { type Buckets, type DurationCounts, eachBucket, type Family, type Visitor } from './family.ts'
import type { Labels } from './labels.ts'

export type Format = 'text' | 'openmetrics'

export const contentTypes: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** A `traceparent` of a sampled trace (W3C Trace Context). */
export const sampledTrace = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f][13579bdf]$/

/** Writes a page, in pieces. */
export class PageText implements Visitor {
  readonly #isOpen: boolean
  readonly #pieces: Buffer[] = []
  #text = ''
  #name = ''

  constructor(format: Format) {
    this.#isOpen = format === 'openmetrics'
  }

  begin({ name, type, help }: Family): void {
    this.#name = name
    const family = this.#isOpen && type === 'counter' ? name.replace(/_total$/, '') : name
    this.#text += `# HELP ${family} ${escapeHelp(help, this.#isOpen)}\n# TYPE ${family} ${type}\n`
  }

  value({ text }: Labels, value: number): void {
    this.#text += `${text === '' ? this.#name : `${this.#name}{${text}}`} ${number(value)}\n`
  }

  histogram({ text }: Labels, durations: DurationCounts, buckets: Buckets): void {
    const labels = text === '' ? '' : `{${text}}`
    const head = `${this.#name}_bucket{${text}${text === '' ? '' : ','}le="`
    let lines = ''
    const total = eachBucket(durations, buckets, (le, count, exemplar) => {
      lines += `${head}${le}"} ${count}`
      const trace = this.#isOpen && exemplar !== undefined ? sampledTrace.exec(exemplar.trace) : null
      if (trace !== null && exemplar !== undefined)
        lines += ` # {trace_id="${trace[1]}",span_id="${trace[2]}"} ${number(exemplar.ms * buckets.scale)} ${number(exemplar.at / 1000)}`
      lines += '\n'
    })
    this.#text += `${lines}${this.#name}_sum${labels} ${number(durations.sum * buckets.scale)}\n${this.#name}_count${labels} ${total}\n`
  }

  /** Ends a piece: makes bytes of the text so far. */
  cut(): void {
    if (this.#text === '') return
    this.#pieces.push(Buffer.from(this.#text))
    this.#text = ''
  }

  /** Ends the page, and returns its pieces. */
  finish(): readonly Buffer[] {
    if (this.#isOpen) this.#text += '# EOF\n'
    this.cut()
    return this.#pieces
  }
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

/** Only OpenMetrics takes `\"` in a help text back. */
export function escapeHelp(help: string, isOpen: boolean): string {
  const text = help.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return isOpen ? text.replaceAll('"', '\\"') : text
}
