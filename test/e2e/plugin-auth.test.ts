import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import {
  type AuthOptions,
  authBearer,
  authChecker,
  constantTimeEqual,
  Endpoint,
  type EndpointOptions,
  StatusError,
} from '../../src/index.ts'
import { frame } from '../support/frames.ts'
import { endpoint, type Kind, once, onEachTransport, recorder, status } from '../support/helpers.ts'
import { rawPeer } from '../support/raw-peer.ts'

const info = 'client-auth-info-12345'
const plain: AuthOptions = { codec: 'plain' }
/** As test/interop/go has it. */
const checker = (options: AuthOptions = plain) =>
  authChecker(async (session, receiveOnce) => {
    const got = await receiveOnce()
    if (!constantTimeEqual(got, info)) throw new StatusError(403, 'auth fail', 'auth fail detail')
    session.data.set('who', got)
    return 'pass'
  }, options)
const bearer = (text: unknown = info) => authBearer(async (_, sendOnce) => assert.equal(await sendOnce(text), 'pass'), plain)

async function served(
  t: TestContext,
  transport: Kind,
  options: EndpointOptions,
): Promise<{ server: Endpoint; url: string; calls: () => number }> {
  const server = endpoint(t, { transport, protocol: 'raw', ...options })
  let calls = 0
  server.routeCall('/n', (n: number) => {
    calls++
    return n
  })
  const { url } = await server.listen('tcp://127.0.0.1:0')
  return { server, url, calls: () => calls }
}

/** Once what was refused is closed. */
async function none(of: Endpoint): Promise<void> {
  while (of.sessionCount > 0) await new Promise(setImmediate)
}

/** The bytes of RAW-6 in docs/spec/wire.md#vectors. */
const authCall = Buffer.from(
  '00000045010001310400001e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d00027b7d73636c69656e742d617574682d696e666f2d3132333435',
  'hex',
)
const accepted = '00000033010001310500001e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d00027b7d7370617373'
const refused =
  '0000004a01000131050000397b22636f6465223a3430332c226d7367223a2261757468206661696c222c226361757365223a2261757468206661696c2064657461696c227d00027b7d73'

async function answerTo(url: string, ...parts: Buffer[]): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const got: Buffer[] = []
  const ended = once()
  socket.on('error', () => {})
  socket.on('close', () => ended.resolve())
  socket.on('data', (chunk) => {
    got.push(chunk)
    socket.end()
  })
  for (const part of parts) socket.write(part)
  await ended.promise
  return Buffer.concat(got).toString('hex')
}

