import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, describe, it } from 'node:test'
import { type CallContext, Endpoint, type EndpointOptions, insecureAes, type Session, type StatusError } from '../../src/index.ts'
import { MessageType } from '../../src/message/message.ts'
import type { Parsed } from '../support/frames.ts'
import { addressOf, GoPeer } from './go-peer.ts'
import { aesKey, offerServerRoutes } from './routes.ts'
import { Tap } from './tap.ts'

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

const ours = (frames: Parsed[]): string[] =>
  frames.flatMap(({ method, meta }) => [
    ...(method.startsWith('/dmicro/') ? [method] : []),
    ...Object.keys(JSON.parse(meta)).filter((key) => /dmicro/i.test(key)),
  ])
const codeOf = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 0,
    (error: StatusError) => error.code,
  )

describe('extensions and Go DMicro', { skip: missing, timeout: 120_000 }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const transport of ['native', 'js'] as const) {
    const ends: (() => Promise<unknown>)[] = []
    after(async () => {
      for (const end of ends.splice(0).reverse()) await end()
    })
    const endpoint = (options: EndpointOptions = {}): Endpoint => {
      const made = new Endpoint({ transport, log: false, closeTimeout: 200, ...options })
      ends.push(() => made.close())
      return made
    }
    const serve = async (...args: string[]) => {
      const server = await go.serve('tcp', 'raw', ...args)
      ends.push(() => server.stop())
      return server
    }
    const tap = async (address: string): Promise<Tap> => {
      const made = await Tap.to(address)
      ends.push(() => made.close())
      return made
    }

    it(`${transport}: a Go server sees one key in the first message, and none of our messages`, async () => {
      const between = await tap((await serve()).address)
      const client = endpoint({ timeout: 5000, redial: true })
      client.routeCall('/client/double', (n: number) => 2 * n)
      const session = await client.dial(between.url)
      assert.equal(await session.call('/math/add', [1, 2, 3]), 6)
      assert.equal(await session.call('/call/back', 21), 42)
      const abort = new AbortController()
      const canceled = codeOf(session.call('/slow', 50, { signal: abort.signal }))
      abort.abort()
      assert.equal(await canceled, 499)
      assert.equal(await codeOf(session.call('/slow', 200, { timeout: 20 })), 408)
      await session.push('/note', 'x')
      await session.close()
      assert.deepEqual(ours(between.fromClient), ['X-Dmicro', 'X-Dmicro-Timeout'])
      assert.match(between.fromClient[0].meta, /^\{"X-Dmicro":"1;hop=[0-9a-z]{6};timeout=5000"\}$/)
    })

    it(`${transport}: a Go client sees no more of us, not even when we close`, async () => {
      const server = endpoint({ filters: [insecureAes(aesKey)] })
      offerServerRoutes(server)
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const between = await tap(addressOf(url))
      const checks = await go.check('tcp', 'raw', between.address)
      assert.deepEqual(
        checks.filter(({ ok, skipped }) => !ok && skipped === undefined),
        [],
      )
      // Of each connection on which we called or pushed: its first message.
      const told = ours(between.fromServer)
      assert.ok(
        told.every((name) => name === 'X-Dmicro'),
        String(told),
      )
      await server.close()
      assert.deepEqual(ours(between.fromServer), told)
    })

    it(`${transport}: a Go server passes by the first word of a silent client, and one that speaks has none`, async () => {
      const between = await tap((await serve()).address)
      const session = await endpoint({ timeout: 5000 }).dial(between.url)
      while (between.fromClient.length === 0) await new Promise(setImmediate)
      assert.equal(await session.call('/math/add', [1, 2, 3]), 6)
      assert.equal(await session.call('/math/add', [1, 2]), 3)
      const [first, ...rest] = between.fromClient
      assert.deepEqual([first.type, first.seq, first.method, first.meta, first.body.length], [MessageType.Reply, '0', '', '{}', 0])
      assert.deepEqual(
        rest.map(({ type }) => type),
        [MessageType.Call, MessageType.Call],
      )
      assert.deepEqual(
        between.fromServer.map(({ type }) => type),
        [MessageType.Reply, MessageType.Reply],
      )
      assert.equal(session.state, 'open')
    })

    for (const protocol of ['json', 'protobuf'] as const) {
      it(`${transport}: so it does in ${protocol}`, async () => {
        const server = await go.serve('tcp', protocol)
        ends.push(() => server.stop())
        let sent = 0
        const relay = createServer((socket) => {
          const { hostname, port } = new URL(server.url)
          const on = connect(Number(port), hostname)
          socket.on('data', (bytes) => {
            sent += bytes.length
          })
          socket.pipe(on).pipe(socket)
        }).listen(0, '127.0.0.1')
        ends.push(async () => void relay.close())
        await once(relay, 'listening')
        const session = await endpoint({ protocol }).dial(`tcp://127.0.0.1:${(relay.address() as AddressInfo).port}`)
        while (sent === 0) await new Promise(setImmediate)
        assert.equal(await session.call('/math/add', [1, 2, 3]), 6)
        assert.equal(session.state, 'open')
        await session.close()
      })
    }

    it(`${transport}: two of us with a Go proxy between them stay strangers, and cancel nothing of each other`, async () => {
      const server = endpoint()
      const signals: AbortSignal[] = []
      const deadlines: boolean[] = []
      let begun = (): void => {}
      server.routeCall('/wait', async (ms: number, ctx: CallContext) => {
        signals.push(ctx.signal)
        deadlines.push(ctx.deadline !== undefined)
        begun()
        await new Promise((resolve) => setTimeout(resolve, ms))
        return ms
      })
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const accepted = once(server, 'session') // the proxy dials when it starts
      const back = await tap(addressOf(url))
      const proxy = await serve('-proxy', back.address)
      const front = await tap(proxy.address)
      const session = await endpoint({ timeout: 5000, redial: true }).dial(front.url)
      // The first message announces: the proxy passes that on under a number of its own.
      assert.equal(await session.call('/wait', 0), 0)
      assert.equal(ours(back.fromClient)[0], 'X-Dmicro')

      const started = new Promise<void>((resolve) => {
        begun = () => signals.length === 4 && resolve()
      })
      const abort = new AbortController()
      const canceled = codeOf(session.call('/wait', 150, { signal: abort.signal }))
      const others = [session.call('/wait', 150), session.call('/wait', 151)]
      await started
      abort.abort()
      assert.equal(await canceled, 499)
      assert.deepEqual(await Promise.all(others), [150, 151])
      assert.equal(await session.call('/wait', 1), 1)
      assert.ok(
        signals.every(({ aborted }) => !aborted),
        'no handler was cancelled',
      )
      assert.deepEqual(new Set(deadlines), new Set([false]), 'what was announced to the proxy holds for nobody else')

      // The one behind the proxy closes: the one in front is told nothing.
      session.on('draining', () => assert.fail('draining'))
      await ((await accepted)[0] as Session).close()
      assert.equal(session.state, 'open')
      const all = [...front.fromClient, ...front.fromServer, ...back.fromClient, ...back.fromServer]
      assert.deepEqual(
        all.map(({ method }) => method).filter((method) => method.startsWith('/dmicro/')),
        [],
      )
    })

    it(`${transport}: what a Go proxy passes on of a named time is the handler's deadline`, async () => {
      const server = endpoint()
      server.routeCall('/left', (_: unknown, ctx: CallContext) => (ctx.deadline ?? 0) - performance.now())
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const proxy = await serve('-proxy', addressOf(url))
      const session = await endpoint().dial(proxy.url)
      const left = await session.call<number>('/left', null, { timeout: 4000 })
      assert.ok(left > 0 && left <= 4000, `${left} ms are left of 4000`)
    })
  }
})
