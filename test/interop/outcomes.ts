import { readFileSync, writeFileSync } from 'node:fs'
import type { ProtocolName } from './protocols.ts'

export type Direction = 'Node calls Go' | 'Go calls Node'

/** What one check showed on one transport. */
export interface Outcome {
  direction: Direction
  protocol: ProtocolName
  row: string
  name: string
  transport: 'native' | 'js'
  /** `works`, `fails`, or why the check did not run: `absent: ...` or `W1: ...`. */
  outcome: string
}

/** The same of both transports, as `outcomes.json` has it. */
export interface Recorded extends Omit<Outcome, 'transport' | 'outcome'> {
  native: string
  js: string
}

const file = new URL('./outcomes.json', import.meta.url)

/** Collects what the suite finds. A check that ran on several networks works if it works on each. */
export class Outcomes {
  readonly #found = new Map<string, Recorded>()

  add({ transport, outcome, ...check }: Outcome): void {
    const key = JSON.stringify(check)
    const found = this.#found.get(key) ?? { ...check, native: 'not run', js: 'not run' }
    if (found[transport] !== 'fails') found[transport] = outcome
    this.#found.set(key, found)
  }

  /** Directions and protocols in a fixed order, checks in the order they ran. */
  list(): Recorded[] {
    const all = [...this.#found.values()]
    const groups = new Map<string, Recorded[]>()
    for (const check of all) {
      const key = `${check.direction} ${check.protocol}`
      groups.set(key, [...(groups.get(key) ?? []), check])
    }
    return [...groups.keys()].sort().flatMap((key) => groups.get(key) as Recorded[])
  }

  /** One check to a line, so that a change of one is a change of one line. */
  write(): void {
    writeFileSync(
      file,
      `[\n${this.list()
        .map((check) => JSON.stringify(check))
        .join(',\n')}\n]\n`,
    )
  }
}

export function readOutcomes(): Recorded[] {
  return JSON.parse(readFileSync(file, 'utf8'))
}
