import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { type Endpoint, type EndpointOptions, type Logger, type Plugin, type Session, StatusError } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport } from '../support/helpers.ts'

/** What a hook does that should not, and what comes of it: nothing, or a failure; of which a status is told as it is. */
const ways: { how: string; run: () => unknown; gives: 'nothing' | 'error' | number }[] = [
  { how: 'throws an Error', run: () => raise(new Error('broken')), gives: 'error' },
  { how: 'throws a StatusError', run: () => raise(new StatusError(1234, 'no')), gives: 1234 },
  { how: 'throws a text', run: () => raise('broken'), gives: 'error' },
  { how: 'rejects', run: () => Promise.reject(new Error('broken')), gives: 'error' },
  { how: 'rejects with a StatusError', run: () => Promise.reject(new StatusError(1234, 'no')), gives: 1234 },
  { how: 'never settles', run: () => new Promise(() => {}), gives: 408 },
  { how: 'returns a number', run: () => 7, gives: 'nothing' },
  { how: 'returns a then that throws', run: () => thenable(() => raise(new Error('broken'))), gives: 'error' },
  { how: 'returns a then that cannot be read', run: () => unreadable(), gives: 'error' },
  {
    how: 'settles twice, the first time well',
    run: () =>
      thenable((resolve, reject) => {
        resolve(undefined)
        reject(new StatusError(1234, 'no'))
        resolve(undefined)
      }),
    gives: 'nothing',
  },
  {
    how: 'settles twice, the first time badly',
    run: () =>
      thenable((resolve, reject) => {
        reject(new StatusError(1234, 'no'))
        resolve(undefined)
        reject(new Error('again'))
      }),
    gives: 1234,
  },
]

function raise(error: unknown): never {
  throw error
}

function thenable(then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void): unknown {
  return { then }
}

function unreadable(): unknown {
  return Object.defineProperty({}, 'then', { get: () => raise(new Error('broken')) })
}

/** One hook, misbehaving where and when it is told to. */
class Culprit {
  readonly plugin: Plugin
  /** Off it returns undefined. */
  on = false
  /** The session it misbehaves for; undefined for all. */
  only: Session | undefined
  ran = 0

  constructor(hook: keyof Plugin, run: () => unknown) {
    const call = (first?: unknown): unknown => {
      if (!this.on || (this.only !== undefined && sessionOf(first) !== this.only)) return undefined
      this.ran++
      return run()
    }
    this.plugin = { name: 'culprit', [hook]: call }
  }
}

function sessionOf(context: unknown): unknown {
  return (context as { session?: unknown }).session ?? context
}

/** A log whose lines can be waited for. */
class Lines implements Logger {
  readonly all: string[] = []
  #waiting: { text: string; resolve: () => void }[] = []
  readonly debug = (): void => {}
  readonly info = (): void => {}
  readonly warn = (text: string): void => this.#add(text)
  readonly error = (text: string): void => this.#add(text)

  #add(text: string): void {
    this.all.push(text)
    for (const waiting of this.#waiting) if (waiting.text === text) waiting.resolve()
  }

  async saw(text: string): Promise<void> {
    if (this.all.includes(text)) return
    const line = once()
    this.#waiting.push({ text, resolve: line.resolve })
    await line.promise
  }
}

/** The code a promise rejects with, 0 when it does not; an error of no code is 'error'. */
async function codeOf(promise: Promise<unknown>): Promise<number | 'error'> {
  try {
    await promise
    return 0
  } catch (error) {
    return error instanceof StatusError ? error.code : 'error'
  }
}

/** `error` as `code`, and the rest as it is. */
const told = (gives: (typeof ways)[number]['gives'], code: number): number => (gives === 'nothing' ? 0 : gives === 'error' ? code : gives)

interface Scene {
  server: Endpoint
  client: Endpoint
  url: string
  /** The client's ends of two sessions, and the server's. The culprit is after the first. */
  victim: Session
  other: Session
  victimPeer: Session
  serverLog: Lines
  clientLog: Lines
  pushed: unknown[]
  /** Every later call and push of both sessions works, and nobody lost a connection. */
  unharmed(): Promise<void>
}

