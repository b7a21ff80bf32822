// A driver's measurements of one trial, as one figure.
import { type Field, type Measurement, median, type Outcome } from '../results.ts'

export interface Summary {
  median: number
  min: number
  max: number
  /** Half of the range, as a part of the median: what stands behind ±. 0 for a single measurement. */
  spread: number
}

export const runsOf = (outcome: Outcome): Measurement[] => ('runs' in outcome ? outcome.runs : [])

/** undefined when no measurement has the field. */
export function summary(outcome: Outcome, field: Field): Summary | undefined {
  const values = runsOf(outcome).map((run) => run[field])
  return summarise(values.filter((value) => value !== undefined && value !== null))
}

export const medianOf = (outcome: Outcome, field: Field): number | undefined => summary(outcome, field)?.median

export function summarise(values: number[]): Summary | undefined {
  const middle = median(values)
  if (middle === undefined) return undefined
  const min = Math.min(...values)
  const max = Math.max(...values)
  return { median: middle, min, max, spread: middle === 0 ? 0 : (max - min) / 2 / middle }
}

/** From this part of a core on a side counts as saturated: the rest is what the scheduler and the sampling take. */
const SATURATED = 0.9

export interface Load {
  /** Cores busy on each side, 1 being all of one. */
  server: number
  client: number
  saturated: 'server' | 'client' | 'both' | 'neither'
}

/** Which side limits the rate; undefined when a side's CPU was not measured. */
export function loadOf(outcome: Outcome): Load | undefined {
  const rate = medianOf(outcome, 'calls_per_second')
  const serverCost = medianOf(outcome, 'server_cpu_us_per_call')
  const clientCost = medianOf(outcome, 'client_cpu_us_per_call')
  if (rate === undefined || serverCost === undefined || clientCost === undefined) return undefined
  const server = (rate * serverCost) / 1e6
  const client = (rate * clientCost) / 1e6
  const [s, c] = [server >= SATURATED, client >= SATURATED]
  return { server, client, saturated: s && c ? 'both' : s ? 'server' : c ? 'client' : 'neither' }
}
