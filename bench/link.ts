// Calls over a cable that loses packets. The server lives in a network namespace at its other end, so that real TCP can be measured too.
import { setTimeout as pause } from 'node:timers/promises'
import type { Driver } from './drivers.ts'
import { ownClient, type Settings, startServer } from './peers.ts'
import { Program, path } from './processes.ts'
import type { Measurement } from './results.ts'
import type { Trial } from './trials.ts'

/** 198.18.0.0/15 is for tests of networks (RFC 2544). */
const NEAR = '198.18.255.1'
const FAR = '198.18.255.2'
const READY_MS = 10_000
const SEED = 1

export async function link(driver: Driver, trial: Trial, settings: Settings): Promise<Measurement> {
  const cable = new Program('the cable', ['python3', path('../test/chaos/fixtures/link.py'), 'dmbench', `${NEAR}/30`, `${FAR}/30`, SEED])
  await cable.next(READY_MS)
  const { loss, delay } = trial.link!
  const way = { loss, delay }
  cable.tell(JSON.stringify({ up: way, down: way }))
  await cable.next(READY_MS)
  const prefix = ['nsenter', '-t', cable.pid, '-n', '--']
  const server = await startServer(driver, trial, settings, { prefix, args: ['--host', FAR] })
  const result = await ownClient<Measurement>(driver, trial, [server], settings, NEAR)
  await server.program.stop()
  await cable.stop()
  await pause(100) // its device goes with it
  return result
}
