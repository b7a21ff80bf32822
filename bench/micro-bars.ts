// What the micro-benchmarks must reach.
import type { BarResult, MicroResult } from './results.ts'

const GROUP = 'aes-gcm'
const GIGABYTES = 1

/** Nanoseconds of a publish, and how many times as long it may take as the emitter beside it. */
const EVENT_BUS = 'event bus'
const publishBars: Record<string, { atMost: number; ratio?: number }> = {
  '1 listener': { atMost: 60, ratio: 1.5 },
  '100 listeners by 3 wildcards': { atMost: 10_000 },
}

export const evaluateMicro = (micro: MicroResult[]): BarResult[] => [...ciphers(micro), ...codecs(micro), ...publishes(micro)]

/** A rate that Node's own cipher does not reach on this machine cannot be asked of what is built on it. */
const ciphers = (micro: MicroResult[]): BarResult[] =>
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

/** No package for the same codec may be faster; what JSON is held against is the engine itself, which is not to be beaten. */
const codecs = (micro: MicroResult[]): BarResult[] =>
  micro
    .filter((row) => 'others' in row)
    .filter(({ group, others }) => group !== EVENT_BUS && !('JSON' in others))
    .map(({ group, name, ours_ns, others }) => {
      const [best, taken] = Object.entries(others).reduce((least, other) => (other[1] < least[1] ? other : least))
      return {
        id: `micro ${group} ${name}`,
        load: `${group}, ${name}, operations/s`,
        against: best,
        bar: '≥ 1 ×',
        value: taken / ours_ns,
        text: `${ours_ns.toFixed(0)} ns, ${best} ${taken.toFixed(0)} ns: ${(taken / ours_ns).toFixed(2)}`,
        met: taken >= ours_ns,
      }
    })

const publishes = (micro: MicroResult[]): BarResult[] =>
  micro
    .filter((row) => 'others' in row)
    .filter(({ group, name }) => group === EVENT_BUS && name in publishBars)
    .flatMap(({ group, name, ours_ns, others }) => {
      const { atMost, ratio } = publishBars[name]
      const bar = { id: `micro ${group} ${name}`, load: `${group}, ${name}, a publish` }
      const absolute = {
        ...bar,
        against: '',
        bar: `≤ ${atMost} ns`,
        value: ours_ns,
        text: `${ours_ns.toFixed(1)} ns`,
        met: ours_ns <= atMost,
      }
      if (ratio === undefined) return [absolute]
      const against = Object.entries(others).map(([other, taken]) => ({
        ...bar,
        id: `${bar.id} ${other}`,
        against: other,
        bar: `≤ ${ratio} ×`,
        value: ours_ns / taken,
        text: `${ours_ns.toFixed(1)} ns / ${taken.toFixed(1)} ns = ${(ours_ns / taken).toFixed(2)}`,
        met: ours_ns <= taken * ratio,
      }))
      return [absolute, ...against]
    })
