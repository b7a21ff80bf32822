import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { it } from 'node:test'
import {
  bytes,
  heartbeatPong,
  insecureSecureBody,
  type Plugin,
  replySecureMeta,
  type SecureBody,
  type Session,
  secureBody,
  secureMeta,
} from '../../src/index.ts'
import { BenchmarkMessage } from '../protobuf/messages.ts'
import { type Kind, once, onEachTransport, pair, status } from '../support/helpers.ts'

const goKey = 'cipherkey1234567'
const version = '1ba49884c59b16619f411c7c80343c9c'
const keyA = new Uint8Array(32).fill(1)
const keyB = new Uint8Array(32).fill(2)
type T = Parameters<typeof pair>[0]

const encrypt = (plain: string): string => {
  const aes = createCipheriv('aes-128-cbc', goKey, 'I Love Go Frame!')
  return Buffer.concat([aes.update(plain), aes.final()]).toString('base64')
}

async function both(t: T, transport: Kind, server: Plugin, client: Plugin, protocol = 'raw') {
  const made = await pair(t, transport, { server: { plugins: [server], protocol }, client: { plugins: [client], protocol } })
  made.server.routeCall('/echo', (value: unknown) => value)
  made.server.routeCall('/proto', (value: unknown) => value, { arg: BenchmarkMessage, result: BenchmarkMessage })
  return made
}

/** Bytes of a peer without the plugin, with this meta. */
function plainCall(session: Session, body: unknown, meta: Record<string, string>, method = '/echo', codec = 'json') {
  return session.callReply(method, typeof body === 'string' ? Buffer.from(body) : body, { meta, codec, result: bytes })
}

/** Sees what comes before the plugin does. */
function spy(seen: { bytes: Buffer; meta: Record<string, string> }[]): Plugin {
  const look = (message: { bytes: Uint8Array; meta: Readonly<Record<string, string>> }): void => {
    seen.push({ bytes: Buffer.from(message.bytes), meta: { ...message.meta } })
  }
  return { name: 'spy', afterReadCallHeader: look, afterReadPushHeader: look, afterReadReplyHeader: look }
}

