import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { GoCheck } from './go-peer.ts'
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

/** What carries the protocols: each has a file of its own, because their suites run at the same time. */
export type Below = 'sockets' | 'tls' | 'websocket' | 'kcp' | 'quic'

const files: Readonly<Record<Below, URL>> = {
  sockets: new URL('./outcomes.json', import.meta.url),
  tls: new URL('./outcomes-tls.json', import.meta.url),
  websocket: new URL('./outcomes-websocket.json', import.meta.url),
  kcp: new URL('./outcomes-kcp.json', import.meta.url),
  quic: new URL('./outcomes-quic.json', import.meta.url),
}

/** Collects what the suite finds. A check that ran on several networks works if it works on each. */
export class Outcomes {
  readonly #found = new Map<string, Recorded>()

  add({ transport, outcome, ...check }: Outcome): void {
    const key = JSON.stringify(check)
    const found = this.#found.get(key) ?? { ...check, native: 'not run', js: 'not run' }
    if (found[transport] !== 'fails') found[transport] = outcome
    this.#found.set(key, found)
  }

  /** Adds what the Go client found. */
  addOfGo(checks: readonly GoCheck[], protocol: ProtocolName, transport: 'native' | 'js'): void {
    for (const { name, row = 'dialling', ok, skipped } of checks) {
      this.add({ direction: 'Go calls Node', protocol, row, name, transport, outcome: skipped ?? (ok ? 'works' : 'fails') })
    }
  }

  /** Asserts that the file of these outcomes says the same, or writes it with DMICRO_INTEROP=record. */
  check(below: Below): void {
    if (process.env.DMICRO_INTEROP === 'record') this.#write(files[below])
    // To record anew: DMICRO_INTEROP=record npm run test:interop && npm run docs:compatibility
    assert.deepEqual(this.list(), readOutcomes(below))
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
  #write(file: URL): void {
    writeFileSync(
      file,
      `[\n${this.list()
        .map((check) => JSON.stringify(check))
        .join(',\n')}\n]\n`,
    )
  }
}

export function readOutcomes(below: Below = 'sockets'): Recorded[] {
  return JSON.parse(readFileSync(files[below], 'utf8'))
}
