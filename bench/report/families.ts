// The trials of a run as a report goes through them.
import type { Group, Outcome, Run, TrialResult } from '../results.ts'

/** Trials that are points of one sweep, in the order of their values; or a trial that is no sweep, alone. */
export interface Family {
  id: string
  /** The x axis of a sweep. */
  axis: string | undefined
  points: TrialResult[]
}

export function families(run: Run, group: Group): Family[] {
  const found = new Map<string, Family>()
  for (const trial of run.trials) {
    if (trial.group !== group) continue
    const id = trial.id.split('@')[0]
    const family = found.get(id) ?? { id, axis: trial.x?.name, points: [] }
    family.points.push(trial)
    found.set(id, family)
  }
  for (const { points } of found.values()) points.sort((a, b) => (a.x?.value ?? 0) - (b.x?.value ?? 0))
  return [...found.values()]
}

/** Drivers that were measured, in the run's order. */
export const measured = (trial: TrialResult): [name: string, outcome: Outcome][] =>
  Object.entries(trial.drivers).filter(([, outcome]) => 'runs' in outcome)

/** Every driver of some trials with its label, in the order of the first trial that has it. */
export function driversOf(trials: TrialResult[]): Map<string, string> {
  const labels = new Map<string, string>()
  for (const { drivers } of trials) for (const [name, { label }] of Object.entries(drivers)) if (!labels.has(name)) labels.set(name, label)
  return labels
}

/** `label (reason)` of each driver that some trial lacks, once. */
export function missing(trials: TrialResult[]): string[] {
  const lines = new Set<string>()
  for (const { drivers } of trials) {
    for (const outcome of Object.values(drivers))
      if ('missing' in outcome) lines.add(`${outcome.label} (${outcome.missing.replaceAll(/\s+/g, ' ')})`)
  }
  return [...lines]
}

/** A sentence that names who is missing and why; '' when nobody is. */
export function absent(trials: TrialResult[]): string {
  const lines = missing(trials)
  return lines.length === 0 ? '' : `Missing: ${lines.join(', ')}.`
}
