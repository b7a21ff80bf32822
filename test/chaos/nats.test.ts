import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once as event } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CallOptions, Gap, PushContext, Session } from '../../src/index.ts'
import { type Cutter, cutter } from '../support/cutter.ts'
import { endpoint, type Kind, onEachTransport } from '../support/helpers.ts'
import { random as generator } from '../support/random.ts'
import { long } from './support.ts'

const SERVERS = 3
const CALLS = long ? 10_000 : 500
const DURATION = long ? 60_000 : 4_000
/** Milliseconds between two faults, and how long one lasts. */
const [PAUSE_MIN, PAUSE_MORE, DOWN] = long ? [1000, 2000, 2000] : [200, 400, 300]
/** Milliseconds between two pushes of a server. */
const PUSH_EVERY = long ? 6 : 8
const FIXTURE = fileURLToPath(new URL('fixtures/numbered.ts', import.meta.url))

/** What one process of a server wrote down. */
interface Life {
  pid: number
  /** It was killed, so that its state is gone and nobody was told. */
  killed: boolean
  /** Numbers of calls that ran, of pushes that came. */
  calls: number[]
  pushes: number[]
  /** Numbers of its own pushes, and of those whose promise was rejected. */
  down: number[]
  failed: Set<number>
  gaps: Gap[]
}

/** One place of a server: processes live there one after the other. */
class Place {
  readonly lives: { pid: number; file: string; killed: boolean }[] = []
  readonly #transport: Kind
  readonly #folder: string
  url = 'tcp://127.0.0.1:0'
  proxy!: Cutter
  #process!: ChildProcess

  constructor(transport: Kind, folder: string) {
    this.#transport = transport
    this.#folder = folder
  }

  async start(): Promise<void> {
    const file = join(this.#folder, `${this.lives.length}-${Math.random()}`)
    const log = openSync(file, 'a')
    const child = spawn(process.execPath, ['--import', 'tsx', FIXTURE, this.#transport, this.url, String(PUSH_EVERY)], {
      stdio: ['ignore', 'inherit', 'inherit', log, 'ipc'],
    })
    closeSync(log)
    this.#process = child
    this.lives.push({ pid: child.pid as number, file, killed: false })
    const [url] = await Promise.race([event(child, 'message'), event(child, 'exit').then(() => [undefined])])
    if (url !== undefined) this.url = url as string
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return
    if (signal === 'SIGKILL') (this.lives.at(-1) as { killed: boolean }).killed = true
    const gone = event(child, 'exit')
    child.kill(signal)
    await gone
  }

  read(): Life[] {
    return this.lives.map(({ pid, file, killed }) => {
      const life: Life = { pid, killed, calls: [], pushes: [], down: [], failed: new Set(), gaps: [] }
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        const [what, first, second] = line.split(' ')
        if (what === 'call') life.calls.push(Number(first))
        else if (what === 'push') life.pushes.push(Number(first))
        else if (what === 'down') life.down.push(Number(first))
        else if (what === 'failed') life.failed.add(Number(first))
        else if (what === 'gap') life.gaps.push({ sent: Number(first), received: second === 'undefined' ? undefined : Number(second) })
      }
      return life
    })
  }
}

/** One of the four ways to be down, for `time` milliseconds. */
async function fault(place: Place, kind: number, time: number): Promise<void> {
  if (kind === 0 || kind === 3) {
    await place.stop(kind === 0 ? 'SIGKILL' : 'SIGTERM')
    await delay(time)
    await place.start()
  } else if (kind === 1) {
    // Away, while the process lives: every connection of this time is reset.
    for (const end = performance.now() + time; performance.now() < end; ) {
      place.proxy.cut()
      await delay(20)
    }
  } else {
    place.proxy.stall()
    await delay(time)
    place.proxy.flow()
  }
}

/** What the client saw of one server, and what was settled how often. */
class Ledger {
  readonly settled = new Map<number, number>()
  /** Numbers of the calls to the handler that answers at once, in the order of their replies. */
  readonly order: number[] = []
  readonly failures: string[] = []
  readonly down: { pid: number; n: number }[] = []
  readonly gaps: Gap[] = []
}

async function traffic(session: Session, ledger: Ledger, over: () => boolean): Promise<void> {
  const calls: Promise<void>[] = []
  const options: CallOptions = { idempotent: true, timeout: 600_000 }
  for (let n = 1; n <= CALLS; n++) {
    const slow = n % 10 === 0
    const call = session.call<string>(slow ? '/slow' : '/run', n, options).then(
      (value) => {
        ledger.settled.set(n, (ledger.settled.get(n) ?? 0) + 1)
        if (value !== `${n} done`) ledger.failures.push(`call ${n} was answered ${value}`)
        if (!slow) ledger.order.push(n)
      },
      (error) => ledger.failures.push(`call ${n} failed: ${error.code} ${error.cause}`),
    )
    calls.push(call as Promise<void>)
    session.push('/up', n).catch((error) => ledger.failures.push(`push ${n} failed: ${error.code} ${error.cause}`))
    // Spread over the time that there are faults.
    if (n % 5 === 0 && !over()) await delay((5 * DURATION) / CALLS)
  }
  await Promise.all(calls)
}

/**
 * What is promised (docs/resume.md) and checked here:
 * - each idempotent call is answered once, with its own value; one process runs it once at most, another one again only where the first is gone
 * - calls to a handler that answers at once are answered in the order they were made
 * - pushes come in order and never twice; what is missing is told by `gap`, on the side that sent it and on the side that waits for it. Only of a process
 *   that was killed, or ended before it could take its leave, the number of what it sent is unknown (`received: undefined`)
 */