onEachTransport("secure body, Go's form", (transport) => {
  it('the vectors of the spec are what is sent, and open again', async (t) => {
    const { server, session } = await both(t, transport, insecureSecureBody(goKey), { name: 'none' })
    const envelope = `{"cipherVersion":"${version}","ciphertext":"g22b7SOHc/w5jzE/WHoR9nax60XWpZP23g7FBJF0EMA="}`
    const reply = await plainCall(session, envelope, { ...secureMeta })
    assert.equal(Buffer.from(reply.body as Uint8Array).toString(), envelope)
    assert.equal(reply.meta['X-Secure-Body'], 'true')
    const pb =
      '0a203162613439383834633539623136363139663431316337633830333433633963122c6732326237534f48632f77356a7a452f57486f52396e617836305857705a503233673746424a4630454d413d'
    server.routeCall('/bytes', (value) => value, { arg: bytes })
    const got = await plainCall(session, Buffer.from(pb, 'hex'), { ...secureMeta }, '/bytes', 'protobuf')
    assert.equal(Buffer.from(got.body as Uint8Array).toString('hex'), pb)
    const empty = Buffer.from('be55f0a245d286202ce1160d75e20869', 'hex').toString('base64')
    const nothing = `{"cipherVersion":"${version}","ciphertext":"${empty}"}`
    const back = await plainCall(session, nothing, { ...secureMeta })
    assert.equal(Buffer.from(back.body as Uint8Array).toString(), nothing)
  })

  it('calls, pushes and replies are encrypted where their meta says so', async (t) => {
    const seen: { bytes: Buffer; meta: Record<string, string> }[] = []
    const plugin = insecureSecureBody(goKey)
    const { server, session, client } = await both(t, transport, plugin, plugin)
    server.plugins.appendLeft(spy(seen))
    client.plugins.appendLeft(spy(seen))
    const cases: [Record<string, string>, boolean, boolean][] = [
      [{}, false, false],
      [{ ...secureMeta }, true, true],
      [{ ...secureMeta, ...replySecureMeta(false) }, true, false],
      [replySecureMeta(true), false, true],
      [{ 'X-Secure-Body': 'off' }, false, false],
    ]
    for (const [meta, there, back] of cases) {
      assert.deepEqual(await session.call('/echo', { secret: 'word' }, { meta }), { secret: 'word' })
      assert.deepEqual(
        seen.map(({ bytes: body }) => !body.includes('word')),
        [there, back],
      )
      assert.equal(seen[0].meta['X-Secure-Body'], there ? 'true' : undefined)
      seen.length = 0
    }
    const proto = { arg: BenchmarkMessage, result: BenchmarkMessage, codec: 'protobuf', meta: { ...secureMeta } }
    const message = await session.call('/proto', { Field1: 'word' }, proto)
    assert.equal(message.Field1, 'word')
    assert.ok(!seen.some(({ bytes: body }) => body.includes('word')))
    const pushed = once<unknown>()
    server.routePush('/push', (value) => pushed.resolve(value))
    await session.push('/push', 'word', { meta: { ...secureMeta } })
    assert.equal(await pushed.promise, 'word')
    assert.equal(await session.call('/echo', undefined, { meta: { ...secureMeta } }), undefined)
  })

  it('a handler may ask for an encrypted reply; failures stay plain; other codecs are refused, also of a reply', async (t) => {
    const plugin = insecureSecureBody(goKey)
    const { server, session } = await both(t, transport, plugin, plugin)
    server.routeCall('/ask', (codec: string, ctx) => {
      ctx.setMeta('X-Secure-Body', 'true')
      ctx.setCodec(codec)
      return 'text'
    })
    assert.equal((await session.callReply('/ask', 'json')).meta['X-Secure-Body'], 'true')
    assert.equal((await status(session.call('/ask', 'plain')))[0], 409)
    assert.equal((await status(session.call('/none', 1, { meta: { ...secureMeta } })))[0], 404)
    assert.equal((await status(session.call('/echo', 'x', { codec: 'plain', meta: { ...secureMeta } })))[0], 409)
  })

  it('what is broken is refused with the status, and nothing else ends', async (t) => {
    const { session } = await both(t, transport, insecureSecureBody(goKey, { status: 1409 }), { name: 'none' })
    const good = encrypt('"x"')
    const json = (cipherVersion: unknown, ciphertext: unknown): string => JSON.stringify({ cipherVersion, ciphertext })
    const bad = [
      ...['', 'x', 'null{', '[]x', json(version, 5), json({}, good), json(version, `${good}!`), json(version, good.replace('=', ''))],
      ...[json(version, ''), json(version, 'AAAA'), json('0'.repeat(32), good), json(version, encrypt('"x"').replace(/^./, '_'))],
      ...[json(version, Buffer.alloc(16).toString('base64'))],
    ]
    for (const body of bad) {
      const [code, , cause] = await status(plainCall(session, body, { ...secureMeta }))
      assert.deepEqual([code, cause], [1409, 'the body cannot be decrypted'], body)
    }
    for (const hex of ['0a', '0aff', '0affffffffff7f', '0a05', '1a0130', '0a01301280', 'ffffffff']) {
      const call = plainCall(session, Buffer.from(hex, 'hex'), { ...secureMeta }, '/echo', 'protobuf')
      assert.equal((await status(call))[0], 1409, hex)
    }
    assert.equal((await status(plainCall(session, json(version, encrypt('{')), { ...secureMeta })))[0], 400)
    assert.equal(
      Buffer.from((await plainCall(session, json('', ''), { ...secureMeta, ...replySecureMeta(false) })).body as Uint8Array).length,
      0,
    )
    assert.equal(await session.call('/echo', 1), 1)
  })

  it('of two keys neither opens what the other closed', async (t) => {
    const { session } = await both(t, transport, insecureSecureBody(goKey), insecureSecureBody('another-key-1234'))
    assert.equal((await status(session.call('/echo', 1, { meta: { ...secureMeta } })))[0], 409)
    assert.equal((await status(session.call('/echo', 1, { meta: replySecureMeta(true) })))[0], 409)
  })

  it('require refuses plain bodies, both ways', async (t) => {
    const must = insecureSecureBody(goKey, { require: true })
    const { session, server } = await both(t, transport, must, { name: 'none' })
    server.routeCall('/heartbeat', () => {})
    assert.deepEqual((await status(session.call('/echo', 1))).slice(0, 1), [409])
    assert.equal((await status(plainCall(session, '{"cipherVersion":""}', { ...secureMeta })))[0], 409)
    await session.call('/heartbeat')
    assert.equal((await status(session.call('/heartbeat', 1)))[0], 409)
    const other = await both(t, transport, { name: 'none' }, must)
    assert.equal((await status(other.session.call('/echo', 1)))[0], 409)
    assert.equal((await status(other.session.call('/none', 1)))[0], 404)
  })

  it('refuses keys and options that are none', () => {
    assert.throws(() => insecureSecureBody('short'), RangeError)
    assert.throws(() => insecureSecureBody(goKey, { status: 0 }), RangeError)
    assert.throws(() => insecureSecureBody(goKey, { require: 1 as never }), TypeError)
  })
})

