// Charts with a line for each driver, over the points of a sweep.
import type { Field, Run } from '../results.ts'
import { type Chart, frame, legend, lineOf, logAxis, TOP, valueAxis, WIDTH } from './chart.ts'
import { driversOf, type Family } from './families.ts'
import { medianOf } from './summary.ts'

const PLOT = 320
/** Below the plot: the axis, its name, and the legend. */
const AXIS = 56
const LEFT = 76
const RIGHT = 40
/** Between two plots: the axis of the second. */
const BETWEEN = 100
const LEGEND_LINE = 36
/** Width of a legend's entry with its line, roughly, in pixels. */
const entryWidth = (name: string): number => 64 + name.length * 6.6

/** `[driver, points]` of the drivers that have both fields somewhere; x and y are medians. */
function lines(points: { drivers: Family['points'][number]['drivers']; x: (driver: string) => number | undefined }[], y: Field) {
  const names = new Set(points.flatMap(({ drivers }) => Object.keys(drivers)))
  return [...names]
    .map((driver): [string, number[][]] => [
      driver,
      points.flatMap(({ drivers, x }) => {
        const outcome = drivers[driver]
        const [at, value] = [x(driver), outcome && medianOf(outcome, y)]
        return at === undefined || value === undefined || at <= 0 || value <= 0 ? [] : [[at, value]]
      }),
    ])
    .filter(([, data]) => data.length > 0)
}

/** Lines that the legend's entries take. */
function legendLines(run: Run, drivers: string[]): number {
  const labels = driversOf(run.trials)
  const width = drivers.reduce((sum, driver) => sum + entryWidth(labels.get(driver)!), 0)
  return Math.ceil(width / (WIDTH - 40))
}

const column = (data: [string, number[][]][], i: number): number[] => data.flatMap(([, points]) => points.map((point) => point[i]))

/** From 0 on, unless the lines span so much that the lower ones would lie on the axis. */
function costAxis(costs: number[]): Record<string, unknown> {
  const name = 'server CPU per call, µs'
  return Math.max(...costs) > 10 * Math.min(...costs) ? logAxis(name, 48, costs) : valueAxis(name, 48)
}

/** What the legend of these lines takes below a chart. */
function legendHeight(run: Run, data: ReturnType<typeof lines>): number {
  const names = data.map(([driver]) => driver)
  return legendLines(run, names) * LEGEND_LINE
}

/** What a call costs the server as a sweep's value grows. Two points make no line. */
export function sweepChart(run: Run, { id, axis, points }: Family): Chart | undefined {
  const at = points.map((trial) => ({ drivers: trial.drivers, x: () => trial.x?.value }))
  const data = lines(at, 'server_cpu_us_per_call')
  if (axis === undefined || points.length < 3 || data.length === 0) return undefined
  const foot = legendHeight(run, data)
  const title = `Server CPU per call over ${axis}`
  return {
    file: `${id}.svg`,
    title,
    width: WIDTH,
    height: TOP + PLOT + AXIS + foot,
    option: {
      ...frame(run, title),
      legend: legend({ bottom: 8 }),
      grid: { left: LEFT, right: RIGHT, top: TOP, bottom: AXIS + foot },
      xAxis: logAxis(axis, 30, column(data, 0)),
      yAxis: costAxis(column(data, 1)),
      series: data.map(([driver, line]) => lineOf(run, driver, line)),
    },
  }
}

/** p50 and p99 side by side over the calls a second that were really made. */
export function latencyChart(run: Run, { id, axis, points }: Family): Chart | undefined {
  const at = points.map(({ drivers }) => ({
    drivers,
    x: (driver: string) => drivers[driver] && medianOf(drivers[driver], 'calls_per_second'),
  }))
  const sides = (['p50_us', 'p99_us'] as const).map((field) => lines(at, field))
  if (axis === undefined || sides.some((side) => side.length === 0)) return undefined
  const x = sides.flatMap((side) => column(side, 0))
  const y = sides.flatMap((side) => column(side, 1))
  const foot = legendHeight(run, sides[0])
  const title = 'Latency against throughput, open loop'
  const half = (WIDTH - LEFT - RIGHT - BETWEEN) / 2
  return {
    file: `${id}.svg`,
    title,
    width: WIDTH,
    height: TOP + PLOT + AXIS + foot,
    option: {
      ...frame(run, title),
      legend: legend({ bottom: 8 }),
      grid: [0, 1].map((i) => ({ left: LEFT + i * (half + BETWEEN), width: half, top: TOP, bottom: AXIS + foot })),
      xAxis: [0, 1].map((gridIndex) => ({ ...logAxis('calls/s achieved', 30, x), gridIndex })),
      yAxis: ['p50', 'p99'].map((name, gridIndex) => ({ ...logAxis(`${name}, µs`, 48, y), gridIndex })),
      series: sides.flatMap((side, i) => side.map(([driver, line]) => ({ ...lineOf(run, driver, line), xAxisIndex: i, yAxisIndex: i }))),
    },
  }
}
