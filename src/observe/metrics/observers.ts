import type { MeteredSession } from '../../overload/meter.ts'
import type { CallCounts, CallObserver } from './call-counts.ts'

/** Several observers of one meter, such as those of two consoles. */
export class Observers implements CallObserver {
  readonly slow: number
  readonly all: readonly CallObserver[]

  constructor(all: readonly CallObserver[]) {
    this.all = all
    this.slow = Math.min(...all.map(({ slow }) => slow))
  }

  observed(counts: CallCounts, code: number, ms: number, trace: string | undefined, session: MeteredSession | undefined): void {
    for (const observer of this.all) if (code !== 0 || ms >= observer.slow) observer.observed(counts, code, ms, trace, session)
  }
}
