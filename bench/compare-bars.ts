// What `npm run bench:compare b98b7bb` must show: the loads on objects against that commit, and that no other load has become slower.
import type { Field } from './results.ts'

/** The commit before objects were worked on. */
export const BASELINE = 'b98b7bb'

export interface CompareBar {
  trial: string
  driver: string
  field: Field
  /** Of the medians, after to before. */
  atLeast?: number
  atMost?: number
}

const calls = (trial: string, driver: string, atLeast: number): CompareBar => ({ trial, driver, field: 'calls_per_second', atLeast })
const cost = (trial: string, atMost: number): CompareBar => ({ trial, driver: 'native', field: 'server_cpu_us_per_call', atMost })

/** By the calls that the saturated side answers: where the C++ client sends, that is the server. */
const unchanged = ['unary-64', 'unary-64k', 'unary-bytes', 'many-256x1', 'deep-16x64', 'push-1x64']

export const compareBars: CompareBar[] = [
  calls('unary-object', 'native', 1.5),
  calls('unary-object', 'js', 1.2),
  cost('deep-object', 0.75),
  // Calls per server CPU second: at least 1.5 times as many.
  ...['json', 'jsonrpc', 'http'].map((protocol) => cost(`protocols@${protocol}-object`, 1 / 1.5)),
  ...unchanged.flatMap((trial) => ['native', 'js'].map((driver) => calls(trial, driver, 0.98))),
]

/** `≥ 1.5 ×: yes`; '' where nothing is asked, or the commit is another. */
export function verdict(before: string, trial: string, driver: string, field: Field, ratio: number): string {
  const bar = compareBars.find((one) => one.trial === trial && one.driver === driver && one.field === field)
  // git's short names have seven digits or more.
  if (bar === undefined || !before.startsWith(BASELINE)) return ''
  const { atLeast, atMost } = bar
  const met = ratio >= (atLeast ?? -Infinity) && ratio <= (atMost ?? Infinity)
  const wanted = atLeast === undefined ? `≤ ${Number(atMost!.toFixed(3))}` : `≥ ${atLeast}`
  return `${wanted} ×: ${met ? 'yes' : '**NO**'}`
}
