// Draws a run's charts as SVG, without a browser.
import { createRequire } from 'node:module'
import type { Run } from '../results.ts'
import { DARK } from './chart.ts'
import { plan } from './plan.ts'

/** What of ECharts is used here. */
interface Echarts {
  init(
    element: null,
    theme: null,
    options: { renderer: 'svg'; ssr: true; width: number; height: number },
  ): { setOption(option: Record<string, unknown>): void; renderToSVGString(): string; dispose(): void }
}

/** File name → SVG text. @throws Error of one line when ECharts is not installed */
export function charts(run: Run): Record<string, string> {
  const planned = plan(run)
  if (planned.length === 0) return {}
  const echarts = load()
  return Object.fromEntries(
    planned.map(({ file, width, height, option }) => {
      const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height })
      chart.setOption(option)
      const svg = withDark(renumbered(chart.renderToSVGString()))
      chart.dispose() // else its timers keep the process alive
      return [file, svg]
    }),
  )
}

/** ECharts numbers names through all charts of a process; so they depend on this one alone. */
function renumbered(svg: string): string {
  const names = new Map<string, string>()
  return svg.replace(/\bzr\d+-([a-z]+)-?\d+/g, (name, kind: string) => {
    if (!names.has(name)) names.set(name, `${kind}-${names.size}`)
    return names.get(name) ?? name
  })
}

/** The same picture in other colours for readers who prefer a dark page. Rules of style are stronger than attributes. */
function withDark(svg: string): string {
  const rules = Object.entries(DARK).flatMap(([light, dark]) => ['fill', 'stroke'].map((name) => `[${name}="${light}"]{${name}:${dark}}`))
  return svg.replace(/^<svg [^>]*>/, (head) => `${head}\n<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`)
}

/** Only when there is something to draw: it is installed for the bench suite alone. */
function load(): Echarts {
  try {
    return createRequire(import.meta.url)('echarts') as Echarts
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error('no charts: echarts is not installed (npm install --prefix bench)')
  }
}