onEachTransport('plugin auth', (transport) => {
  it('says who it is again on each connection of a redial', async (t) => {
    let checked = 0
    const counting = authChecker(async (_, receiveOnce) => {
      checked++
      if ((await receiveOnce()) !== info) throw new StatusError(403)
      return 'pass'
    }, plain)
    const { server, url } = await served(t, transport, { plugins: [counting] })
    const client = endpoint(t, { transport, protocol: 'raw', plugins: [bearer()], redial: { minDelay: 1, maxDelay: 20 } })
    const session = await client.dial(url)
    assert.equal(await session.call('/n', 1), 1)
    const lost = event(session, 'redialing')
    for (const peer of server.sessions()) peer.destroy()
    await lost
    assert.equal(await session.call('/n', 2), 2)
    assert.equal(checked, 2)
  })

  it('a session closed while it waits for the answer of a new connection stops waiting', async (t) => {
    const gate = once()
    let checked = 0
    const slow = authChecker(async (_, receiveOnce) => {
      await receiveOnce()
      if (++checked > 1) await gate.promise
      return 'pass'
    }, plain)
    const { server, url } = await served(t, transport, { plugins: [slow] })
    const waited = once<unknown>()
    const watching = authBearer(async (_, sendOnce) => {
      await sendOnce(info).catch((error: unknown) => {
        waited.resolve(error)
        throw error
      })
    }, plain)
    const client = endpoint(t, { transport, protocol: 'raw', plugins: [watching], redial: { minDelay: 1, maxDelay: 20 } })
    const session = await client.dial(url)
    await session.call('/n', 1)
    for (const peer of server.sessions()) peer.destroy()
    while (checked < 2) await new Promise(setImmediate)
    session.destroy()
    const error = (await waited.promise) as StatusError
    assert.deepEqual([error.code, error.cause], [102, 'the connection was rejected'])
    gate.resolve()
  })

  it("lets a known peer in and tells another why not, in Go's bytes", async (t) => {
    const { url } = await served(t, transport, { plugins: [checker()] })
    const session = await endpoint(t, { transport, protocol: 'raw', plugins: [bearer()] }).dial(url)
    assert.equal(await session.call('/n', 1), 1)
    const dialler = endpoint(t, { transport, protocol: 'raw', plugins: [bearer('wrong')] })
    assert.deepEqual(await status(dialler.dial(url)), [403, 'auth fail', 'auth fail detail'])
    await none(dialler)
    assert.equal(await answerTo(url, authCall), accepted)
    assert.equal(await answerTo(url, frame({ type: 4, codec: 115, body: 'no' })), refused)
  })

  it("the dialler's bytes are Go's", async (t) => {
    const got = once<Buffer>()
    const server = (await import('node:net')).createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (chunk) => {
        got.resolve(chunk)
        socket.end(Buffer.from(accepted, 'hex'))
      })
    })
    t.after(() => server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    await endpoint(t, { transport, protocol: 'raw', plugins: [bearer()] }).dial(`tcp://127.0.0.1:${port}`)
    assert.equal((await got.promise).toString('hex'), authCall.toString('hex'))
  })

  const wrong: [string, Buffer, number, string][] = [
    ['a CALL', frame({ type: 1, method: '/n', body: '1' }), 401, 'auth message(1st) expect: AUTH_CALL, but received: CALL'],
    ['a PUSH', frame({ type: 3, method: '/n', body: '1' }), 401, 'auth message(1st) expect: AUTH_CALL, but received: PUSH'],
    ['an AUTH_REPLY', frame({ type: 5 }), 401, 'auth message(1st) expect: AUTH_CALL, but received: AUTH_REPLY'],
    ['a CALL whose body is no JSON', frame({ body: '{' }), 401, 'auth message(1st) expect: AUTH_CALL, but received: CALL'],
    ['an AUTH_CALL whose body is no JSON', frame({ type: 4, body: '{' }), 102, ''],
    ['an AUTH_CALL in an unknown codec', frame({ type: 4, codec: 200, body: 'x' }), 102, 'unsupported codec id: 200'],
    ['an AUTH_CALL with a status', frame({ type: 4, status: '{"code":7,"msg":"m","cause":"c"}' }), 7, 'c'],
    ['secrets of another type', frame({ type: 4, body: '{"a":1}' }), 403, 'auth fail detail'],
  ]
  for (const [what, bytes, code, cause] of wrong) {
    it(`${what} first is refused, with an answer, and the connection closes`, async (t) => {
      const { url, calls } = await served(t, transport, { plugins: [checker()] })
      const peer = await rawPeer(t, url)
      peer.send(bytes, frame({ seq: 2, method: '/n', body: '2' }))
      const [answer] = await peer.received(1)
      assert.deepEqual([answer.type, answer.seq, answer.method, answer.status.code, answer.body], [5, '1', '', code, ''])
      if (cause !== '') assert.equal(answer.status.cause, cause)
      await peer.closed
      assert.equal(calls(), 0)
    })
  }

  it('who spoke in time is not refused because this process stood still meanwhile', async (t) => {
    const waiting = once()
    const asked = authChecker(
      async (_, receiveOnce) => {
        const word = receiveOnce()
        waiting.resolve()
        if (!constantTimeEqual(await word, info)) throw new StatusError(403, 'auth fail')
        return 'pass'
      },
      { ...plain, timeout: 50 },
    )
    const { url } = await served(t, transport, { plugins: [asked] })
    const peer = await rawPeer(t, url)
    await waiting.promise
    peer.send(authCall)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    const [answer] = await peer.received(1)
    assert.deepEqual([answer.type, answer.status.code, answer.body], [5, 0, 'pass'])
  })

  it('garbage, and silence, cost the peer its connection', async (t) => {
    const { server, url, calls } = await served(t, transport, { plugins: [checker({ ...plain, timeout: 50 })] })
    const garbage = await rawPeer(t, url)
    garbage.send(Buffer.alloc(64, 0xff))
    await garbage.closed
    const silent = await rawPeer(t, url)
    const [answer] = await silent.received(1)
    assert.deepEqual([answer.type, answer.status.code, answer.status.cause], [5, 102, 'no early message in time'])
    await silent.closed
    await none(server)
    assert.equal(calls(), 0)
  })

  it('a server that says nothing, or something else, fails the dial', async (t) => {
    const silent = await served(t, transport, { plugins: [{ name: 'silent', afterAccept: () => new Promise(() => {}) }], hookTimeout: 200 })
    const waits = authBearer((_, sendOnce) => sendOnce(info), { ...plain, timeout: 30 })
    const patient = endpoint(t, { transport, protocol: 'raw', plugins: [waits] })
    assert.deepEqual(await status(patient.dial(silent.url)), [102, 'Connection Closed', 'no early message in time'])
    const other = {
      name: 'other',
      afterAccept: (session: { earlySend(...args: unknown[]): Promise<void> }) => session.earlySend(3, '/x', 1),
    }
    const { url } = await served(t, transport, { plugins: [other as never] })
    const cause = 'auth message(1st) expect: AUTH_REPLY, but received: PUSH'
    assert.deepEqual(await status(endpoint(t, { transport, protocol: 'raw', plugins: [bearer()] }).dial(url)), [401, 'Unauthorized', cause])
    // A server without a checker takes the message for what it is: none that it knows.
    const open = await served(t, transport, {})
    assert.equal((await status(endpoint(t, { transport, protocol: 'raw', plugins: [bearer()] }).dial(open.url)))[0], 102)
  })

  it('each side may use its function once', async (t) => {
    const twice = authChecker(async (_, receiveOnce) => {
      await receiveOnce()
      return await receiveOnce()
    }, plain)
    const { url } = await served(t, transport, { plugins: [twice] })
    const dialler = endpoint(t, { transport, protocol: 'raw', plugins: [bearer()] })
    const usage = 'plugin usage is incorrect'
    assert.deepEqual(await status(dialler.dial(url)), [500, `auth-checker ${usage}`, 'multiple call ReCvOnce function'])
    const good = await served(t, transport, { plugins: [checker()] })
    const greedy = authBearer(async (_, sendOnce) => {
      await sendOnce(info)
      await sendOnce(info)
    }, plain)
    const both = status(endpoint(t, { transport, protocol: 'raw', plugins: [greedy] }).dial(good.url))
    assert.deepEqual(await both, [104, `auth-bearer ${usage}`, 'multiple call SendOnce function'])
  })

  it('what a checker throws that is no status stays here', async (t) => {
    const log = recorder()
    const broken = authChecker(() => {
      throw new Error('the database password is x')
    })
    const { url } = await served(t, transport, { plugins: [broken], log })
    const dialler = endpoint(t, { transport, protocol: 'raw', plugins: [bearer()] })
    assert.deepEqual(await status(dialler.dial(url)), [500, 'Internal Server Error', ''])
    assert.equal(log.lines.filter(({ text }) => text === 'session refused').length, 1)
  })

  it('a checker that needs no message answers before it, and the session may be renamed', async (t) => {
    const named = authChecker(
      (session) => {
        session.setId('known')
        return 'pass'
      },
      { ...plain, meta: { realm: 'r' } },
    )
    const { server, url } = await served(t, transport, { plugins: [named] })
    const peer = await rawPeer(t, url)
    const [answer] = await peer.received(1)
    assert.deepEqual([answer.type, answer.body, answer.meta], [5, 'pass', '{"realm":"r"}'])
    assert.ok(server.session('known'))
  })

  it('goes through transfer filters, also where they are required', async (t) => {
    const options: AuthOptions = { ...plain, filters: ['gzip'] }
    const { url } = await served(t, transport, { plugins: [checker(options)], requireFilters: ['gzip'] })
    const dialler = endpoint(t, {
      transport,
      protocol: 'raw',
      requireFilters: ['gzip'],
      plugins: [authBearer((_, sendOnce) => sendOnce(info), options)],
    })
    const session = await dialler.dial(url)
    assert.equal(await session.call('/n', 1, { filters: ['gzip'] }), 1)
  })

  it('no call is served before its session is known, however it is sent (T4)', async (t) => {
    const trusted = new Set<string>()
    const slow = authChecker(async (session, receiveOnce) => {
      const got = await receiveOnce()
      await new Promise(setImmediate)
      if (got !== info) throw new StatusError(403, 'auth fail')
      trusted.add(session.id)
      return 'pass'
    }, plain)
    const server = endpoint(t, { transport, protocol: 'raw', plugins: [slow] })
    const early: string[] = []
    let calls = 0
    server.routeCall('/n', (n: number, { session }) => {
      calls++
      if (!trusted.has(session.id)) early.push(session.id)
      return n
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const call = (seq: number): Buffer => frame({ seq, method: '/n', body: String(seq) })
    const one = async (i: number): Promise<void> => {
      const peer = await rawPeer(t, url)
      if (i % 3 === 0) {
        peer.send(authCall, ...Array.from({ length: 20 }, (_, n) => call(n + 2)))
        const frames = await peer.received(21)
        assert.deepEqual([frames[0].type, frames[0].body], [5, 'pass'])
        assert.ok(frames.slice(1).every(({ type, status: { code } }) => type === 2 && code === 0))
      } else {
        const first = i % 3 === 1 ? frame({ type: 4, codec: 115, body: 'wrong' }) : call(1)
        peer.send(first, ...Array.from({ length: 20 }, (_, n) => call(n + 2)))
        await peer.closed
        assert.ok(peer.frames.every(({ status: { code } }) => code !== 0))
      }
      peer.socket.destroy()
    }
    for (let round = 0; round < 6; round++) await Promise.all(Array.from({ length: 50 }, (_, i) => one(i)))
    assert.deepEqual(early, [])
    assert.equal(calls, 6 * 17 * 20)
  })
})

it('secrets are compared as texts or bytes, never as anything else', () => {
  assert.ok(constantTimeEqual('a', 'a'))
  assert.ok(constantTimeEqual('ü', Buffer.from('ü')))
  assert.ok(!constantTimeEqual('a', 'b'))
  assert.ok(!constantTimeEqual('a', 'aa'))
  assert.ok(!constantTimeEqual(undefined, undefined))
  assert.ok(!constantTimeEqual({}, {}))
  assert.ok(!constantTimeEqual(['a'], 'a'))
  assert.throws(() => authBearer(undefined as never), /needs a function/)
  assert.throws(() => new Endpoint({ plugins: [authChecker(5 as never)] }), /needs a function/)
})
