import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  authBearer,
  authChecker,
  constantTimeEqual,
  Endpoint,
  type EndpointOptions,
  ignoreCase,
  insecureAes,
  type Plugin,
  proxy,
  StatusError,
} from '../../src/index.ts'
import { BenchmarkMessage } from '../protobuf/messages.ts'
import { orOnceMore } from './go-faults.ts'
import { addressOf, GoPeer } from './go-peer.ts'
import { aesKey, offerServerRoutes } from './routes.ts'

delete process.env.DMICRO_TRANSPORT

const peer = await GoPeer.build()
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

const secret = 'client-auth-info-12345'
const plain = { codec: 'plain' }
const bearer = (text: string): Plugin => authBearer(async (_, sendOnce) => assert.equal(await sendOnce(text), 'pass'), plain)
const checker = authChecker(async (_, receiveOnce) => {
  if (!constantTimeEqual(await receiveOnce(), secret)) throw new StatusError(403, 'auth fail', 'auth fail detail')
  return 'pass'
}, plain)

describe('plugins with Go DMicro', { skip: missing }, () => {
  const go = peer as GoPeer
  after(() => go.dispose())

  for (const transport of ['native', 'js'] as const) {
    const ends: (() => Promise<void>)[] = []
    after(() => Promise.all(ends.splice(0).map((end) => end())))
    const endpoint = (options: EndpointOptions): Endpoint => {
      const made = new Endpoint({ transport, log: false, closeTimeout: 200, ...options })
      ends.push(() => made.close())
      return made
    }
    const serve = async (...args: Parameters<GoPeer['serve']>): ReturnType<GoPeer['serve']> => {
      const server = await go.serve(...args)
      ends.push(() => server.stop())
      return server
    }

    // Of http DMicro takes the type of these messages for meta (docs/spec/wire.md#http), and jsonrpc cannot say it.
    for (const protocol of ['raw', 'json', 'protobuf'] as const) {
      it(`${transport}: a Go checker lets us in, or tells why not, in ${protocol}`, async () => {
        const server = await serve('tcp', protocol, '-auth', secret)
        const session = await endpoint({ protocol, plugins: [bearer(secret)] }).dial(server.url)
        assert.equal(await session.call('/math/add', [1, 2, 3]), 6)
        const refused = { code: 403, message: 'auth fail', cause: 'auth fail detail' }
        await assert.rejects(endpoint({ protocol, plugins: [bearer('wrong')] }).dial(server.url), refused)
        // One that says nothing of itself and calls at once: Go answers that it expected something else.
        const rude = await endpoint({ protocol }).dial(server.url)
        await assert.rejects(rude.call('/math/add', [1]), { code: 102 })
      })

      it(`${transport}: we let a Go bearer in, or tell it why not, in ${protocol}`, async () => {
        const server = endpoint({ protocol, plugins: [checker], filters: [insecureAes(aesKey)] })
        offerServerRoutes(server)
        const { url } = await server.listen('tcp://127.0.0.1:0')
        const checks = await go.check('tcp', protocol, addressOf(url), '-auth', secret)
        assert.deepEqual(
          checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`),
          [],
        )
        assert.ok(checks.length > 20)
        const [refused, ...more] = await go.check('tcp', protocol, addressOf(url), '-auth', 'wrong')
        assert.deepEqual([refused.name, refused.ok, more.length], ['dial', false, 0])
        assert.match(refused.detail, /auth fail/) // Go hides the code behind its 105
        const silent = await orOnceMore(() => go.check('tcp', protocol, addressOf(url), '-only', '1'))
        assert.deepEqual(
          silent.map(({ ok, skipped }) => ({ ok, skipped })),
          [{ ok: false, skipped: undefined }],
        )
        assert.match(silent[0].detail, /Connection Closed/)
      })
    }

    it(`${transport}: names in any case reach Go, and Go's reach us`, async () => {
      const server = await serve('tcp', 'raw', '-ignore-case')
      const session = await endpoint({}).dial(server.url)
      assert.equal(await session.call('/MATH/Add', [1, 2, 3]), 6)
      const ours = endpoint({ plugins: [ignoreCase()] })
      offerServerRoutes(ours)
      const { url } = await ours.listen('tcp://127.0.0.1:0')
      const back = await serve('tcp', 'raw', '-proxy', addressOf(url))
      assert.equal(await (await endpoint({}).dial(back.url)).call('/MATH/add', [1, 2]), 3)
    })

    it(`${transport}: we are the proxy of a Go server, and behind one`, async () => {
      const upstream = await endpoint({}).dial((await serve('tcp', 'raw')).url)
      const gateway = endpoint({ plugins: [proxy(() => upstream)] })
      const { url } = await gateway.listen('tcp://127.0.0.1:0')
      const session = await endpoint({}).dial(url)
      assert.equal(await session.call('/math/add', [1, 2, 3], { filters: ['gzip'] }), 6)
      const types = { codec: 'protobuf', arg: BenchmarkMessage, result: BenchmarkMessage }
      const message = BenchmarkMessage.fromObject({ Field1: 'x', Field2: 65 })
      assert.equal((await session.call('/proto/echo', message, types)).Field1, 'OK')
      const reply = await session.callReply<Record<string, string>>('/meta/echo', { answered: 'yes' }, { meta: { k: 'v' } })
      assert.equal(reply.meta.answered, 'yes')
      assert.deepEqual(Object.keys(reply.body).sort(), ['X-Real-IP', 'k'])
      await assert.rejects(session.call('/status/fail', { code: 1001, msg: 'refused', cause: 'because' }), { code: 1001, cause: 'because' })
      await assert.rejects(session.call('/status/fail', { code: 150, msg: 'refused', cause: 'because' }), { code: 502, cause: 'because' })
      await assert.rejects(session.call('/no/such/route'), { code: 404 })

      const ours = endpoint({})
      ours.routeCall('/behind', (value: unknown, ctx) => [value, Object.keys(ctx.meta).sort()])
      const target = await ours.listen('tcp://127.0.0.1:0')
      const front = await endpoint({}).dial((await serve('tcp', 'raw', '-proxy', addressOf(target.url))).url)
      assert.deepEqual(await front.call('/behind', { a: 1 }, { meta: { k: 'v' } }), [{ a: 1 }, ['X-Real-IP', 'k']])
    })
  }
})
