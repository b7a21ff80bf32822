// Which charts a run has: known without drawing them, so that a page can link to them.
import type { Run } from '../results.ts'
import { fanoutChart, stackChart, unaryChart } from './bar-charts.ts'
import type { Chart } from './chart.ts'
import { families } from './families.ts'
import { latencyChart, sweepChart } from './line-charts.ts'

export function plan(run: Run): Chart[] {
  const first = (group: 'unary' | 'fanout') => run.trials.filter((trial) => trial.group === group).slice(0, 1)
  return [
    ...first('unary').map((trial) => unaryChart(run, trial)),
    ...families(run, 'latency').map((family) => latencyChart(run, family)),
    ...families(run, 'stack').map(({ points }) => stackChart(run, points[0])),
    ...families(run, 'sweep').map((family) => sweepChart(run, family)),
    ...first('fanout').map((trial) => fanoutChart(run, trial)),
  ].filter((chart) => chart !== undefined)
}