/** A server and a client with two sessions; `on` of them has the culprit, which is off. */
async function scene(t: TestContext, transport: Kind, culprit: Culprit, on: 'server' | 'client'): Promise<Scene> {
  const serverLog = new Lines()
  const clientLog = new Lines()
  const mine = (side: string): EndpointOptions => (side === on ? { plugins: [culprit.plugin], hookTimeout: 20 } : {})
  const server = endpoint(t, { transport, log: serverLog, ...mine('server') })
  const client = endpoint(t, { transport, log: clientLog, ...mine('client') })
  server.routeCall('/echo', (value: unknown) => value)
  const pushed: unknown[] = []
  server.routePush('/push', (value: unknown) => void pushed.push(value))
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const join = async (): Promise<[Session, Session]> => {
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    const session = await client.dial(url)
    return [session, await accepted.promise]
  }
  const [victim, victimPeer] = await join()
  const [other] = await join()
  const unharmed = async (): Promise<void> => {
    for (const session of [victim, other]) {
      assert.equal(await session.call('/echo', 'after'), 'after', 'a call after it')
      const before = pushed.length
      await session.push('/push', 'after')
      assert.equal(await session.call('/echo', 'last'), 'last', 'the last call')
      assert.deepEqual(pushed.slice(before), ['after'], 'a push after it')
    }
    assert.equal(client.sessionCount, 2, 'sessions of the client')
  }
  culprit.only = on === 'server' ? victimPeer : victim
  return { server, client, url, victim, other, victimPeer, serverLog, clientLog, pushed, unharmed }
}

/** Hooks of messages that refuse: where they are, how an Error of theirs reads, and what is tried. */
const refusing: { hook: keyof Plugin; on: 'server' | 'client'; code: number; push?: true; logged?: string }[] = [
  { hook: 'afterReadCallHeader', on: 'server', code: 500 },
  { hook: 'beforeReadCallBody', on: 'server', code: 500 },
  { hook: 'afterReadCallBody', on: 'server', code: 500 },
  { hook: 'beforeWriteCall', on: 'client', code: 104 },
  { hook: 'beforeWritePush', on: 'client', code: 104, push: true },
  { hook: 'afterReadReplyHeader', on: 'client', code: 500 },
  { hook: 'beforeReadReplyBody', on: 'client', code: 500 },
  { hook: 'afterReadReplyBody', on: 'client', code: 500 },
]

/** Hooks whose failure is logged and changes nothing. */
const watching: { hook: keyof Plugin; on: 'server' | 'client'; push?: true }[] = [
  { hook: 'afterWriteCall', on: 'client' },
  { hook: 'beforeWriteReply', on: 'server' },
  { hook: 'afterWriteReply', on: 'server' },
  { hook: 'afterWritePush', on: 'client', push: true },
]

const dropping: (keyof Plugin)[] = ['afterReadPushHeader', 'beforeReadPushBody', 'afterReadPushBody']