function check(ledger: Ledger, lives: Life[]): void {
  assert.deepEqual(ledger.failures, [])
  assert.equal(ledger.settled.size, CALLS, 'calls answered')
  assert.ok(
    [...ledger.settled.values()].every((times) => times === 1),
    'a call was answered twice',
  )
  const late = ledger.order.findIndex((n, i) => i > 0 && n < ledger.order[i - 1])
  assert.equal(late, -1, `the reply to call ${ledger.order[late]} came after that to ${ledger.order[late - 1]}`)
  const ran = new Set(lives.flatMap(({ calls }) => calls))
  assert.equal(ran.size, CALLS, 'calls that ran')
  for (const { pid, calls } of lives) assert.equal(new Set(calls).size, calls.length, `process ${pid} ran a call twice`)

  const up = lives.flatMap(({ pushes }) => pushes)
  assert.ok(isRising(up), 'pushes to the server out of order, or twice')
  const lost = CALLS - up.length
  const told = ledger.gaps.reduce((sum, { sent }) => sum + sent, 0)
  assert.ok(lost <= told, `${lost} pushes to the server are lost, gaps told of ${told}`)
  const noticed = lives.flatMap(({ gaps }) => gaps).reduce((sum, { received }) => sum + (received ?? 0), 0)
  assert.equal(noticed, 0, 'the server missed pushes while it lived')

  let unknown = ledger.gaps.filter(({ received }) => received === undefined).length
  for (const { pid, down, failed, gaps } of lives) {
    const got = ledger.down.filter((each) => each.pid === pid).map(({ n }) => n)
    assert.ok(isRising(got), `pushes of process ${pid} out of order, or twice`)
    const missing = down.filter((n) => !failed.has(n)).length - got.filter((n) => !failed.has(n)).length
    const mayMiss = gaps.reduce((sum, { sent }) => sum + sent, 0)
    if (missing > mayMiss) unknown--
    assert.ok(unknown >= 0, `${missing} pushes of process ${pid} are lost, gaps told of ${mayMiss}`)
  }
  const counted = ledger.gaps.reduce((sum, { received }) => sum + (received ?? 0), 0)
  assert.equal(counted, 0, 'the client missed pushes of a server that lived')
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((n, i) => i === 0 || n > numbers[i - 1])
}

async function recipe(t: TestContext, transport: Kind, seed: number): Promise<void> {
  const random = generator(seed)
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-chaos-'))
  const places = Array.from({ length: SERVERS }, () => new Place(transport, folder))
  t.after(async () => {
    await Promise.all(places.map((place) => place.stop('SIGKILL')))
    rmSync(folder, { recursive: true })
  })
  const client = endpoint(t, { transport, redial: { minDelay: 10, maxDelay: 200 } })
  const bySession = new Map<Session, Ledger>()
  client.routePush('/down', ([pid, n]: [number, number], ctx: PushContext) => {
    bySession.get(ctx.session)?.down.push({ pid, n })
  })
  const sessions: Session[] = []
  for (const place of places) {
    await place.start()
    place.proxy = await cutter(t, place.url)
    const session = await client.dial(place.proxy.url)
    const ledger = new Ledger()
    session.on('gap', (gap) => ledger.gaps.push(gap))
    bySession.set(session, ledger)
    sessions.push(session)
  }

  let over = false
  const end = delay(DURATION).then(() => {
    over = true
  })
  const busy = new Set<Place>()
  const faults: Promise<void>[] = []
  const chaos = async (): Promise<void> => {
    while (!over) {
      await delay(PAUSE_MIN + random(PAUSE_MORE))
      const which = 1 + random(2 ** SERVERS - 1)
      places.forEach((place, i) => {
        const [kind, time] = [random(4), random(DOWN)]
        if ((which & (1 << i)) === 0 || busy.has(place) || over) return
        busy.add(place)
        faults.push(fault(place, kind, time).finally(() => busy.delete(place)))
      })
    }
    await Promise.all(faults)
  }
  const work = sessions.map((session) => traffic(session, bySession.get(session) as Ledger, () => over))
  await Promise.all([end, chaos(), ...work])
  // Behind every push of both directions.
  for (const session of sessions) await session.call('/last', null, { idempotent: true, timeout: 60_000 })
  for (const session of sessions) await session.call('/last', null, { idempotent: true, timeout: 60_000 })
  const all = sessions.map((session, i) => ({ ledger: bySession.get(session) as Ledger, lives: places[i].read() }))
  if (long)
    for (const { ledger, lives } of all)
      t.diagnostic(
        `${lives.length} processes, ${ledger.gaps.length} gaps, lost ${CALLS - lives.flatMap(({ pushes }) => pushes).length} of ${CALLS} pushes up, ` +
          `got ${ledger.down.length} of ${lives.flatMap(({ down }) => down).length} down`,
      )
  for (const { ledger, lives } of all) check(ledger, lives)
}

onEachTransport('servers that come and go', (transport) => {
  test('calls and pushes: none lost, answered twice, out of order, or missing in silence', { timeout: 300_000 }, async (t) => {
    const seed = Number(process.env.DMICRO_SEED ?? Math.floor(Math.random() * 2 ** 31))
    try {
      await recipe(t, transport, seed)
    } catch (error) {
      console.log(`DMICRO_SEED=${seed}`)
      throw error
    }
  })
})
