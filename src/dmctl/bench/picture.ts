import type { Histogram } from './histogram.ts'

const WIDTH = 50
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

export function milliseconds(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`
  return ms < 1_000 ? `${ms.toFixed(ms < 10 ? 2 : 1)} ms` : `${(ms / 1_000).toFixed(2)} s`
}

/** The histogram as lines of a terminal. */
export function terminalPicture(latencies: Histogram): string {
  const rows = latencies.rows(16)
  const most = Math.max(1, ...rows.map(({ count }) => count))
  return rows
    .map(({ to, count }) => {
      const eighths = Math.round((count / most) * WIDTH * 8)
      const bar = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]
      // A bucket that is not empty shows.
      return `  ${milliseconds(to).padStart(8)} ${(bar === '' && count > 0 ? '▏' : bar).padEnd(WIDTH)} ${count}`
    })
    .join('\n')
}

/** The report as a page of its own, which loads nothing. */
export function htmlPicture(title: string, facts: readonly (readonly [string, string])[], latencies: Histogram): string {
  const rows = latencies.rows(48)
  const most = Math.max(1, ...rows.map(({ count }) => count))
  const step = 900 / Math.max(1, rows.length)
  const bars = rows.map(({ from, to, count }, i) => {
    const height = (count / most) * 280
    const label = `${milliseconds(from)} to ${milliseconds(to)}: ${count}`
    return `<rect x="${(i * step).toFixed(1)}" y="${(300 - height).toFixed(1)}" width="${(step * 0.9).toFixed(1)}" height="${height.toFixed(1)}"><title>${label}</title></rect>`
  })
  const ticks = rows.flatMap(({ from }, i) =>
    i % 6 === 0 ? [`<text x="${(i * step).toFixed(1)}" y="320">${milliseconds(from)}</text>`] : [],
  )
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<style>body{font:16px system-ui;margin:2em;max-width:960px}td{padding:.2em 1em .2em 0}rect{fill:#2a6fdb}svg text{font-size:12px}</style>
<h1>${escaped(title)}</h1>
<table>${facts.map(([name, value]) => `<tr><td>${escaped(name)}<td>${escaped(value)}`).join('\n')}</table>
<svg viewBox="0 0 900 330" role="img" aria-label="Calls by latency">${bars.join('\n')}${ticks.join('')}</svg>
</html>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