onEachTransport('hooks that misbehave', (transport) => {
  for (const { how, run, gives } of ways) {
    const tried = (hook: keyof Plugin): Culprit => new Culprit(hook, run)

    for (const { hook, on, code, push } of refusing) {
      it(`${hook} ${how}: it is refused, and nothing else`, async (t) => {
        const culprit = tried(hook)
        const { victim, other, pushed, unharmed } = await scene(t, transport, culprit, on)
        culprit.on = true
        const mine = push ? victim.push('/push', 'first') : victim.call('/echo', 'first')
        const [got, beside] = await Promise.all([codeOf(mine), other.call('/echo', 'beside')])
        assert.equal(got, told(gives, code), 'what the caller is told')
        assert.equal(beside, 'beside', 'another session meanwhile')
        assert.equal(culprit.ran, 1, 'it ran')
        culprit.on = false
        await unharmed()
        if (push) assert.equal(pushed.includes('first'), gives === 'nothing', 'whether the push arrived')
      })
    }

    for (const hook of dropping) {
      it(`${hook} ${how}: the push is dropped, and nothing else`, async (t) => {
        const culprit = tried(hook)
        const { victim, other, pushed, serverLog, unharmed } = await scene(t, transport, culprit, 'server')
        culprit.on = true
        await victim.push('/push', 'first')
        assert.equal(await other.call('/echo', 'beside'), 'beside', 'another session meanwhile')
        await victim.call('/echo', 'behind it') // what is held back for a hook comes before this
        if (gives !== 'nothing') await serverLog.saw(gives === 'error' ? 'a plugin failed' : 'a push was dropped')
        assert.equal(culprit.ran, 1, 'it ran')
        culprit.on = false
        await unharmed()
        assert.equal(pushed.includes('first'), gives === 'nothing', 'whether the push arrived')
        assert.equal(serverLog.all.length, gives === 'nothing' ? 0 : 1, 'lines of the log')
      })
    }

    for (const { hook, on, push } of watching) {
      it(`${hook} ${how}: it is logged, and nothing else`, async (t) => {
        const culprit = tried(hook)
        const { victim, other, pushed, serverLog, clientLog, unharmed } = await scene(t, transport, culprit, on)
        culprit.on = true
        const mine = push ? victim.push('/push', 'first') : victim.call('/echo', 'first')
        const [got, beside] = await Promise.all([codeOf(mine), other.call('/echo', 'beside')])
        assert.equal(got, 0, 'what the caller is told')
        assert.equal(beside, 'beside', 'another session meanwhile')
        const log = on === 'server' ? serverLog : clientLog
        if (gives !== 'nothing') await log.saw('a plugin failed')
        assert.equal(culprit.ran, 1, 'it ran')
        culprit.on = false
        await unharmed()
        if (push) assert.ok(pushed.includes('first'), 'the push arrived')
        assert.deepEqual(log.all, gives === 'nothing' ? [] : ['a plugin failed'], 'lines of the log')
      })
    }

    it(`beforeReadHeader ${how}: its session closes, and no other`, async (t) => {
      const culprit = tried('beforeReadHeader')
      const { server, victim, other } = await scene(t, transport, culprit, 'server')
      const closed = once()
      victim.once('close', () => closed.resolve())
      culprit.on = true
      // It runs before the message behind this one.
      const first = await codeOf(victim.call('/echo', 1))
      if (gives === 'nothing') {
        assert.equal(first, 0, 'the call')
        assert.equal(await victim.call('/echo', 2), 2, 'the session goes on')
      } else {
        await closed.promise
        assert.ok(first === 0 || first === 102, `the call: ${first}`)
        assert.equal(await codeOf(victim.call('/echo', 2)), 102, 'a call on it')
      }
      assert.equal(await other.call('/echo', 3), 3, 'another session')
      assert.equal(server.sessionCount, gives === 'nothing' ? 2 : 1, 'sessions')
    })

    it(`afterAccept ${how}: its session closes, and no other`, async (t) => {
      const culprit = tried('afterAccept')
      culprit.on = true
      const log = new Lines()
      const server = endpoint(t, { transport, log, plugins: [culprit.plugin], hookTimeout: 20 })
      server.routeCall('/echo', (value: unknown) => value)
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const client = endpoint(t, { transport })
      const first = await client.dial(url)
      const got = await codeOf(first.call('/echo', 1))
      assert.equal(got, gives === 'nothing' ? 0 : 102, 'its first call')
      if (gives !== 'nothing') await log.saw('session refused')
      culprit.on = false
      const second = await client.dial(url)
      assert.equal(await second.call('/echo', 2), 2, 'a session behind it')
      assert.deepEqual(log.all, gives === 'nothing' ? [] : ['session refused'], 'lines of the log')
    })

    for (const hook of ['beforeDial', 'afterDial'] as const) {
      it(`${hook} ${how}: the dial fails, and no other session`, async (t) => {
        const culprit = tried(hook)
        const { client, url, unharmed } = await scene(t, transport, culprit, 'client')
        culprit.only = undefined
        culprit.on = true
        const dialled = client.dial(url)
        assert.equal(await codeOf(dialled), told(gives, 105), 'the dial')
        culprit.on = false
        if (gives === 'nothing') await (await dialled).close()
        await gone(client, 2)
        await unharmed()
      })
    }

    it(`afterDialFail ${how}: the dial fails as it would`, async (t) => {
      const culprit = tried('afterDialFail')
      culprit.on = true
      const log = new Lines()
      const client = endpoint(t, { transport, log, plugins: [culprit.plugin], hookTimeout: 20 })
      const spare = endpoint(t, { transport })
      const listener = await spare.listen('tcp://127.0.0.1:0')
      await listener.close()
      assert.equal(await codeOf(client.dial(listener.url)), 105, 'the dial')
      assert.equal(culprit.ran, 1, 'it ran')
      assert.deepEqual(log.all, gives === 'nothing' ? [] : ['a plugin failed'], 'lines of the log')
    })

    it(`afterDisconnect ${how}: it is logged, and nothing else`, async (t) => {
      const culprit = tried('afterDisconnect')
      const { server, victim, other, serverLog } = await scene(t, transport, culprit, 'server')
      const left = once()
      culprit.on = true
      const [peer] = [...server.sessions()]
      peer.once('close', () => left.resolve())
      await victim.close()
      await left.promise
      if (gives !== 'nothing') await serverLog.saw('a plugin failed')
      assert.equal(culprit.ran, 1, 'it ran')
      assert.equal(await other.call('/echo', 1), 1, 'another session')
      assert.deepEqual(serverLog.all, gives === 'nothing' ? [] : ['a plugin failed'], 'lines of the log')
    })

    it(`afterListen ${how}: listening fails, and the endpoint goes on`, async (t) => {
      const culprit = tried('afterListen')
      culprit.on = true
      const server = endpoint(t, { transport, plugins: [culprit.plugin], hookTimeout: 20 })
      server.routeCall('/echo', (value: unknown) => value)
      const got = await codeOf(server.listen('tcp://127.0.0.1:0'))
      assert.equal(got, gives === 'nothing' ? 0 : gives, 'listen')
      culprit.on = false
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const session = await endpoint(t, { transport }).dial(url)
      assert.equal(await session.call('/echo', 1), 1, 'a call')
    })

    for (const hook of ['beforeCloseEndpoint', 'afterCloseEndpoint'] as const) {
      it(`${hook} ${how}: it is logged, and the endpoint closes`, async (t) => {
        const culprit = tried(hook)
        const { server, victim, serverLog } = await scene(t, transport, culprit, 'server')
        culprit.only = undefined
        culprit.on = true
        const closed = once()
        victim.once('close', () => closed.resolve())
        await server.close()
        await closed.promise
        assert.equal(culprit.ran, 1, 'it ran')
        assert.equal(server.sessionCount, 0, 'sessions')
        assert.deepEqual(serverLog.all, gives === 'nothing' ? [] : ['a plugin failed'], 'lines of the log')
      })
    }

    for (const hook of ['beforeNewEndpoint', 'afterNewEndpoint'] as const) {
      it(`${hook} ${how}: the endpoint cannot be made, or not used`, async (t) => {
        const culprit = tried(hook)
        culprit.on = true
        let made: Endpoint
        try {
          made = endpoint(t, { transport, plugins: [culprit.plugin], hookTimeout: 20 })
        } catch (error) {
          assert.ok(how.startsWith('throws') || how.endsWith('cannot be read'), `thrown though it ${how}: ${error}`)
          return
        }
        assert.ok(!how.startsWith('throws'), 'it must not be made')
        const got = await codeOf(made.listen('tcp://127.0.0.1:0'))
        assert.equal(got, gives === 'nothing' ? 0 : gives, 'listen')
        const other = endpoint(t, { transport })
        const { url } = await other.listen('tcp://127.0.0.1:0')
        assert.equal(await codeOf(made.dial(url)), gives === 'nothing' ? 0 : gives, 'dial')
      })
    }

    it(`afterRegRouter ${how}: the route is not made, or not used`, async (t) => {
      const culprit = tried('afterRegRouter')
      const server = endpoint(t, { transport, plugins: [culprit.plugin], hookTimeout: 20 })
      const add = (): void => void server.routeCall('/echo', (value: unknown) => value)
      culprit.on = true
      if (how.startsWith('throws') || how.endsWith('cannot be read')) {
        assert.throws(add, 'the route')
        culprit.on = false
        add() // its name is free
      } else {
        add()
      }
      culprit.on = false
      const late = !how.startsWith('throws') && !how.endsWith('cannot be read') && gives !== 'nothing'
      const listening = server.listen('tcp://127.0.0.1:0')
      assert.equal(await codeOf(listening), late ? gives : 0, 'listen')
      if (late) return
      const session = await endpoint(t, { transport }).dial((await listening).url)
      assert.equal(await session.call('/echo', 1), 1, 'a call')
    })
  }
})

/** Once `client` has no more than `count` sessions. */
async function gone(client: Endpoint, count: number): Promise<void> {
  while (client.sessionCount > count) {
    const last = [...client.sessions()].at(-1) as Session
    const closed = once()
    last.once('close', () => closed.resolve())
    if (last.state !== 'closed') await closed.promise
  }
}
