import type { Histogram } from './histogram.ts'

/** Rows of a picture in a terminal. */
const ROWS = 16
/** Columns beside the bars: the margin, a time, spaces, a count. */
const BESIDE = 24
const MIN_WIDTH = 10
const MAX_WIDTH = 60
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

export function milliseconds(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`
  return ms < 1_000 ? `${ms.toFixed(ms < 10 ? 2 : 1)} ms` : `${(ms / 1_000).toFixed(2)} s`
}

/**
 * The histogram as rows for a terminal of so many columns: the greatest latency of a row, its bar, its number of calls.
 */
export function terminalPicture(latencies: Histogram, columns: number): [label: string, bar: string, calls: string][] {
  const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns - BESIDE))
  const rows = latencies.rows(ROWS)
  const most = Math.max(1, ...rows.map(({ count }) => count))
  return rows.map(({ to, count }) => {
    const eighths = Math.round((count / most) * width * 8)
    const bar = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]
    // A row that is not empty shows.
    return [`≤ ${milliseconds(to).padStart(8)}`, (bar === '' && count > 0 ? '▏' : bar).padEnd(width), String(count)]
  })
}

const STYLE = `:root{color-scheme:light dark;--bar:#2a6fdb;--ink:#1c2733;--faint:#dde3ea}
@media(prefers-color-scheme:dark){:root{--bar:#6ea8fe;--ink:#e6edf3;--faint:#30363d}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);margin:2em auto;padding:0 1em;max-width:960px}
h1{font-size:1.3em;overflow-wrap:anywhere}td{padding:.1em 1.5em .1em 0}td:first-child{opacity:.7}
svg{width:100%;height:auto;margin-top:1em}rect{fill:var(--bar)}svg text{font-size:12px;fill:var(--ink)}
line{stroke:var(--faint)}.mark{stroke:var(--ink);stroke-dasharray:3 3;opacity:.6}`
const WIDTH = 900
const TOP = 20
const BOTTOM = 300
/** Pixels that a label of the axis needs. */
const LABEL = 80

/** The report as a page of its own, which loads nothing. */
export function htmlPicture(title: string, facts: readonly (readonly [string, string])[], latencies: Histogram): string {
  const rows = latencies.rows(48)
  const most = Math.max(1, ...rows.map(({ count }) => count))
  const step = WIDTH / Math.max(1, rows.length)
  const bars = rows.map(({ from, to, count }, i) => {
    const height = (count / most) * (BOTTOM - TOP)
    const label = `${milliseconds(from)} to ${milliseconds(to)}: ${count}`
    return `<rect x="${px(i * step)}" y="${px(BOTTOM - height)}" width="${px(step * 0.9)}" height="${px(height)}"><title>${label}</title></rect>`
  })
  const every = Math.max(1, Math.ceil(LABEL / step))
  const ticks = rows.flatMap(({ from }, i) => (i % every === 0 ? [`<text x="${px(i * step)}" y="320">${milliseconds(from)}</text>`] : []))
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style>
<h1>${escaped(title)}</h1>
<table>${facts.map(([name, value]) => `<tr><td>${escaped(name)}<td>${escaped(value)}`).join('\n')}</table>
<svg viewBox="0 0 ${WIDTH} 330" role="img" aria-label="Calls by latency">
<line x1="0" x2="${WIDTH}" y1="${BOTTOM}" y2="${BOTTOM}"/>
${bars.join('\n')}
${marks(rows, latencies, step).join('\n')}
${ticks.join('')}</svg>
</html>
`
}

/** Lines where the percentiles are. */
function marks(rows: readonly { from: number; to: number }[], latencies: Histogram, step: number): string[] {
  return [0.5, 0.99].map((share) => {
    const value = latencies.percentile(share)
    const index = rows.findIndex(({ to }) => value <= to)
    if (index < 0) return ''
    const { from, to } = rows[index]
    const x = px((index + Math.log(Math.max(value, from) / from) / Math.log(to / from)) * step)
    return `<line class="mark" x1="${x}" x2="${x}" y1="${TOP - 5}" y2="${BOTTOM}"/><text x="${x}" y="${TOP - 9}" text-anchor="middle">p${share * 100}</text>`
  })
}

function px(length: number): string {
  return length.toFixed(1)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
