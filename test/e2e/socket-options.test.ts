import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type BaseSession, type EarlySession, Endpoint, type EndpointOptions, type Session, type SocketOptions } from '../../src/index.ts'
import { loadNative } from '../../src/transports/native/addon.ts'
import { endpoint, once, onEachTransport, pair, transports } from '../support/helpers.ts'

const loaded = loadNative()

/** What the system says of a socket, whoever opened it. */
function facts(session: BaseSession): { noDelay: number; keepAlive: number; idle: number; receive: number; send: number } {
  if ('reason' in loaded) throw new Error(loaded.reason)
  const [noDelay, keepAlive, idle, receive, send] = loaded.addon.socketOptions(session.socket.fd)
  return { noDelay: noDelay && 1, keepAlive: keepAlive && 1, idle, receive, send }
}

/** Sizes that are no default, and far enough from the bounds of the system. */
const sizes = { receiveBuffer: 40_000, sendBuffer: 50_000 }
/** Linux counts its own overhead in. */
const counted = (bytes: number): number => (process.platform === 'linux' ? bytes * 2 : bytes)

onEachTransport('socket options', (transport) => {
  const skip = 'reason' in loaded ? 'needs getsockopt' : false

  test('by default nothing is delayed, and the rest is as the system has it', { skip }, async (t) => {
    const { session, peer } = await pair(t, transport)
    for (const end of [session, peer]) {
      const { noDelay, keepAlive } = facts(end)
      assert.deepEqual({ noDelay, keepAlive }, { noDelay: 1, keepAlive: 0 })
    }
  })

  test('options of the endpoint reach the system on both ends', { skip }, async (t) => {
    const options: EndpointOptions = { socket: { noDelay: false, keepAlive: true, keepAliveIdle: 20_001 } }
    const { session, peer } = await pair(t, transport, { server: options, client: options })
    for (const end of [session, peer]) {
      const { noDelay, keepAlive, idle } = facts(end)
      assert.deepEqual({ noDelay, keepAlive, idle }, { noDelay: 0, keepAlive: 1, idle: 21 })
    }
  })

  test('listen and dial change single ones of them', { skip }, async (t) => {
    const common: EndpointOptions = { transport, socket: { keepAlive: true, keepAliveIdle: 60_000 } }
    const server = endpoint(t, common)
    const { url } = await server.listen('tcp://127.0.0.1:0', { socket: { noDelay: false } })
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    const session = await endpoint(t, common).dial(url, { socket: { keepAlive: false } })
    const peer = await accepted.promise
    assert.deepEqual([facts(session).noDelay, facts(session).keepAlive], [1, 0])
    assert.deepEqual([facts(peer).noDelay, facts(peer).keepAlive, facts(peer).idle], [0, 1, 60])
  })

  test('a running session changes its own', { skip }, async (t) => {
    const { session, peer } = await pair(t, transport)
    for (const end of [session, peer]) {
      end.socket.setNoDelay(false)
      assert.equal(facts(end).noDelay, 0)
      end.socket.setNoDelay()
      assert.equal(facts(end).noDelay, 1)
      end.socket.setKeepAlive(true)
      assert.deepEqual([facts(end).keepAlive, facts(end).idle], [1, 15])
      end.socket.setKeepAlive(true, 1)
      assert.deepEqual([facts(end).keepAlive, facts(end).idle], [1, 1])
      end.socket.setKeepAlive(false)
      assert.equal(facts(end).keepAlive, 0)
    }
  })

  test('what a session chose holds for the connections that redial makes', { skip }, async (t) => {
    const { session, peer } = await pair(t, transport, { client: { redial: { minDelay: 1, maxDelay: 5 } } })
    session.socket.setNoDelay(false)
    session.socket.setKeepAlive(true, 33_000)
    const before = session.localAddress
    const back = event(session, 'redialed')
    peer.destroy()
    await back
    assert.notEqual(session.localAddress, before)
    const { noDelay, keepAlive, idle } = facts(session)
    assert.deepEqual({ noDelay, keepAlive, idle }, { noDelay: 0, keepAlive: 1, idle: 33 })
  })

  test('hooks about a new connection and about one that is gone see its socket', async (t) => {
    const seen: number[] = []
    const gone = once<BaseSession>()
    const plugin = {
      name: 'sockets',
      afterAccept: (session: EarlySession) => {
        session.socket.setKeepAlive(true, 5_000)
        seen.push(session.socket.fd)
      },
      afterDisconnect: (session: BaseSession) => gone.resolve(session),
    }
    const { session, peer } = await pair(t, transport, { server: { plugins: [plugin] } })
    assert.ok(seen[0] >= 0 && seen[0] === peer.socket.fd, `${seen}`)
    await session.close()
    const base = await gone.promise
    assert.equal(base.socket.fd, -1)
    assert.throws(() => base.socket.setNoDelay(true), { name: 'StatusError', code: 102 })
  })

  test('a session that is closed has no socket any more', async (t) => {
    const { session } = await pair(t, transport)
    const { socket } = session
    assert.ok(socket.fd >= 0, `${socket.fd}`)
    await session.close()
    assert.equal(socket.fd, -1)
    for (const set of [() => socket.setNoDelay(), () => socket.setKeepAlive(true), () => socket.setKeepAlive(false)])
      assert.throws(set, { name: 'StatusError', code: 102 })
  })

  test('Unix sockets neither delay nor need keep-alive: asking does nothing', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'dmicro-'))
    t.after(() => rm(directory, { recursive: true }))
    const options: EndpointOptions = { socket: { noDelay: false, keepAlive: true } }
    const url = `unix://${directory}/socket`
    const { server, session, peer } = await pair(t, transport, { url, server: options, client: options })
    server.routeCall('/echo', (value: unknown) => value)
    for (const end of [session, peer]) {
      assert.ok(end.socket.fd >= 0, `${end.socket.fd}`)
      end.socket.setNoDelay(true)
      end.socket.setKeepAlive(true, 1_000)
    }
    assert.equal(await session.call('/echo', 1), 1)
  })

  test('bad values are refused and name what they are', async (t) => {
    const { session } = await pair(t, transport)
    const bad = (socket: unknown): SocketOptions => socket as SocketOptions
    const wrong: [SocketOptions, RegExp][] = [
      [bad(null), /socket must be an object/],
      [bad({ nodelay: true }), /unknown option "socket.nodelay"/],
      [bad({ noDelay: 1 }), /socket.noDelay must be true or false, got 1/],
      [bad({ keepAlive: 'yes' }), /socket.keepAlive/],
      [{ keepAliveIdle: 0 }, /socket.keepAliveIdle must be 1 to 32767000 ms, got 0/],
      [{ keepAliveIdle: Number.NaN }, /keepAliveIdle/],
      [{ keepAliveIdle: 32_767_001 }, /keepAliveIdle/],
      [{ receiveBuffer: 0 }, /socket.receiveBuffer must be 1 to/],
      [{ sendBuffer: 1.5 }, /socket.sendBuffer must be a whole number/],
      [{ sendBuffer: 2 ** 31 }, /sendBuffer/],
    ]
    const isRefusal = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError
    for (const [socket, text] of wrong) {
      assert.throws(() => new Endpoint({ transport, socket }), text)
      await assert.rejects(endpoint(t, { transport }).dial('tcp://127.0.0.1:1', { socket }), isRefusal)
      await assert.rejects(endpoint(t, { transport }).listen('tcp://127.0.0.1:0', { socket }), isRefusal)
    }
    const { socket } = session
    assert.throws(() => socket.setNoDelay('on' as never), TypeError)
    assert.throws(() => socket.setKeepAlive(undefined as never), TypeError)
    assert.throws(() => socket.setKeepAlive(true, -1), RangeError)
    assert.throws(() => socket.setKeepAlive(true, '5' as never), TypeError)
    assert.throws(() => socket.setBufferSizes({ send: 0 }), RangeError)
    assert.throws(() => socket.setBufferSizes({ receive: '1' as never }), TypeError)
    socket.setBufferSizes({})
  })
})

