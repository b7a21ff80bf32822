import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { endpoint, type Kind, onEachTransport } from '../support/helpers.ts'
import type { Did, ServeDrained, Tell } from './fixtures/drained.ts'
import { Child, scaled } from './support.ts'

const SERVERS = scaled(2, 3)
/** Each restarts every server, one after the other. */
const ROUNDS = scaled(1, 20)
const CALLS_PER_SECOND = scaled(500, 2000)
/** Milliseconds under load between two restarts. */
const BETWEEN = scaled(200, 500)

/** A place where one server process follows another. */
class Place {
  readonly did: Did[] = []
  url = 'tcp://127.0.0.1:0'
  readonly #t: TestContext
  readonly #transport: Kind
  #child: Child | undefined

  constructor(t: TestContext, transport: Kind) {
    this.#t = t
    this.#transport = transport
  }

  async start(): Promise<void> {
    this.#child = await Child.start(this.#t, 'drained.ts')
    this.url = await this.#child.ask<string>({ do: 'serve', url: this.url, transport: this.#transport } satisfies ServeDrained)
  }

  /** As a supervisor does it. */
  async stop(): Promise<void> {
    const child = this.#child as Child
    const told = child.ask<Did>({ do: 'did' } satisfies Tell)
    const gone = child.kill('SIGTERM')
    this.did.push(await told)
    assert.equal(await gone, 0)
  }
}

const sorted = (numbers: number[]): Float64Array => Float64Array.from(numbers).sort()

onEachTransport(`${CALLS_PER_SECOND} calls a second while each of ${SERVERS} servers is replaced ${ROUNDS} times`, (transport) => {
  test('none fails, every one runs and is answered once, no push is lost', { timeout: 600_000 }, async (t) => {
    const places = Array.from({ length: SERVERS }, () => new Place(t, transport))
    await Promise.all(places.map((place) => place.start()))
    // What waits while a busy machine starts a process must have room to.
    const client = endpoint(t, {
      transport,
      closeTimeout: 20_000,
      redial: { minDelay: 10, maxDelay: 200 },
      limits: { maxRunning: 100_000 },
    })
    client.routeCall('/answer', (id: number) => id)
    const sessions = await Promise.all(places.map(({ url }) => client.dial(url)))

    const failures: string[] = []
    const open = new Set<Promise<void>>()
    let made = 0
    let answered = 0
    const calls: number[] = []
    const notes: number[] = []
    const methods = ['/now', '/later', '/now', '/later', '/ask']
    const make = (id: number): void => {
      const session = sessions[id % SERVERS]
      if (id % 10 === 9) {
        notes.push(id)
        session.push('/note', id).catch((error) => failures.push(`push ${id}: ${error}`))
      }
      calls.push(id)
      const { state } = session
      const call = session.call(methods[id % methods.length], id).then(
        (value) => {
          if (value === id) answered++
          else failures.push(`${id} was answered ${value}`)
        },
        (error) => failures.push(`${methods[id % methods.length]} ${id}, made while ${state}: ${error} (${error.cause})`),
      )
      open.add(call as Promise<void>)
      void call.finally(() => open.delete(call as Promise<void>))
    }
    // An open loop: what is due is called, however slow the servers are.
    const start = performance.now()
    const timer = setInterval(() => {
      for (const due = ((performance.now() - start) * CALLS_PER_SECOND) / 1000; made < due; made++) make(made)
    }, 1)
    t.after(() => clearInterval(timer))

    const loaded = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    await loaded(BETWEEN)
    for (let round = 0; round < ROUNDS; round++) {
      for (const place of places) {
        await place.stop()
        await place.start()
        await loaded(BETWEEN)
      }
    }
    clearInterval(timer)
    await Promise.all(open)
    for (const session of sessions) await session.call('/now', -1) // what was pushed came before it
    await client.close()
    await Promise.all(places.map((place) => place.stop()))

    assert.deepEqual(failures.slice(0, 10), [], `${failures.length} of ${made} failed`)
    assert.equal(answered, made)
    const did = places.flatMap((place) => place.did)
    assert.equal(did.length, SERVERS * (ROUNDS + 1))
    const ran = sorted(did.flatMap((life) => life.calls).filter((id) => id >= 0))
    assert.ok(Buffer.from(ran.buffer).equals(Buffer.from(sorted(calls).buffer)), `${calls.length} calls were made, ${ran.length} ran`)
    const noted = sorted(did.flatMap((life) => life.notes))
    assert.ok(Buffer.from(noted.buffer).equals(Buffer.from(sorted(notes).buffer)), `${notes.length} pushes were made, ${noted.length} came`)
    t.diagnostic(`${made} calls, ${notes.length} pushes, ${SERVERS * ROUNDS} restarts`)
  })
})
