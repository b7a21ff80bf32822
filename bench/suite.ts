// Runs trials: each driver in each round, in alternating order, the results added to the run as they come.
import type { Reasons } from './availability.ts'
import { driver } from './drivers.ts'
import { measure } from './measure.ts'
import { type Settings, warmupOf } from './peers.ts'
import { Progress } from './progress.ts'
import type { Outcome, Run, TrialResult } from './results.ts'
import type { Trial } from './trials.ts'

/** Seconds that starting and stopping the processes of a measurement takes, about. */
const OVERHEAD = 0.7
/** What a measurement of ten thousand sessions takes. */
const MANY_SESSIONS = 7
/** What the processes of a startup measurement take. */
const STARTUP = 8

/** Adds the results of `trials` to `run`. */
export async function runTrials(trials: Trial[], reasonOf: Reasons, run: Run, settings: Settings): Promise<void> {
  const steps = trials.flatMap((trial) => trial.drivers.filter((name) => reasonOf(name, trial) === undefined).map(() => trial))
  const progress = new Progress(steps.reduce((sum, trial) => sum + roundsOf(trial, run) * planned(trial, settings), 0))
  try {
    for (const trial of trials) {
      const result = start(trial, reasonOf)
      run.trials.push(result)
      for (let round = 0; round < roundsOf(trial, run); round++) await runRound(trial, result, round, run, settings, progress)
    }
  } finally {
    progress.end()
  }
}

function start(trial: Trial, reasonOf: Reasons): TrialResult {
  const { id, group, title, x, drivers } = trial
  const outcome = (name: string): Outcome => {
    const { label } = driver(name)
    const reason = reasonOf(name, trial)
    return reason === undefined ? { label, runs: [] } : { label, missing: reason }
  }
  return { id, group, title, ...(x && { x }), drivers: Object.fromEntries(drivers.map((name) => [name, outcome(name)])) }
}

async function runRound(trial: Trial, result: TrialResult, round: number, run: Run, settings: Settings, progress: Progress): Promise<void> {
  const drivers = round % 2 === 0 ? trial.drivers : trial.drivers.toReversed()
  for (const name of drivers) {
    const outcome = result.drivers[name]
    if ('missing' in outcome) continue
    progress.step(`${trial.id}: ${name}, round ${round + 1} of ${roundsOf(trial, run)}`)
    try {
      outcome.runs.push(await measure(driver(name), trial, settings))
    } catch (error) {
      throw new Error(`${trial.id}: ${(error as Error).message}`)
    }
    progress.done(planned(trial, settings))
  }
}

const roundsOf = (trial: Trial, run: Run): number => Math.min(trial.rounds ?? run.rounds, run.rounds)

/** Seconds that one measurement should take. */
function planned(trial: Trial, settings: Settings): number {
  if (trial.how === 'fanout' || trial.how === 'idle') return MANY_SESSIONS
  if (trial.how === 'startup') return STARTUP
  const once = settings.seconds * trial.share + warmupOf(trial, settings) + OVERHEAD
  return trial.how.startsWith('stack') ? 2 * once : once
}
