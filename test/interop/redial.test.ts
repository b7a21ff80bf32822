import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, describe, it, type TestContext } from 'node:test'
import {
  authBearer,
  Endpoint,
  type EndpointOptions,
  type Listener,
  MultiClient,
  type Plugin,
  type Session,
  StatusError,
} from '../../src/index.ts'
import { cutter } from '../support/cutter.ts'
import { once } from '../support/helpers.ts'
import { addressOf, GoPeer, type GoServer } from './go-peer.ts'
import type { ProtocolName } from './protocols.ts'
import { offerServerRoutes } from './routes.ts'

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

const quick = { minDelay: 1, maxDelay: 20 }
const secret = 'client-auth-info-12345'
const bearer: Plugin = authBearer(async (_, sendOnce) => assert.equal(await sendOnce(secret), 'pass'), { codec: 'plain' })

describe('redial with Go DMicro', { skip: missing }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const transport of ['native', 'js'] as const) {
    const ends: (() => Promise<unknown>)[] = []
    after(() => Promise.all(ends.splice(0).map((end) => end())))
    const endpoint = (options: EndpointOptions): Endpoint => {
      const made = new Endpoint({ transport, log: false, closeTimeout: 200, ...options })
      ends.push(() => made.close())
      return made
    }
    /** A Go server, which is killed when the test ends. */
    const serve = async (t: TestContext, ...args: Parameters<GoPeer['serve']>): Promise<GoServer> => {
      const server = await go.serve(...args)
      t.after(() => server.kill())
      return server
    }

    for (const protocol of ['raw', 'json', 'protobuf'] as const) {
      it(`${transport}: a session outlives the Go server that is killed and started again, in ${protocol}`, async (t) => {
        let server = await serve(t, 'tcp', protocol)
        const client = endpoint({ protocol, redial: quick })
        client.routeCall('/client/double', (n: number) => 2 * n)
        const session = await client.dial(server.url)
        session.setId('mine')
        for (const end of ['kill', 'stop'] as const) {
          const open = session.call('/slow', 20_000).catch((error) => error)
          const lost = event(session, 'redialing')
          await server[end]()
          const [reason] = await lost
          assert.ok(reason instanceof StatusError && reason.code === 102, String(reason))
          assert.equal(((await open) as StatusError).code, 102)
          // A Go server that closes may still take a connection, which ends with its process: what is sent on that is lost.
          while (session.state !== 'redialing') await event(session, 'redialing')
          const sums = Promise.all([1, 2, 3].map((n) => session.call('/math/add', [n, n])))
          sums.catch(() => {}) // awaited below: a failure until then is one of this test, whose servers it ends
          const push = session.push('/note', `after ${end}`)
          server = await serve(t, 'tcp', protocol, '-listen', server.address)
          assert.deepEqual(await sums, [2, 4, 6])
          await push
          assert.deepEqual(await session.call('/note/list', 1), [`after ${end}`])
          assert.equal(await session.call('/call/back', 21), 42)
          assert.equal(session.id, 'mine')
        }
      })
    }

    it(`${transport}: a Go server in place of ours, with which the session would have gone on: it begins anew`, async (t) => {
      const ours = endpoint({})
      const asked = once()
      ours.routeCall('/math/add', () => {
        asked.resolve()
        return new Promise(() => {})
      })
      ours.routeCall('/echo', (value: unknown) => value)
      const { url } = await ours.listen('tcp://127.0.0.1:0')
      const proxy = await cutter(t, url)
      const session = await endpoint({ redial: quick }).dial(proxy.url)
      for (let n = 0; n < 3; n++) assert.equal(await session.call('/echo', n), n)
      const gaps: unknown[] = []
      session.on('gap', (gap) => gaps.push(gap))
      const kept = session.call('/math/add', [20, 22], { idempotent: true })
      const other = session.call('/math/add', [1, 1]).catch((error) => error.code)
      await asked.promise
      proxy.deafen()
      await session.push('/note', 'unconfirmed')
      const server = await serve(t, 'tcp', 'raw')
      proxy.target = server.url
      proxy.cut()
      assert.equal(await kept, 42)
      assert.equal(await other, 102)
      await session.push('/note', 'to Go')
      assert.deepEqual(await session.call('/note/list', 1), ['to Go'])
      assert.deepEqual(gaps, [{ sent: 1, received: undefined }])
      const lost = event(session, 'redialing')
      proxy.cut()
      await lost
      assert.equal(await session.call('/math/add', [2, 2]), 4)
      assert.equal(gaps.length, 1)
    })

    it(`${transport}: each new connection authenticates to the Go server`, async (t) => {
      const flags = ['-auth', secret]
      const server = await serve(t, 'tcp', 'raw', ...flags)
      const session = await endpoint({ redial: quick, plugins: [bearer] }).dial(server.url)
      const lost = event(session, 'redialing')
      await server.kill()
      await lost
      const call = session.call('/math/add', [1, 2])
      await serve(t, 'tcp', 'raw', '-listen', server.address, ...flags)
      assert.equal(await call, 3)
    })

    it(`${transport}: many sessions find the Go server again`, async (t) => {
      const server = await serve(t, 'tcp', 'raw')
      const client = new MultiClient(endpoint({}), server.url, { max: 4, callsPerSession: 2 })
      const sums = async (count: number): Promise<void> => {
        const calls = Array.from({ length: count }, (_, n) => client.call<number>('/math/add', [n, 1]))
        assert.deepEqual(
          await Promise.all(calls),
          calls.map((_, n) => n + 1),
        )
      }
      await sums(100)
      assert.equal(client.size, 4)
      await client.push('/note', 'one')
      assert.deepEqual(await client.call('/note/list', 1), ['one'])
      const slow = Array.from({ length: 8 }, () => client.call('/slow', 20_000).catch((error) => error.code))
      await server.kill()
      assert.deepEqual(await Promise.all(slow), Array(8).fill(102))
      await assert.rejects(client.call('/math/add', [1]), { code: 100 })
      await serve(t, 'tcp', 'raw', '-listen', server.address)
      while ((await client.call('/math/add', [1, 1]).catch(() => 0)) !== 2);
      await sums(100)
      await client.close()
    })

    /** A server of ours for `client -redial`. `drop` is told how a connection is to be lost. */
    const droppable = (protocol: ProtocolName, drop: (how: string, session: Session, server: Endpoint) => unknown) => {
      const server = endpoint({ protocol })
      const seen = { connections: 0, hangs: 0 }
      server.on('session', () => seen.connections++)
      offerServerRoutes(server)
      server.routeCall('/hang', () => {
        seen.hangs++
        return new Promise(() => {})
      })
      server.routePush('/drop', async (how: string, { session }) => {
        if (how === 'busy') await session.push('/client/busy', 200)
        else drop(how, session, server)
      })
      return { server, seen }
    }
    const checkRedial = async (
      protocol: ProtocolName,
      address: string,
      servers: { connections: number; hangs: number }[],
    ): Promise<void> => {
      const checks = await go.check('tcp', protocol, address, '-redial', '500')
      assert.deepEqual(
        checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`),
        [],
      )
      assert.equal(checks.length, 8)
      const sum = (of: 'connections' | 'hangs') => servers.reduce((all, seen) => all + seen[of], 0)
      assert.equal(sum('hangs'), 1, 'an open call was made again')
      // Six are lost. One more, and Go has closed one to itself (`answered` in go/checks_redial.go).
      assert.equal(sum('connections'), 7, 'a lost connection is dialled anew once')
    }

    for (const protocol of ['raw', 'json', 'protobuf'] as const) {
      it(`${transport}: a Go client finds a server of ours again that dropped it, in ${protocol}`, async () => {
        const restarts: Promise<void>[] = []
        const servers: { connections: number; hangs: number }[] = []
        const start = (url: string): Promise<Listener> => {
          const { server, seen } = droppable(protocol, (how, session, server) => {
            if (how === 'destroy') session.destroy()
            else if (how === 'close') void session.close()
            else restarts.push(restart(server))
          })
          servers.push(seen)
          return server.listen(url)
        }
        const restart = async (server: Endpoint): Promise<void> => {
          await listener.close() // first: a new connection to what is about to go would be lost in its turn
          await server.close({ timeout: 0 })
          listener = await start(listener.url)
        }
        let listener = await start('tcp://127.0.0.1:0')
        await checkRedial(protocol, addressOf(listener.url), servers)
        assert.equal(restarts.length, 1)
        await Promise.all(restarts)
      })
    }

    it(`${transport}: a Go client dials anew after a reset as it does after an end`, async (t) => {
      const { server, seen } = droppable('protobuf', (_, session) => session.destroy())
      const { url } = await server.listen('tcp://127.0.0.1:0')
      let resets = 0
      const relay = createServer((client) => {
        const behind = connect(Number(new URL(url).port), '127.0.0.1')
        for (const socket of [client, behind]) socket.on('error', () => {})
        client.on('data', (bytes) => behind.write(bytes)).on('close', () => behind.destroy())
        behind.on('data', (bytes) => client.write(bytes))
        behind.on('close', () => {
          if (client.destroyed) return
          resets++
          client.resetAndDestroy()
        })
      }).listen(0, '127.0.0.1')
      t.after(() => relay.close())
      await event(relay, 'listening')
      await checkRedial('protobuf', `127.0.0.1:${(relay.address() as AddressInfo).port}`, [seen])
      assert.equal(resets, 6)
    })
  }
})
