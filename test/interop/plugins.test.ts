import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Endpoint,
  type EndpointOptions,
  heartbeatPing,
  heartbeatPong,
  insecureSecureBody,
  type Plugin,
  replySecureMeta,
  type Session,
  secureMeta,
} from '../../src/index.ts'
import { BenchmarkMessage } from '../protobuf/messages.ts'
import { addressOf, type GoCheck, GoPeer } from './go-peer.ts'
import { offerServerRoutes } from './routes.ts'

// The suite names its transports itself.
delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)
const go = peer as GoPeer
/** Of DMicro's heartbeats, the least it allows. */
const RATE = 3000
/** More than the two heartbeats after which a silent session is closed. */
const IDLE = 2 * RATE + 2000
const key = 'cipherkey1234567'

function assertAllOk(checks: GoCheck[], count: number): void {
  assert.deepEqual(
    checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.detail}`),
    [],
  )
  assert.equal(checks.length, count)
}

/** Runs `use` with an endpoint that is closed then. */
async function using<Result>(options: EndpointOptions, use: (endpoint: Endpoint) => Promise<Result>): Promise<Result> {
  const endpoint = new Endpoint({ log: false, ...options })
  try {
    return await use(endpoint)
  } finally {
    await endpoint.close()
  }
}

/** Lets a Go client check a server of ours. */
async function checkedByGo(options: EndpointOptions, plugin: string): Promise<GoCheck[]> {
  return using(options, async (server) => {
    offerServerRoutes(server)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    return go.check('tcp', 'raw', addressOf(url), '-plugins', plugin)
  })
}

/** Lets `use` have a session with a Go server. */
async function withGo<Result>(plugins: string, options: EndpointOptions, use: (session: Session) => Promise<Result>): Promise<Result> {
  const server = await go.serve('tcp', 'raw', '-plugins', plugins)
  try {
    return await using(options, async (client) => use(await client.dial(server.url)))
  } finally {
    await server.stop()
  }
}

/** Counts the heartbeats that come. */
function counter(): Plugin & { beats: string[] } {
  const beats: string[] = []
  const note = (message: { kind: string; serviceMethod: string; meta: Readonly<Record<string, string>> }): void => {
    if (message.serviceMethod === '/heartbeat') beats.push(`${message.kind} ${message.meta.hb_}`)
  }
  return { name: 'counter', beats, afterReadCallHeader: note, afterReadPushHeader: note }
}

for (const transport of ['native', 'js'] as const) {
  describe(`plugins with Go DMicro (${transport})`, { skip: missing }, () => {
    it('a Go client with securebody passes', async () => {
      assertAllOk(await checkedByGo({ transport, plugins: [insecureSecureBody(key)] }, 'secure'), 6)
    })

    it('a client of ours passes a Go server with securebody', async () => {
      await withGo('secure', { transport, plugins: [insecureSecureBody(key)] }, async (session) => {
        const cases: [Record<string, string>, boolean][] = [
          [{ ...secureMeta }, true],
          [{ ...secureMeta, ...replySecureMeta(false) }, false],
          [replySecureMeta(true), true],
          [{}, false],
        ]
        for (const [meta, sealed] of cases) {
          const reply = await session.callReply('/echo/text', 'word', { meta })
          assert.deepEqual([reply.body, reply.meta['X-Secure-Body'] === 'true'], ['word', sealed])
          const types = { arg: BenchmarkMessage, result: BenchmarkMessage, codec: 'protobuf', meta }
          const message = await session.callReply('/proto/same', { Field1: 'word' }, types)
          assert.deepEqual([message.body.Field1, message.meta['X-Secure-Body'] === 'true'], ['word', sealed])
        }
        await session.push('/note', 'secret', { meta: { ...secureMeta } })
        assert.deepEqual(await session.call('/note/list', 1, { meta: { ...secureMeta } }), ['secret'])
        await assert.rejects(session.call('/no/such', 1, { meta: { ...secureMeta } }), { code: 404 })
      })
      await withGo('secure', { transport, plugins: [insecureSecureBody('another-key-1234')] }, async (session) => {
        await assert.rejects(session.call('/echo/text', 'word', { meta: { ...secureMeta } }), { code: 409 })
      })
    })
  })
}

describe('heartbeats with Go DMicro', { skip: missing }, () => {
  // They wait for the least interval that DMicro allows: all at a time.
  it('of either side keep idle sessions, and silence ends them', { timeout: 20_000 }, async () => {
    await Promise.all([heartbeats('native'), heartbeats('js')])
  })
})

async function heartbeats(transport: 'native' | 'js'): Promise<void> {
  const goPings = async (plugin: string, kind: string): Promise<void> => {
    const count = counter()
    assertAllOk(await checkedByGo({ transport, plugins: [heartbeatPong(), count] }, plugin), 1)
    assert.ok(count.beats.length >= 1 && count.beats.every((beat) => beat === `${kind} 3`), count.beats.join())
  }
  const goServerPings = async (): Promise<void> => {
    const count = counter()
    await withGo('ping-call', { transport, plugins: [heartbeatPong(), count] }, async (session) => {
      await sleep(IDLE)
      assert.ok(session.isOpen && count.beats.length >= 1)
    })
  }
  const wePing = (call: boolean): Promise<void> =>
    withGo('pong', { transport, plugins: [heartbeatPing({ interval: RATE, call })] }, async (session) => {
      await sleep(IDLE)
      assert.ok(session.isOpen && session.lastSeq >= 2, `${session.lastSeq}`)
      assert.equal(await session.call('/math/add', [1, 2]), 3)
    })
  const silent = withGo('pong', { transport }, async (session) => {
    await session.call('/heartbeat', undefined, { meta: { hb_: '3' } })
    await new Promise((resolve) => session.once('close', resolve))
  })
  await Promise.all([goPings('ping-call', 'call'), goPings('ping-push', 'push'), goServerPings(), wePing(true), wePing(false), silent])
}

after(async () => {
  if (missing === undefined) await go.dispose()
})
