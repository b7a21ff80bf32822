// The command line of `npm run bench`.
import { parseArgs } from 'node:util'
import { quickPairs } from './bars.ts'
import { drivers } from './drivers.ts'
import { path } from './processes.ts'
import { familyOf, type Trial, trials } from './trials.ts'

/** Told in one line; exit code 2. */
export class UsageError extends Error {}

export interface Options {
  only: string[] | undefined
  drivers: string[] | undefined
  quick: boolean
  list: boolean
  rounds: number
  seconds: number
  out: string
}

/** What `--only` takes besides trials. */
export const MICRO = 'micro'

export function parseOptions(args: string[]): Options {
  const values = parse(args)
  const only = names(values.only, 'trial', [...new Set(trials.flatMap(({ id }) => [familyOf(id), id])), MICRO])
  return {
    only,
    drivers: names(
      values.drivers,
      'driver',
      drivers.map(({ name }) => name),
    ),
    quick: values.quick === true,
    list: values.list === true,
    rounds: amount('rounds', values.rounds ?? (values.quick ? '1' : '3'), Number.isInteger, 1),
    seconds: amount('seconds', values.seconds ?? (values.quick ? '1' : '2'), Number.isFinite, 0.1),
    out: values.out ?? path('results'),
  }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({ args, options: { only: text, drivers: text, quick: flag, list: flag, rounds: text, seconds: text, out: text } })
      .values
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0])
  }
}

function names(list: string | undefined, what: string, known: string[]): string[] | undefined {
  if (list === undefined) return undefined
  const wanted = list.split(',').map((name) => name.trim())
  const unknown = wanted.find((name) => !known.includes(name))
  if (unknown === undefined) return wanted
  // Points of a sweep would make the line long: their sweep stands for them.
  throw new UsageError(`no ${what} is named ${JSON.stringify(unknown)}; known: ${known.filter((name) => !name.includes('@')).join(', ')}`)
}

/** @throws UsageError */
export function amount(name: string, text: string, valid: (value: number) => boolean, least: number): number {
  const value = Number(text)
  if (text.trim() === '' || !valid(value) || value < least)
    throw new UsageError(`--${name} takes a number from ${least}, not ${JSON.stringify(text)}`)
  return value
}

/** The trials to run, each with the drivers that take part. */
export function plan(options: Options): Trial[] {
  const { only, drivers: named, quick } = options
  const chosen = trials
    .filter(({ id }) => only === undefined || only.includes(id) || only.includes(familyOf(id)))
    .map((trial) => ({
      ...trial,
      drivers: trial.drivers
        .filter((name) => named === undefined || named.includes(name))
        .filter((name) => !quick || only !== undefined || quickPairs.has(`${trial.id} ${name}`)),
    }))
    .filter((trial) => trial.drivers.length > 0)
  if (chosen.length === 0 && !only?.includes(MICRO))
    throw new UsageError('no trial is left: none of these drivers takes part in these trials')
  return chosen
}
