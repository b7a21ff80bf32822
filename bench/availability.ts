// Which drivers cannot run here, and why.

import { linkMissing } from '../test/chaos/link.ts'
import { attempt } from './attempt.ts'
import type { Unready } from './build.ts'
import { type Driver, driver } from './drivers.ts'
import { payloads } from './payloads.mjs'
import { serverCommand } from './peers.ts'
import { startupCommand } from './startup.ts'
import type { Trial } from './trials.ts'

const PROBE_MS = 30_000

/** Why a driver cannot take part in a trial; undefined: it can. */
export type Reasons = (name: string, trial: Trial) => string | undefined

const key = (name: string, { payload, protocol, load }: Trial): string =>
  load === undefined ? `${name} ${payloads[payload].kind} ${protocol ?? 'raw'}` : `${name} ${load}`

/** Tries every driver of `trials` with each kind of payload that it must carry, in each protocol. */
export async function findReasons(trials: Trial[], unready: Unready): Promise<Reasons> {
  const probes = new Map<string, () => Promise<string | undefined>>()
  for (const trial of trials) for (const name of trial.drivers) probes.set(key(name, trial), () => probe(driver(name), trial, unready))
  const found = await Promise.all([...probes].map(async ([pair, run]) => [pair, await run()] as const))
  const reasons = new Map(found)
  const client = (name: string, { how }: Trial) =>
    driver(name).scheme === 'tls' && (how === 'load' || how === 'handshake') ? unready.openssl : undefined
  const cable = trials.some(({ how }) => how === 'link') ? linkMissing() : undefined
  return (name, trial) => reasons.get(key(name, trial)) ?? client(name, trial) ?? (trial.how === 'link' ? cable : undefined)
}

/** A js server that has no input starts, and ends again; a startup trial's process ends by itself. */
async function probe(driver: Driver, trial: Trial, unready: Unready): Promise<string | undefined> {
  if (driver.kind !== 'js') return unready[driver.kind]
  const command = trial.how === 'startup' ? startupCommand(driver.peer, trial) : serverCommand(driver, { ...trial, routes: undefined })
  const reason = await attempt(command, { limitMs: PROBE_MS })
  return reason?.replace(`${driver.peer} cannot run here: `, '')
}
