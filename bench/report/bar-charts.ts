// Charts with a horizontal bar for each driver.
import type { Outcome, Run, TrialResult } from '../results.ts'
import { type Chart, COLOURS, categoryAxis, frame, label, legend, OTHERS, OURS, TOP, valueAxis, WIDTH } from './chart.ts'
import { measured, missing } from './families.ts'
import { count, digits, milliseconds, ratio } from './format.ts'
import { medianOf } from './summary.ts'
import { BASE, lead } from './trial-tables.ts'

const ROW = 30
/** Below the plot: the axis and its name. */
const AXIS = 56
/** Of a letter, in what no browser draws wider. */
const LETTER = 7.8
const NOTE_LINE = 16
/** Characters of the note that fit on a line. */
const NOTE_WIDTH = 150

const isOurs = (driver: string): boolean => driver === 'js' || driver.startsWith(BASE)

interface Bars {
  file: string
  title: string
  axis: string
  /** Drivers from top to bottom, with what is written behind their bar. */
  rows: { outcome: Outcome; length: number; text: string }[]
  series: { name?: string; data: unknown[]; colour?: string }[]
}

/** Stacked where there is more than one series. */
function bars(run: Run, trial: TrialResult, { file, title, axis, rows, series }: Bars): Chart {
  const lacking = missing([trial])
  const note = lacking.length === 0 ? '' : `Missing here: ${lacking.join(', ')}`
  const foot = note === '' ? AXIS : AXIS + Math.ceil(note.length / NOTE_WIDTH) * NOTE_LINE + 14
  const top = series.length > 1 ? TOP + 20 : TOP
  return {
    file,
    title,
    width: WIDTH,
    height: top + rows.length * ROW + foot,
    option: {
      ...frame(run, title, note),
      ...(series.length > 1 ? { legend: legend({ top: 66 }) } : {}),
      grid: {
        left: 24 + LETTER * Math.max(...rows.map(({ outcome }) => outcome.label.length)),
        right: roomBehind(rows),
        top,
        bottom: foot,
      },
      // No grid: every bar has its value, and lines would cross the texts.
      xAxis: { ...valueAxis(axis, 30), splitLine: { show: false } },
      yAxis: categoryAxis(rows.map(({ outcome }) => outcome.label)),
      series: series.map(({ name, data, colour }, i) => ({
        type: 'bar',
        name,
        stack: 'all',
        data,
        barWidth: 18,
        itemStyle: { color: colour },
        label: i === series.length - 1 ? label(({ dataIndex }) => rows[dataIndex].text) : { show: false },
      })),
    },
  }
}

/** Pixels for what is written behind the longest bars. */
function roomBehind(rows: Bars['rows']): number {
  const longest = Math.max(...rows.map(({ length }) => length))
  return 24 + LETTER * Math.max(...rows.filter(({ length }) => length > longest / 2).map(({ text }) => text.length))
}

const coloured = (driver: string, value: number): unknown => ({ value, itemStyle: { color: isOurs(driver) ? OURS : OTHERS } })

/** Calls a second, the fastest first. */
export function unaryChart(run: Run, trial: TrialResult): Chart | undefined {
  const found = measured(trial)
    .flatMap(([driver, outcome]) => {
      const rate = medianOf(outcome, 'calls_per_second')
      return rate === undefined ? [] : [{ driver, outcome, rate }]
    })
    .sort((a, b) => b.rate - a.rate)
  if (found.length === 0) return undefined
  return bars(run, trial, {
    file: 'unary.svg',
    title: `Calls per second: ${trial.title}`,
    axis: 'calls/s',
    rows: found.map(({ driver, outcome, rate }) => {
      const times = driver === BASE ? undefined : lead(trial, outcome)
      return { outcome, length: rate, text: times === undefined ? `${count(rate)}/s` : `${count(rate)}/s   native is ${ratio(times)}` }
    }),
    series: [{ data: found.map(({ driver, rate }) => coloured(driver, rate)) }],
  })
}

/** Time to the last delivery, the shortest first. */
export function fanoutChart(run: Run, trial: TrialResult): Chart | undefined {
  const found = measured(trial)
    .flatMap(([driver, outcome]) => {
      const last = medianOf(outcome, 'last_us')
      return last === undefined ? [] : [{ driver, outcome, last }]
    })
    .sort((a, b) => a.last - b.last)
  if (found.length === 0) return undefined
  return bars(run, trial, {
    file: 'fanout.svg',
    title: `Fan-out, time to the last delivery: ${trial.title}`,
    axis: 'ms from the publish to the last delivery',
    rows: found.map(({ outcome, last }) => ({ outcome, length: last, text: `${milliseconds(last)} ms` })),
    series: [{ data: found.map(({ driver, last }) => coloured(driver, last / 1e3)) }],
  })
}

/** The server's CPU per call, split into kernel, native code and JavaScript, the cheapest first. */
export function stackChart(run: Run, trial: TrialResult): Chart | undefined {
  const found = measured(trial)
    .flatMap(([, outcome]) => {
      const parts = [
        medianOf(outcome, 'server_system_us_per_call'),
        medianOf(outcome, 'server_native_us_per_call'),
        medianOf(outcome, 'server_js_us_per_call'),
      ]
      if (parts.some((part) => part === undefined)) return []
      const known = parts as number[]
      return [{ outcome, parts: known, total: known.reduce((sum, part) => sum + part, 0) }]
    })
    .sort((a, b) => a.total - b.total)
  if (found.length === 0) return undefined
  const names = ['kernel', 'native code', 'JavaScript']
  const colours = [OTHERS, OURS, COLOURS[4]]
  return bars(run, trial, {
    file: `${trial.id}.svg`,
    title: `Server ${trial.title}`,
    axis: 'server CPU per call, µs',
    rows: found.map(({ outcome, parts, total }) => ({
      outcome,
      length: total,
      text: `${digits(total)} µs  (${parts.map(digits).join(' + ')})`,
    })),
    series: names.map((name, i) => ({ name, colour: colours[i], data: found.map(({ parts }) => parts[i]) })),
  })
}
