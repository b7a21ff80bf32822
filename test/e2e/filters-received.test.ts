import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { aesGcm, Code, type EndpointOptions, type Filter, type Session } from '../../src/index.ts'
import { every, keys } from '../support/filters.ts'
import { filteredFrame, frame, wrap } from '../support/frames.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const KiB = 1024
const MiB = 1024 * 1024
const GZIP = 0x7a
const MD5 = 0x35
const AES = 0x61
const both = (): { server: EndpointOptions; client: EndpointOptions } => ({ server: { filters: every() }, client: { filters: every() } })

onEachTransport('filters of what a peer sends', (transport) => {
  /** A server, a good session that must notice nothing, and `attack`, which must end with its connection closed for `reason`. */
  async function victim(t: Parameters<typeof pair>[0], options: EndpointOptions = {}) {
    const log = recorder()
    const made = await pair(t, transport, { server: { filters: every(), ...options, log } })
    made.server.routeCall('/echo', (value: unknown) => value)
    const attack = async (reason: RegExp, ...bytes: Buffer[]): Promise<void> => {
      const before = log.lines.length
      const stranger = await rawPeer(t, made.listener.url)
      stranger.send(...bytes)
      await stranger.closed
      assert.equal(await made.session.call('/echo', 1), 1)
      assert.match(String(log.lines[before]?.fields.reason), reason)
    }
    return { ...made, log, attack }
  }

  test('bombs stop at the limit, in memory and in time (Z1)', async (t) => {
    const { session, attack } = await victim(t, { limits: { maxMessage: 4 * MiB } })
    const member = gzipSync(Buffer.alloc(16 * MiB), { level: 9 })
    assert.ok(member.length < 17 * KiB)
    const gibibyte = Buffer.concat(Array(64).fill(member)) // 1 GiB when inflated
    const nested = gzipSync(gibibyte, { level: 9 })
    assert.ok(nested.length < 16 * KiB)
    const bombs = [wrap([GZIP], member), wrap([GZIP], gibibyte), wrap([GZIP, GZIP], nested), wrap([GZIP, GZIP, GZIP], gzipSync(nested))]
    await attack(/larger than the limit/, ...bombs.slice(0, 1)) // warm
    const before = process.memoryUsage().rss
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before)
    }, 1)
    const start = performance.now()
    for (const bomb of bombs) await attack(/larger than the limit/, bomb)
    await Promise.all(Array.from({ length: 20 }, () => attack(/larger/, bombs[2])))
    clearInterval(watch)
    assert.ok(peak < 128 * MiB, `${peak} bytes`)
    assert.ok(performance.now() - start < 5000)
    assert.equal(await session.call('/echo', 1), 1)
  })

  test('what a filter refuses closes the session (Z2)', async (t) => {
    const { server, attack } = await victim(t)
    const plain = frame({ method: '/echo', body: '"x"' })
    const payload = plain.subarray(6)
    const gz = gzipSync(payload)
    const wrongSum = Buffer.from(gz)
    wrongSum[gz.length - 5] ^= 1
    const refused = [
      wrap([GZIP], gz.subarray(0, gz.length - 1)),
      wrap([GZIP], wrongSum),
      wrap([GZIP], Buffer.concat([gz, Buffer.from('trailing')])),
      wrap([GZIP], Buffer.concat([gz, Buffer.alloc(9)])),
      wrap([GZIP], Buffer.from('no gzip at all')),
      wrap([MD5], Buffer.alloc(40)),
      wrap([MD5], Buffer.alloc(15)),
      wrap([AES], Buffer.alloc(33)),
      wrap([AES], Buffer.alloc(32)),
      wrap([GZIP], Buffer.concat([gzipSync(Buffer.alloc(100_000)), Buffer.from('x')])), // found off the loop
    ]
    for (const bytes of refused) await attack(/a transfer filter refused/, bytes)
    await attack(/past the end/, wrap([GZIP], gzipSync('')))
    await attack(/past the end/, filteredFrame([MD5], frame({ metaLength: 60_000 })))
    await attack(/sequence/, filteredFrame([GZIP], frame({ seq: '!' })))
    await attack(/message type/, filteredFrame([GZIP], frame({ type: 0 })))
    assert.equal(server.stats.violations, refused.length + 4)
  })

  test('members in a row are one message (Z2)', async (t) => {
    const { listener } = await victim(t)
    const stranger = await rawPeer(t, listener.url)
    const { buffer, byteOffset, length } = frame({ method: '/echo', body: '"two members"' })
    const payload = Buffer.from(buffer, byteOffset, length).subarray(6)
    stranger.send(wrap([GZIP], Buffer.concat([gzipSync(payload.subarray(0, 20)), gzipSync(payload.subarray(20))])))
    assert.equal((await stranger.received(1))[0].body, '"two members"')
  })

  test('a flip of any byte, another key and a message sent twice are refused (Z3)', async (t) => {
    const { server, attack } = await victim(t)
    server.routePush('/note', () => {})
    const gcm = aesGcm(keys)
    const payload = frame({ type: 3, method: '/note', body: '"secret"' }).subarray(6)
    const sealed = Buffer.from(gcm.pack(payload))
    for (let i = 0; i < sealed.length; i += 3) {
      const changed = Buffer.from(sealed)
      changed[i] ^= 0x40
      await attack(/a transfer filter refused/, wrap([0x67], changed))
    }
    const stranger = aesGcm({ keys: { 1: Buffer.alloc(32, 9) }, current: 1 })
    await attack(/a transfer filter refused/, wrap([0x67], stranger.pack(payload)))
    const good = wrap([0x67], gcm.pack(payload))
    await attack(/a transfer filter refused/, good, good)
  })

  test('an id that is unknown, before or behind one that is known, is refused (F7)', async (t) => {
    const { attack } = await victim(t, { filters: [] })
    const plain = frame({ method: '/echo', body: '"x"' })
    await attack(/unknown transfer filter/, wrap([1], plain.subarray(6)))
    await attack(/unknown transfer filter/, filteredFrame([AES], plain))
    await attack(/unknown transfer filter/, filteredFrame([GZIP, AES], plain))
    await attack(/unknown transfer filter/, wrap([0], plain.subarray(6)))
  })

  test('messages behind a large one wait for it, cut anywhere, and a FIN behind them', async (t) => {
    const { server, listener } = await victim(t)
    const got: string[] = []
    let end = once()
    server.routePush('/n', (text: string) => {
      got.push(text.length > 9 ? 'large' : text)
      if (text === 'end') end.resolve()
    })
    const bytes = Buffer.concat([
      frame({ type: 3, method: '/n', body: '"1"' }),
      wrap([GZIP], gzipSync(frame({ type: 3, method: '/n', body: JSON.stringify('x'.repeat(MiB)) }).subarray(6))),
      frame({ type: 3, method: '/n', body: '"2"' }),
      filteredFrame([MD5], frame({ type: 3, method: '/n', body: '"3"' })),
      wrap([GZIP], gzipSync(frame({ type: 3, method: '/n', body: JSON.stringify('y'.repeat(MiB)) }).subarray(6))),
      frame({ type: 3, method: '/n', body: '"end"' }),
    ])
    for (const chunk of [bytes.length, 1000, 333]) {
      got.length = 0
      end = once()
      const stranger = await rawPeer(t, listener.url)
      for (let at = 0; at < bytes.length; at += chunk) stranger.send(bytes.subarray(at, at + chunk))
      stranger.socket.end()
      await Promise.all([end.promise, stranger.closed])
      assert.deepEqual(got, ['1', 'large', '2', '3', 'large', 'end'])
    }
  })

  test('a frame timeout does not strike while we are busy with the message before', { timeout: 20_000 }, async (t) => {
    const work = once()
    const slow: Filter = {
      id: 9,
      name: 'slow',
      pack: (bytes) => bytes,
      unpack: (bytes) => bytes,
      unpackAsync: async (bytes) => {
        await work.promise
        return Buffer.from(bytes)
      },
    }
    const { listener, server } = await victim(t, { filters: [slow], limits: { frameTimeout: 60 } })
    let pushed = 0
    server.routePush('/p', (text: string) => {
      pushed = text.length
    })
    const stranger = await rawPeer(t, listener.url)
    const whole = frame({ seq: 2, method: '/echo', body: '2' })
    stranger.send(wrap([9], frame({ type: 3, method: '/p', body: `"${'x'.repeat(70_000)}"` }).subarray(6)), whole.subarray(0, 30))
    // The time has passed when it struck one who began later.
    const idle = await rawPeer(t, listener.url)
    idle.send(whole.subarray(0, 30))
    await idle.closed
    stranger.send(whole.subarray(30))
    work.resolve()
    const [answer] = await stranger.received(1)
    assert.deepEqual([answer.body, pushed], ['2', 70_000])
  })

  test('a session that goes while it is busy takes nobody along', async (t) => {
    const { server, client, listener } = await pair(t, transport, both())
    let sessions: Session[] = []
    server.routePush('/p', () => {})
    for (let round = 0; round < 10; round++) {
      sessions = await Promise.all(Array.from({ length: 5 }, () => client.dial(listener.url)))
      for (const one of sessions) one.push('/p', 'x'.repeat(500_000), { filters: ['aes-gcm', 'gzip'] })
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate)
      for (const one of sessions) one.destroy()
    }
    while (server.sessionCount > 1) await new Promise(setImmediate)
    const again = endpoint(t, { transport, filters: every() })
    const session = await again.dial(listener.url)
    assert.equal((await status(session.call('/none', 1, { filters: ['gzip'] })))[0], Code.NotFound)
  })

  test('a message without a required filter closes the session, whatever it is', async (t) => {
    const options = { filters: every(), requireFilters: ['aes-gcm'] }
    const { server, session, peer, listener } = await pair(t, transport, { server: options, client: { filters: every() } })
    server.routeCall('/echo', (value: unknown) => value)
    assert.equal(await session.call('/echo', 'safe', { filters: ['gzip', 'aes-gcm'] }), 'safe')
    for (const filters of [undefined, ['gzip']]) {
      const arrived = once<Session>()
      server.once('session', arrived.resolve)
      const plain = await endpoint(t, { transport, filters: every() }).dial(listener.url)
      // With IO threads the dialler may hear of it first.
      const accepted = await arrived.promise
      const closed = once<string | undefined>()
      accepted.once('close', (reason) => closed.resolve(reason?.cause))
      const call = plain.call('/echo', 'unsafe', filters === undefined ? {} : { filters })
      await assert.rejects(call, { code: Code.ConnectionClosed })
      assert.equal(await closed.promise, 'message without a required transfer filter')
    }
    // A reply has the filters of its call: what the server asks for in clear comes back in clear.
    const closed = once<string | undefined>()
    peer.once('close', (reason) => closed.resolve(reason?.cause))
    await assert.rejects(peer.call('/none'), { code: Code.ConnectionClosed })
    assert.equal(await closed.promise, 'message without a required transfer filter')
    assert.throws(() => endpoint(t, { transport, requireFilters: ['none'] }), /no transfer filter is named "none"/)
  })
})
