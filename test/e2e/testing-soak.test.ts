import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint, heartbeatPing, type Session, StatusError } from '../../src/index.ts'
import { TestNetwork } from '../../src/testing/index.ts'

const MINUTES = 10
const CALLS = 2000
const CLIENTS = 4
const SERVERS = 2
/** A deadline is in whole milliseconds, and so is the rest of one that waited for a connection. */
const SLACK = 3

/** Ten minutes of virtual time in which all that can go wrong does, against a model of what must hold nevertheless. */
class Soak {
  readonly net: TestNetwork
  readonly outcomes = new Map<number, number>()
  /** Handlers begun, by call. */
  readonly #handled = new Map<number, number>()
  readonly #settled = new Set<number>()
  /** The last push of each connection. */
  readonly #pushed = new Map<string, number>()
  readonly #problems: string[] = []
  #pushes = 0
  #over = false
  /** Servers made so far: tells the connections of one from those of the next. */
  #made = 0

  constructor(seed: string) {
    this.net = new TestNetwork({ seed })
  }

  async run(): Promise<void> {
    const { net } = this
    const limit = { limit: (MINUTES + 5) * 60_000 }
    const clients = Array.from({ length: CLIENTS }, (_, n) => this.#client(n))
    const sessions = await net.run(async () => {
      for (let n = 0; n < SERVERS; n++) await this.#serve(n)
      return await Promise.all(clients.map((client, n) => client.dial(`tcp://server${n % SERVERS}:1`, { redial: true })))
    }, limit)
    net.faults({
      delay: [0, 60],
      loss: 0.02,
      split: 0.3,
      stall: { chance: 0.01, ms: [10, 2000] },
      reset: 0.001,
      drop: 0.0005,
      halfClose: 0.0005,
      refuse: 0.05,
    })
    const chaos = this.#chaos()
    await net.run(Promise.all(Array.from({ length: CALLS }, (_, id) => this.#call(id, sessions))), limit)
    this.#over = true
    await net.run(chaos, limit)

    // Nothing goes wrong any more: all come back, and are of use.
    net.faults({})
    net.heal()
    for (const link of net.links) if (link.dropped) link.reset()
    await net.run(Promise.all(sessions.map((session) => this.#back(session))), limit)
    await net.advance(10_000)
    for (const session of sessions) this.#require(session.pendingCalls === 0, 'calls are left in a session')
    await net.run(Promise.all(clients.map((client) => client.close())))
    await net.advance(60_000)
    this.#require(net.links.length === 0, `connections are left: ${net.report()}`)
    await net.close()
    assert.deepEqual(this.#problems, [])
    assert.equal(this.#settled.size, CALLS)
    assert.ok(this.#pushes > 1000, `${this.#pushes} pushes`)
  }

  /** One call may be lost with a connection whose end was on its way. */
  async #back(session: Session): Promise<void> {
    const call = async (): Promise<unknown> => await session.call('/call', { id: -1, wait: 0 }, { timeout: 60_000 })
    await call().catch(call)
  }

  #client(n: number): Endpoint {
    const { transport } = this.net.host(`client${n}`)
    const client = new Endpoint({ transport, log: false, dialTimeout: 3000, plugins: [heartbeatPing({ interval: 2000 })] })
    client.routePush('/tick', ({ connection, n: number }: { connection: string; n: number }) => {
      const last = this.#pushed.get(connection) ?? 0
      this.#require(number === last + 1, `push ${number} of ${connection} came after ${last}`)
      this.#pushed.set(connection, number)
      this.#pushes++
    })
    return client
  }

  async #serve(n: number): Promise<void> {
    const { net } = this
    const made = ++this.#made
    const server = new Endpoint({ transport: net.host(`server${n}`).transport, log: false })
    server.routeCall('/call', async ({ id, wait }: { id: number; wait: number }) => {
      if (id >= 0) this.#handled.set(id, (this.#handled.get(id) ?? 0) + 1)
      if (wait > 0) await net.sleep(wait)
      return id
    })
    server.on('session', (session) => void this.#tick(session, `${made}/${session.remoteAddress}`))
    await server.listen(`tcp://server${n}:1`)
  }

  /** Numbered pushes for as long as the connection lasts. */
  async #tick(session: Session, connection: string): Promise<void> {
    for (let n = 1; session.state === 'open' && !this.#over; n++) {
      await session.push('/tick', { connection, n }).catch(() => n--)
      await this.net.sleep(this.#random(0, 2000))
    }
  }

  async #call(id: number, sessions: Session[]): Promise<void> {
    const { net } = this
    await net.sleep((id / CALLS) * MINUTES * 60_000)
    const session = sessions[Math.floor(this.#random(0, sessions.length))]
    const timeout = Math.floor(this.#random(50, 5000))
    const start = net.now
    let code = 0
    try {
      const reply = await session.call('/call', { id, wait: this.#random(0, 1) < 0.3 ? this.#random(0, 6000) : 0 }, { timeout })
      this.#require(reply === id, `call ${id} was answered ${String(reply)}`)
    } catch (error) {
      code = error instanceof StatusError ? error.code : -1
      this.#require(code === 102 || code === 408, `call ${id} failed with ${String(error)}`)
    }
    const took = net.now - start
    this.#require(took <= timeout + SLACK, `call ${id} took ${took} ms of ${timeout}`)
    this.#require(code !== 408 || took > timeout - 1e-6, `call ${id} ended ${timeout - took} ms early`)
    this.#require(!this.#settled.has(id), `call ${id} settled twice`)
    const handled = this.#handled.get(id) ?? 0
    this.#require(handled <= 1 && (code !== 0 || handled === 1), `call ${id} was handled ${handled} times`)
    this.#settled.add(id)
    this.outcomes.set(code, (this.outcomes.get(code) ?? 0) + 1)
  }

  async #chaos(): Promise<void> {
    const { net } = this
    while (!this.#over) {
      await net.sleep(this.#random(1000, 6000))
      const n = Math.floor(this.#random(0, SERVERS))
      const links = net.links.filter(({ open, dropped }) => open && !dropped)
      const link = links[Math.floor(this.#random(0, links.length))]
      const kind = Math.floor(this.#random(0, 7))
      if (kind === 0) link?.reset()
      else if (kind === 1) link?.drop()
      else if (kind === 2) link?.stall([100, 8000])
      else if (kind === 3) link?.halfClose(link.server.host)
      else if (kind === 4)
        await this.#cut(
          () => net.partition(`server${n}`),
          () => net.heal(`server${n}`),
        )
      else if (kind === 5)
        await this.#cut(
          () => net.partition('client0', 'server0', { oneWay: true }),
          () => net.heal('client0', 'server0'),
        )
      else
        await this.#cut(
          () => net.host(`server${n}`).crash(),
          () => this.#serve(n),
        )
    }
  }

  async #cut(begin: () => void, end: () => unknown): Promise<void> {
    begin()
    await this.net.sleep(this.#random(0, 5000))
    await end()
  }

  #random(min: number, max: number): number {
    return min + this.net.clock.random() * (max - min)
  }

  #require(holds: boolean, problem: string): void {
    if (!holds && this.#problems.length < 20) this.#problems.push(`${this.net.now.toFixed(3)}: ${problem}`)
  }
}

const seeds = process.env.DMICRO_TEST_SEED?.split(',') ?? ['1', '2']

for (const seed of seeds) {
  test(`ten minutes of faults, seed ${seed}`, { timeout: 60_000 }, async (t) => {
    const real = performance.now()
    const soak = new Soak(seed)
    try {
      await soak.run()
    } catch (error) {
      t.diagnostic(`DMICRO_TEST_SEED=${seed} does it again; the last of its trace:\n${soak.net.trace.slice(-50).join('\n')}`)
      throw error
    }
    const of = (code: number): number => soak.outcomes.get(code) ?? 0
    t.diagnostic(
      `${of(0)} answered, ${of(102)} lost, ${of(408)} late, in ${((performance.now() - real) / 1000).toFixed(1)} s: ${soak.net.digest}`,
    )
    assert.ok(of(0) > CALLS / 3 && of(102) > 0 && of(408) > 0, JSON.stringify([...soak.outcomes]))
  })
}
