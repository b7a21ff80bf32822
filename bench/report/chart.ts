// What all charts have in common: size, colours, titles, axes. A chart is data for ECharts; charts.ts draws it.
import type { Run } from '../results.ts'
import { driversOf } from './families.ts'
import { mark, origin } from './format.ts'

export interface Chart {
  file: string
  title: string
  width: number
  height: number
  option: Record<string, unknown>
}

export const WIDTH = 960
/** Where the plot begins, below title and subtitle. */
export const TOP = 84

const INK = '#1f2328'
const FAINT = '#59636e'
const GRID = '#d8dee4'

/** Okabe and Ito's colours, which those who see no red or no green tell apart as well; without the yellow, which white swallows. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#7f7f7f']
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect', 'emptyTriangle']
const DASHES = ['solid', 'dashed', 'dotted']
export const OURS = COLOURS[0]
export const OTHERS = '#8c959f'
const GROUND = '#ffffff'

/** What each colour is on a dark page. */
export const DARK: Readonly<Record<string, string>> = {
  [GROUND]: '#0d1117',
  [INK]: '#e6edf3',
  [FAINT]: '#9198a1',
  [GRID]: '#3d444d',
  [OURS]: '#4aa8e0',
  [OTHERS]: '#6e7681',
  '#000000': '#f0f6fc',
}

/** Title, subtitle and a ground. `note` stands at the foot. */
export function frame(run: Run, title: string, note = ''): Record<string, unknown> {
  const foot = {
    type: 'text',
    left: 20,
    bottom: 10,
    style: { text: note, fill: FAINT, fontSize: 12, width: WIDTH - 40, overflow: 'break' },
  }
  return {
    animation: false,
    backgroundColor: GROUND,
    textStyle: { fontFamily: "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif" },
    title: {
      text: title,
      subtext: origin(run),
      left: 20,
      top: 14,
      textStyle: { color: INK, fontSize: 18 },
      subtextStyle: { color: FAINT, fontSize: 12 },
    },
    graphic: note === '' ? [] : [foot],
  }
}

const axisLook = {
  nameLocation: 'middle',
  nameTextStyle: { color: INK, fontSize: 13 },
  axisLine: { show: true, lineStyle: { color: FAINT } },
  splitLine: { lineStyle: { color: GRID } },
}

export const valueAxis = (name: string, nameGap: number): Record<string, unknown> => ({
  ...axisLook,
  type: 'value',
  name,
  nameGap,
  axisLabel: { color: INK, formatter: mark },
})

/** Whole powers of ten around `values`. */
export function logAxis(name: string, nameGap: number, values: number[]): Record<string, unknown> {
  const from = Math.floor(Math.log10(Math.min(...values)))
  const to = Math.ceil(Math.log10(Math.max(...values)))
  return { ...valueAxis(name, nameGap), type: 'log', min: 10 ** from, max: 10 ** Math.max(to, from + 1) }
}

export const categoryAxis = (data: string[]): Record<string, unknown> => ({
  type: 'category',
  data,
  inverse: true,
  axisTick: { show: false },
  axisLine: { lineStyle: { color: FAINT } },
  axisLabel: { color: INK, fontSize: 13 },
})

/** A line per driver, which looks the same in all charts of a run. */
export function lineOf(run: Run, driver: string, data: number[][]): Record<string, unknown> {
  const drivers = driversOf(run.trials)
  const place = [...drivers.keys()].indexOf(driver)
  const color = COLOURS[place % COLOURS.length]
  return {
    type: 'line',
    name: drivers.get(driver),
    data,
    symbol: SYMBOLS[place % SYMBOLS.length],
    symbolSize: 8,
    itemStyle: { color },
    lineStyle: { color, width: driver === 'native' ? 3 : 2, type: DASHES[Math.floor(place / COLOURS.length) % DASHES.length] },
  }
}

export const legend = (place: { top: number } | { bottom: number }): Record<string, unknown> => ({
  left: 20,
  right: 20,
  ...place,
  itemWidth: 34,
  itemGap: 24,
  textStyle: { color: INK, fontSize: 12 },
})

export const label = (formatter: (point: { dataIndex: number }) => string): Record<string, unknown> => ({
  show: true,
  position: 'right',
  color: INK,
  fontSize: 12,
  formatter,
})
