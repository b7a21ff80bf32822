import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { Endpoint, type Session } from '../../src/index.ts'
import { status } from '../support/helpers.ts'
import { type Direction, Outcomes } from './outcomes.ts'

// The real Go DMicro over WebSocket, in both roles: its sub-protocols json and pb, and raw frames.

delete process.env.DMICRO_TRANSPORT

/** Names of the protocols at Go and here. */
const protocols = { raw: 'raw', json: 'json', pb: 'protobuf' } as const
type GoName = keyof typeof protocols

const outcomes = new Outcomes()
const noStatus = 'W26: statuses are not sent'

/** Runs checks that share a session, and records each as a cell of the compatibility page. */
class Checks {
  readonly #direction: Direction
  readonly #name: GoName
  readonly #transport: 'native' | 'js'
  readonly #failed: unknown[] = []

  constructor(direction: Direction, name: GoName, transport: 'native' | 'js') {
    this.#direction = direction
    this.#name = name
    this.#transport = transport
  }

  /** @param not why Go cannot do it in json and protobuf; the check shows what happens then */
  async check(row: string, run: () => unknown, not?: string): Promise<void> {
    let outcome = not === undefined || this.#name === 'raw' ? 'works' : not
    try {
      await run()
    } catch (error) {
      this.#failed.push(error)
      outcome = 'fails'
    }
    outcomes.add({ direction: this.#direction, protocol: protocols[this.#name], row, name: row, transport: this.#transport, outcome })
  }

  assert(): void {
    if (this.#failed.length > 0) throw this.#failed[0]
  }
}

const directory = await mkdtemp(join(tmpdir(), 'dmicro-interop-ws-'))
const binary = join(directory, 'dmicro-interop-websocket')
const missing = await build()
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

async function build(): Promise<string | undefined> {
  try {
    const child = spawn('go', ['build', '-o', binary, '.'], {
      cwd: join(import.meta.dirname, 'go-websocket'),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)])
    if (/^\.\/\S+\.go:\d+:/m.test(stderr)) throw new Error(`test/interop/go-websocket does not compile:\n${stderr}`)
    return code === 0 ? undefined : `go build: ${stderr.trim().split('\n').at(-1)}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return 'go is not installed'
  }
}

async function serveGo(...flags: string[]): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(binary, ['serve', ...flags], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = once(child, 'close')
  const stderr = text(child.stderr)
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), exited.then(() => undefined)])
  if (line === undefined) throw new Error(`the Go server did not start:\n${await stderr}`)
  const { address } = JSON.parse(String(line[0])) as { address: string }
  return {
    url: `ws://${address}/ws`,
    async stop() {
      child.stdin.end()
      await exited
    },
  }
}

interface Step {
  step: string
  status?: string
  result?: unknown
}

async function dialFromGo(...flags: string[]): Promise<Step[]> {
  const child = spawn(binary, ['dial', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.notEqual(out, '', err)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Step)
}

/** What the Go program asks for. */
function offer(server: Endpoint): string[] {
  const notes: string[] = []
  server.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
  server.routeCall('/echo/text', (value: string) => value)
  server.routeCall('/text/len', (value: string) => value.length)
  server.routeCall('/back/both', async (n: number, ctx) => {
    await ctx.session.push('/client/note', `note ${n}`)
    return await ctx.session.call<number>('/client/double', n)
  })
  server.routeCall('/status/fail', (cause: string) => {
    throw Object.assign(new Error(cause))
  })
  server.routePush('/note', (note: string) => void notes.push(note))
  return notes
}

describe('Go DMicro over WebSocket', { skip: missing }, () => {
  after(() => rm(directory, { recursive: true, force: true }))

  for (const transport of ['native', 'js'] as const) {
    for (const name of Object.keys(protocols) as GoName[]) {
      test(`Go client calls a ${transport} server in ${name}`, { timeout: 30_000 }, async (t) => {
        const server = new Endpoint({ transport, log: false, protocol: protocols[name] })
        t.after(() => server.close())
        const notes = offer(server)
        const { url } = await server.listen('ws://127.0.0.1:0/ws')
        const steps = await dialFromGo('-proto', name, '-addr', new URL(url).host)
        const by = new Map(steps.map(({ step, ...rest }) => [step, rest]))
        const checks = new Checks('Go calls Node', name, transport)
        const is = (step: string, expected: object) => () => assert.deepEqual(by.get(step), expected)
        await checks.check('dialling', is('dial', { status: 'OK' }))
        await checks.check('CALL', is('add', { status: 'OK', result: 3 }))
        await checks.check('texts in full', is('quotes', { status: 'OK', result: 'a "quoted" text' }))
        await checks.check('called back in the same session', is('back', { status: 'OK', result: 42 }))
        await checks.check('pushed back in the same session', is('note', { result: 'note 21' }))
        await checks.check('large bodies', is('large', { status: 'OK', result: 100_000 }))
        // Over json and pb a Go caller takes every failure for a success without result.
        const failure = (text: string): string => (name === 'raw' ? text : 'OK')
        await checks.check('status', () => assert.equal(by.get('fail')?.status, failure('500 Internal Server Error')), noStatus)
        await checks.check('unknown method', () => assert.equal(by.get('nothing')?.status, failure('404 Not Found')), noStatus)
        await checks.check('PUSH', () => assert.deepEqual([by.get('push'), notes], [{ status: 'OK' }, ['hi']]))
        await checks.check('a session after failures', is('last', { status: 'OK', result: 42 }))
        checks.assert()
        while (server.sessionCount > 0) await new Promise(setImmediate)
        assert.equal(server.stats.violations, 0)
      })

      test(`a ${transport} client calls a Go server in ${name}`, { timeout: 30_000 }, async (t) => {
        const go = await serveGo('-proto', name)
        t.after(() => go.stop())
        const client = new Endpoint({ transport, log: false, protocol: protocols[name] })
        t.after(() => client.close())
        const notes: string[] = []
        client.routePush('/client/note', (note: string) => void notes.push(note))
        client.routeCall('/client/double', (n: number) => n * 2)
        const session: Session = await client.dial(go.url)
        const checks = new Checks('Node calls Go', name, transport)
        await checks.check('CALL', async () => assert.equal(await session.call('/math/add', [1, 2, 3]), 6))
        const hard = 'a "quoted" \\ text, é 你, \u0001'
        await checks.check('texts in full', async () => assert.equal(await session.call('/echo/text', hard), hard))
        const large = 'x'.repeat(200_000)
        await checks.check('large bodies', async () => assert.equal(await session.call('/echo/text', large), large))
        await checks.check('meta', async () => assert.equal(await session.call('/echo/meta', '', { meta: { key: 'value' } }), 'value'))
        await checks.check('called back in the same session', async () => assert.equal(await session.call('/back/both', 21), 42))
        await checks.check('pushed back in the same session', () => assert.deepEqual(notes, ['note 21']))
        await checks.check('PUSH', async () => {
          await session.push('/tell', hard)
          assert.equal(await session.call('/told/next', ''), hard)
        })
        const lost = [-1, 'Unknown Error', 'the peer does not send statuses over WebSocket']
        await checks.check(
          'status',
          async () =>
            assert.deepEqual(await status(session.call('/status/fail', 'no luck')), name === 'raw' ? [1001, 'no luck', 'asked for'] : lost),
          noStatus,
        )
        await checks.check(
          'unknown method',
          async () => assert.deepEqual(await status(session.call('/no/such')), name === 'raw' ? [404, 'Not Found', ''] : lost),
          noStatus,
        )
        await checks.check('200 calls in flight', async () => {
          const many = await Promise.all(Array.from({ length: 200 }, (_, n) => session.call<number>('/math/add', [n, 1])))
          assert.deepEqual(
            many,
            Array.from({ length: 200 }, (_, n) => n + 1),
          )
        })
        checks.assert()
        await session.close()
      })
    }

    test(`a ${transport} client passes a Go server's check of the handshake`, { timeout: 30_000 }, async (t) => {
      const go = await serveGo('-proto', 'raw', '-token', 'good')
      t.after(() => go.stop())
      const client = new Endpoint({ transport, log: false })
      t.after(() => client.close())
      const checks = new Checks('Node calls Go', 'raw', transport)
      await checks.check('a check of the handshake', async () => {
        const session = await client.dial(`${go.url}?access_token=good`)
        assert.equal(await session.call('/math/add', [1, 2]), 3)
        assert.deepEqual(await status(client.dial(`${go.url}?access_token=bad`)), [
          105,
          'Dial Failed',
          'the server answered 403 in place of 101',
        ])
      })
      checks.assert()
    })
  }

  test('found what the compatibility page says', () => {
    outcomes.check('websocket')
  })
})
