// Draws a run's charts as SVG, without a browser.
import { createRequire } from 'node:module'
import type { Run } from '../results.ts'
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
      const svg = chart.renderToSVGString()
      chart.dispose() // else its timers keep the process alive
      return [file, svg]
    }),
  )
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
