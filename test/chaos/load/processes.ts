import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { EndpointLoad, EndpointStats } from '../../../src/index.ts'
import type { Kind } from '../../support/helpers.ts'

/** What a client is to do: calls a second, by session, or a number of calls at once. */
export interface Load {
  readonly seconds: number
  readonly rates?: number[]
  readonly inFlight?: number
}

export interface Outcome {
  readonly seconds: number
  readonly ok: number
  /** Calls a second that succeeded. */
  readonly goodput: number
  readonly refused: number
  /** Of those, with a hint when to try again. */
  readonly hinted: number
  readonly failed: number
  readonly okBySession: number[]
  readonly sentBySession: number[]
  /** Milliseconds. */
  readonly latency: Percentiles
  readonly refusal: Percentiles
  /** Of 100 ms each. */
  readonly bins: { ok: number; refused: number }[]
}

interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface Plant {
  run(load: Load): Promise<Outcome>
  look(): Promise<EndpointStats & { load: EndpointLoad | undefined; rss: number }>
}

const pins = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** A server of one kind of handler on the first core, and its client on the second; they go with the test. */
export async function plant(t: TestContext, transport: Kind, kind: 'burn' | 'wait', sessions: number, protection = 'on'): Promise<Plant> {
  const server = start(t, 0, 'server.ts', [transport, kind, protection])
  const client = start(t, 1, 'client.ts', [transport, String(sessions)])
  const [[url]] = await Promise.all([once(server, 'message'), once(client, 'message')])
  const ask = async (process: ChildProcess, question: string | Load): Promise<unknown> => {
    const answer = once(process, 'message')
    process.send(question)
    return (await answer)[0]
  }
  await ask(client, url as string)
  return {
    run: (load) => ask(client, load) as Promise<Outcome>,
    look: () => ask(server, 'look') as ReturnType<Plant['look']>,
  }
}

function start(t: TestContext, core: number, file: string, args: string[]): ChildProcess {
  const command = [process.execPath, '--import', 'tsx', fileURLToPath(new URL(file, import.meta.url)), ...args]
  const [name, ...rest] = pins ? ['taskset', '-c', String(core), ...command] : command
  const child = spawn(name, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.after(() => child.kill())
  return child
}

export function show(what: string, { goodput, refused, failed, latency, refusal }: Outcome): string {
  const ms = (value: number): string => value.toFixed(1)
  const refusals = `${refused} refused, p50 ${ms(refusal.p50)} p99 ${ms(refusal.p99)} max ${ms(refusal.max)} ms`
  return `${what}: ${Math.round(goodput)}/s, p50 ${ms(latency.p50)} p99 ${ms(latency.p99)} ms; ${refusals}; ${failed} failed`
}