describe('sizes of socket buffers (native)', { skip: !transports.includes('native') }, () => {
  const transport = 'native'

  test('options of the endpoint reach the system on both ends, before messages pass', async (t) => {
    const options: EndpointOptions = { socket: sizes }
    const { session, peer } = await pair(t, transport, { server: options, client: options })
    for (const end of [session, peer]) {
      const { receive, send } = facts(end)
      assert.deepEqual({ receive, send }, { receive: counted(40_000), send: counted(50_000) })
    }
  })

  test('a running session changes its own, on TCP and on Unix sockets', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'dmicro-'))
    t.after(() => rm(directory, { recursive: true }))
    for (const url of ['tcp://127.0.0.1:0', `unix://${directory}/socket`]) {
      const { session, peer } = await pair(t, transport, { url })
      for (const end of [session, peer]) {
        const before = facts(end)
        end.socket.setBufferSizes({ receive: 30_000 })
        assert.deepEqual([facts(end).receive, facts(end).send], [counted(30_000), before.send])
        end.socket.setBufferSizes({ receive: 20_000, send: 60_000 })
        assert.deepEqual([facts(end).receive, facts(end).send], [counted(20_000), counted(60_000)])
      }
    }
  })

  test('messages of many times their size pass small buffers', async (t) => {
    const options: EndpointOptions = { socket: { receiveBuffer: 4096, sendBuffer: 4096 } }
    const { server, session } = await pair(t, transport, { server: options, client: options })
    server.routeCall('/echo', (text: string) => text)
    const text = 'x'.repeat(2_000_000)
    assert.equal(await session.call('/echo', text), text)
  })
})

describe('sizes of socket buffers (js)', { skip: !transports.includes('js') }, () => {
  const transport = 'js'

  test('node cannot set them, and says so wherever they are asked for', async (t) => {
    const refusal = { name: 'StatusError', code: 1, cause: 'the JavaScript transport cannot size the buffers of sockets' }
    assert.throws(() => new Endpoint({ transport, socket: { sendBuffer: 50_000 } }), refusal)
    const { session } = await pair(t, transport)
    await assert.rejects(endpoint(t, { transport }).listen('tcp://127.0.0.1:0', { socket: sizes }), refusal)
    await assert.rejects(endpoint(t, { transport }).dial('tcp://127.0.0.1:1', { socket: sizes }), refusal)
    assert.throws(() => session.socket.setBufferSizes({ receive: 50_000 }), refusal)
  })
})
