// What the micro-benchmarks must reach.
import type { BarResult, MicroResult } from './results.ts'

const GROUP = 'aes-gcm'
const GIGABYTES = 1

/** A rate that Node's own cipher does not reach on this machine cannot be asked of what is built on it. */
export const evaluateMicro = (micro: MicroResult[]): BarResult[] =>
  micro
    .filter((row) => 'bytes' in row)
    .filter(({ group }) => group === GROUP)
    .map(({ name, bytes, ours_ns, bare_ns }) => {
      const [ours, bare] = [bytes / ours_ns, bytes / bare_ns]
      const text = `${ours.toFixed(2)} GB/s, node:crypto ${bare.toFixed(2)} GB/s`
      return {
        id: `micro ${GROUP} ${name}`,
        load: `AES-GCM filter, ${name}`,
        against: '',
        bar: `≥ ${GIGABYTES} GB/s where node:crypto reaches it`,
        value: ours,
        text,
        met: bare < GIGABYTES ? null : ours >= GIGABYTES,
      }
    })
