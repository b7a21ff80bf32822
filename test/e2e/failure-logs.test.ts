import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plugin } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

/** As `fetch` fails where nobody listens. */
function fetchFailed(): Error {
  const refused = ['::1', '127.0.0.1'].map((host) => Object.assign(new Error(`connect ECONNREFUSED ${host}`), { code: 'ECONNREFUSED' }))
  return new TypeError('fetch failed', { cause: Object.assign(new AggregateError(refused, ''), { code: 'ECONNREFUSED' }) })
}

const whole = /fetch failed[\s\S]*ECONNREFUSED[\s\S]*ECONNREFUSED ::1[\s\S]*ECONNREFUSED 127\.0\.0\.1/

onEachTransport('what the log tells of failures', (transport) => {
  test('of handlers, also behind hooks, of calls and of pushes: the whole chain', async (t) => {
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { log } })
    const fail = async (): Promise<never> => {
      throw fetchFailed()
    }
    server.routeCall('/plain', fail)
    server.routeCall('/hooked', fail, { plugins: [{ name: 'looks on', afterReadCallBody: () => {} }] })
    server.routeCall('/in-hook', () => 1, { plugins: [{ name: 'fails', afterReadCallBody: fail }] })
    server.routePush('/push', fail)
    await session.push('/push')
    for (const route of ['/plain', '/hooked', '/in-hook'])
      assert.deepEqual(await status(session.call(route)), [500, 'Internal Server Error', ''])
    assert.equal(log.lines.length, 4)
    for (const { text, fields } of log.lines) assert.match(String(fields.error), whole, text)
  })

  test('exposeErrors gives the caller the same in a line', async (t) => {
    const { server, session } = await pair(t, transport, { server: { exposeErrors: true } })
    server.routeCall('/x', () => {
      throw fetchFailed()
    })
    server.routeCall('/members', () => Promise.any([Promise.reject(new Error('a')), Promise.reject(new Error('b'))]))
    const [, , cause] = await status(session.call('/x'))
    assert.match(cause, whole)
    assert.doesNotMatch(cause, /\n| at /)
    assert.match((await status(session.call('/members')))[2], /: \[a; b\]$/)
  })

  test('of hooks around replies, of hooks about sessions, and of listeners', async (t) => {
    const log = recorder()
    const fail = (): never => {
      throw fetchFailed()
    }
    const plugin: Plugin = { name: 'fails', afterWriteReply: fail, afterDisconnect: fail }
    const { server, session, peer } = await pair(t, transport, { server: { log, plugins: [plugin] } })
    server.routeCall('/x', () => 1)
    const closed = once()
    peer.once('close', () => {
      closed.resolve()
      fail()
    })
    server.on('session', fail)
    await session.call('/x')
    const listener = await server.listen('tcp://127.0.0.1:0')
    await endpoint(t, { transport }).dial(listener.url)
    await session.close()
    await closed.promise
    await server.close()
    const texts = new Set(log.lines.map(({ text }) => text))
    for (const text of ['a plugin failed', 'a close listener threw', 'a session listener threw']) assert.ok(texts.has(text), text)
    for (const { text, fields } of log.lines) assert.match(String(fields.error), whole, text)
  })

  test('of a checker, of a push that was refused, and of a dial', async (t) => {
    const log = recorder()
    const plugins = [{ name: 'refuses', afterAccept: () => Promise.reject(fetchFailed()) }]
    const { url } = await endpoint(t, { transport, log, plugins }).listen('tcp://127.0.0.1:0')
    const dialler = endpoint(t, { transport, plugins: [{ name: 'fails', beforeDial: () => Promise.reject(fetchFailed()) }] })
    const [code, , cause] = await status(dialler.dial(url))
    assert.equal(code, 105)
    assert.match(cause, whole)
    const session = await endpoint(t, { transport }).dial(url)
    const closed = once()
    if (session.state === 'closed') closed.resolve()
    else session.once('close', () => closed.resolve())
    await closed.promise
    const refused = log.lines.find(({ text }) => text === 'session refused')
    assert.match(String(refused?.fields.error), whole)
  })
})