onEachTransport('secure body, authenticated', (transport) => {
  const sealer = (require = true): SecureBody => secureBody({ keys: { 1: keyA }, current: 1, require })

  for (const protocol of ['raw', 'protobuf', 'http', 'json', 'jsonrpc']) {
    it(`calls, pushes and replies are sealed in ${protocol}`, async (t) => {
      const seen: { bytes: Buffer; meta: Record<string, string> }[] = []
      const { server, session, client } = await both(t, transport, sealer(), sealer(), protocol)
      server.plugins.appendLeft(spy(seen))
      client.plugins.appendLeft(spy(seen))
      for (let i = 0; i < 2; i++) assert.deepEqual(await session.call('/echo', { secret: 'word' }), { secret: 'word' })
      assert.equal(seen.length, 4)
      assert.equal(new Set(seen.map(({ bytes: body }) => body.toString('hex'))).size, 4)
      assert.ok(seen.every(({ bytes: body, meta }) => !body.includes('word') && meta['X-Sealed-Body'] === 'true'))
      assert.equal(await session.call('/echo'), undefined)
      assert.equal((await status(session.call('/none', 1)))[0], 404)
      if (protocol === 'http' || protocol === 'jsonrpc') return
      const pushed = once<unknown>()
      server.routePush('/push', (value) => pushed.resolve(value))
      await session.push('/push', 'word')
      assert.equal(await pushed.promise, 'word')
      assert.equal(await session.call('/echo', 'text', { codec: 'plain' }), 'text')
      const message = await session.call(
        '/proto',
        { Field1: 'word' },
        { arg: BenchmarkMessage, result: BenchmarkMessage, codec: 'protobuf' },
      )
      assert.equal(message.Field1, 'word')
    })
  }

  it('a flip of any bit is refused, and so is a body in another place', async (t) => {
    let change = (body: Buffer): Buffer => body
    let taken: Buffer = Buffer.alloc(0)
    const between: Plugin = {
      name: 'between',
      beforeWriteCall: (message) => {
        taken = Buffer.from(message.body as Uint8Array)
        message.body = change(Buffer.from(taken))
      },
    }
    const { server, session, client } = await both(t, transport, sealer(), sealer())
    client.plugins.appendRight(between)
    server.routeCall('/other', (value: unknown) => value)
    server.routeCall('/text', (value: unknown) => value)
    assert.equal(await session.call('/echo', 'x'), 'x')
    const size = taken.length
    for (let bit = 0; bit < 8 * size; bit += bit < 16 ? 1 : 3) {
      change = (body) => {
        body[bit >> 3] ^= 1 << (bit & 7)
        return body
      }
      assert.equal((await status(session.call('/echo', 'x')))[0], 409, `${bit}`)
    }
    for (let cut = 0; cut < size; cut += 5) {
      change = (body) => body.subarray(0, cut)
      assert.equal((await status(session.call('/echo', 'x')))[0], 409)
    }
    change = (body) => body
    await session.call('/echo', 'x')
    const kept = taken
    change = () => kept
    assert.equal((await status(session.call('/other', 'x')))[0], 409, 'another method')
    assert.equal((await status(session.call('/echo', 'x', { codec: 'plain' })))[0], 409, 'another codec')
    assert.equal(await session.call('/echo', 'y'), 'x', 'a repetition is not its business')
    client.plugins.remove('between')
    assert.equal(await session.call('/echo', 'y'), 'y')
  })

  it('a reply that was changed, or is of another call, is refused', async (t) => {
    let change = (body: Buffer): Buffer => body
    const between: Plugin = {
      name: 'between',
      beforeWriteReply: (message) => {
        if (message.status === undefined) message.body = change(Buffer.from(message.body as Uint8Array))
      },
    }
    const { server, session } = await both(t, transport, sealer(), sealer())
    server.plugins.appendRight(between)
    server.routeCall('/other', (value: unknown) => value)
    let kept: Buffer = Buffer.alloc(0)
    change = (body) => {
      kept = body
      return body
    }
    assert.equal(await session.call('/echo', 'x'), 'x')
    for (let at = 0; at < kept.length; at++) {
      change = (body) => {
        body[at] ^= 0x10
        return body
      }
      assert.equal((await status(session.call('/echo', 'x')))[0], 409, `${at}`)
    }
    change = () => kept
    assert.equal((await status(session.call('/other', 'x')))[0], 409)
    change = () => Buffer.from('"x"')
    assert.equal((await status(session.call('/echo', 'x')))[0], 409)
  })

  it('bytes that are none are refused', async (t) => {
    const { session } = await both(t, transport, sealer(), { name: 'none' })
    for (const body of ['', '"', '""', '"!"', '"AAAA"', '\u0001', '\u0001\u0001', `\u0001\u0001${'x'.repeat(28)}`, '{}', '"'.repeat(60)]) {
      assert.equal((await status(plainCall(session, body, { 'X-Sealed-Body': 'true' })))[0], 409, body)
      assert.equal((await status(plainCall(session, body, {})))[0], 409, body)
    }
  })

  it('keys rotate while calls are in flight', async (t) => {
    const server = sealer()
    const client = sealer()
    const { session } = await both(t, transport, server, client)
    const calls: Promise<unknown>[] = []
    const burst = (): void => {
      for (let i = 0; i < 20; i++) calls.push(session.call('/echo', i))
    }
    burst()
    server.setKeys({ keys: { 1: keyA, 2: keyB }, current: 1 })
    burst()
    client.setKeys({ keys: { 1: keyA, 2: keyB }, current: 2 })
    burst()
    server.setKeys({ keys: { 1: keyA, 2: keyB }, current: 2 })
    burst()
    await Promise.all(calls)
    server.setKeys({ keys: { 2: keyB }, current: 2 })
    assert.equal(await session.call('/echo', 1), 1)
    client.setKeys({ keys: { 1: keyA, 2: keyB }, current: 1 })
    assert.equal((await status(session.call('/echo', 1)))[0], 409)
    assert.throws(() => client.setKeys({ keys: {}, current: 1 }), RangeError)
    assert.throws(() => client.setKeys({ keys: { 1: new Uint8Array(16) }, current: 1 }), TypeError)
    assert.throws(() => client.setKeys({ keys: { 256: keyA }, current: 256 }), RangeError)
  })

  it('plain messages pass without require, heartbeats with it, and a hook may rename the method', async (t) => {
    const lower: Plugin = {
      name: 'lower',
      afterReadCallHeader: (message) => {
        message.serviceMethod = message.serviceMethod.toLowerCase()
      },
    }
    const { server, session } = await both(t, transport, sealer(false), sealer(false))
    server.plugins.appendRight(lower)
    assert.equal(await session.call('/ECHO', 'x'), 'x')
    const reply = await session.callReply('/echo', 'x', { meta: { 'X-Sealed-Body': 'false' } })
    assert.deepEqual([reply.body, reply.meta['X-Sealed-Body']], ['x', undefined])
    const made = await pair(t, transport, { server: { plugins: [sealer(), heartbeatPong()] } })
    made.server.routeCall('/echo', (value: unknown) => value)
    await made.session.call('/heartbeat', undefined, { meta: { hb_: '3' } })
    assert.equal((await status(made.session.call('/echo', 1)))[0], 409)
  })

  it("lives beside Go's form", async (t) => {
    const plugins = (): Plugin[] => [insecureSecureBody(goKey), sealer(false)]
    const made = await pair(t, transport, { server: { plugins: plugins() }, client: { plugins: plugins() } })
    made.server.routeCall('/echo', (value: unknown, ctx) => [value, ctx.meta['X-Secure-Body'] ?? '', ctx.meta['X-Sealed-Body'] ?? ''])
    assert.deepEqual(await made.session.call('/echo', 1), [1, '', 'true'])
    assert.deepEqual(await made.session.call('/echo', 1, { meta: { ...secureMeta } }), [1, 'true', ''])
  })
})
