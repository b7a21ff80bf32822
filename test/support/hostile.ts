import assert from 'node:assert/strict'
import { once as eventOnce } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, it, type TestContext } from 'node:test'
import type { Endpoint, EndpointOptions, Session } from '../../src/index.ts'
import { endpoint, type Kind, once, recorder, transports } from './helpers.ts'

/** One line of docs/spec/limits.md#hostile-input for one protocol. */
export interface Row {
  /** Its number, such as F1. */
  readonly row: string
  readonly what: string
  readonly bytes: Buffer | string
  /** The session is closed, for this reason. Otherwise it lives, and answers a good call that follows. */
  readonly closes?: string
  /** What the peer was told before that, or what the answer to `bytes` has in it. */
  readonly says?: RegExp
}

/** A socket that says what no library would, in whatever protocol. */
export class Stranger {
  readonly socket: Socket
  readonly closed: Promise<void>
  received = ''
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    const closed = once()
    this.closed = closed.promise
    socket.on('error', () => {})
    socket.on('close', () => {
      closed.resolve()
      this.#wake()
    })
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
      this.#wake()
    })
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes)
  }

  /** Once `holds` of what was received. @throws when the connection is closed before */
  async until(holds: (received: string) => boolean): Promise<void> {
    while (!holds(this.received)) {
      if (this.socket.closed) throw new Error(`closed after ${JSON.stringify(this.received.slice(-300))}`)
      const more = once()
      this.#waiting.push(() => more.resolve())
      await more.promise
    }
  }

  hears(text: string): Promise<void> {
    return this.until((received) => received.includes(text))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

/** A stranger on a connection to `port` of this machine, which ends with the test. */
export async function stranger(t: TestContext, port: number): Promise<Stranger> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  t.after(() => socket.destroy())
  await eventOnce(socket, 'connect')
  return new Stranger(socket)
}

export interface Victim {
  server: Endpoint
  /** Of the protocol under attack. */
  url: string
  log: ReturnType<typeof recorder>
  /** Speaks raw to the same endpoint and must notice nothing. */
  control: Session
  /** Makes calls as long as this runs, and returns how many it made. */
  meanwhile<T>(work: () => Promise<T>): Promise<T>
  stranger(): Promise<Stranger>
  /** Reason and detail of the n-th session that was closed for a fault. */
  reasons(): string[]
}

/** A server that speaks `protocol` to strangers, and raw to a session in good order. */
export async function victim(t: TestContext, transport: Kind, protocol: string, options: EndpointOptions = {}): Promise<Victim> {
  const log = recorder()
  const server = endpoint(t, { transport, ...options, log })
  for (const name of ['/echo', '/redis/echo']) server.routeCall(name, (value: unknown) => value)
  const { url: home } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw'] })
  const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: [protocol] })
  const client = endpoint(t, { transport })
  const control = await client.dial(home)
  return {
    server,
    url,
    log,
    control,
    async meanwhile(work) {
      let over = false
      const calls = (async () => {
        let n = 0
        do assert.equal(await control.call('/echo', n), n++)
        while (!over)
      })()
      try {
        return await work()
      } finally {
        over = true
        await calls
      }
    },
    stranger: () => stranger(t, Number(new URL(url).port)),
    reasons: () => log.lines.filter(({ text }) => text === 'session closed').map(({ fields }) => String(fields.reason)),
  }
}

/** What became of each row, by transport; `Incomparable` outcomes are left out. */
const outcomes = new Map<string, Map<Kind, unknown>>()

export function note(key: string, transport: Kind, outcome: unknown): void {
  let of = outcomes.get(key)
  if (of === undefined) outcomes.set(key, (of = new Map()))
  of.set(transport, typeof outcome === 'string' ? undated(outcome) : outcome)
}

/** What is said by HTTP, but for when. */
function undated(said: string): string {
  return said.replace(/^Date: .*$/gm, 'Date: today')
}

/** Call it once behind the suites of a file. */
export function compareTransports(): void {
  if (transports.length < 2) return
  it('both transports decided alike', () => {
    assert.ok(outcomes.size > 0)
    for (const [key, of] of outcomes) assert.deepEqual(of.get('native'), of.get('js'), key)
  })
  after(() => outcomes.clear())
}

let tokens = 0

/**
 * Feeds each row to a connection of its own. `alive` makes a good call that is answered with the token in it. No other session notices, and what
 * is counted and logged is exactly what was done.
 */
export async function feed(
  t: TestContext,
  transport: Kind,
  protocol: string,
  rows: readonly Row[],
  alive: (token: string) => Buffer | string,
  options: EndpointOptions = {},
): Promise<void> {
  const target = await victim(t, transport, protocol, options)
  let closed = 0
  const wrong: string[] = []
  await target.meanwhile(async () => {
    for (const { row, what, bytes, closes, says } of rows) {
      const key = `${protocol} ${row} ${what}`
      const stranger = await target.stranger()
      stranger.send(bytes)
      if (closes !== undefined) {
        if (!(await within(stranger.closed))) wrong.push(`${key}: not closed`)
      } else {
        const token = `alive${String(++tokens).padStart(5, '0')}`
        stranger.send(alive(token))
        if (!(await within(stranger.hears(token)))) wrong.push(`${key}: no answer to a good call`)
      }
      if (stranger.socket.closed) {
        closed++
        // The other end may hear of it a turn later.
        for (let i = 0; i < 100 && target.reasons().length < closed; i++) await target.control.call('/echo', i)
      }
      const reason = stranger.socket.closed ? target.reasons()[closed - 1] : undefined
      if (reason !== closes) wrong.push(`${key}: ${reason}, not ${closes}`)
      const said = stranger.received.replace(/alive\d+/g, 'alive')
      if (says?.test(said) === false) wrong.push(`${key}: said ${JSON.stringify(said.slice(0, 200))}`)
      note(key, transport, { said: undated(said), reason })
      if (target.server.stats.violations !== closed) wrong.push(`${key}: ${target.server.stats.violations} violations, not ${closed}`)
      stranger.socket.destroy()
    }
  })
  assert.deepEqual(wrong, [])
  assert.equal(target.reasons().length, closed)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
}

/** False when `promise` was rejected, or not settled after so long that it never will be: a row that hangs must not hide the others. */
async function within(promise: Promise<unknown>): Promise<boolean> {
  const late = once<boolean>()
  const timer = setTimeout(() => late.resolve(false), 1000)
  const settled = promise.then(
    () => true,
    () => false,
  )
  const result = await Promise.race([settled, late.promise])
  clearTimeout(timer)
  return result
}
