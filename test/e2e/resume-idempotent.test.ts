import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import type { Session } from '../../src/index.ts'
import { cutter } from '../support/cutter.ts'
import { endpoint, once, onEachTransport, overKcp, overTls, overWebSocket, status } from '../support/helpers.ts'
import { named, redial, resumable } from '../support/resumable.ts'

onEachTransport('idempotent calls', (transport) => {
  test('the first of a session runs once too, of either side', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const proxy = await cutter(t, url)
    const client = endpoint(t, { transport, redial })
    const goOn = once()
    const runs: string[] = []
    const begun = { client: once(), server: once() }
    for (const [name, side] of [
      ['client', client],
      ['server', server],
    ] as const)
      side.routeCall('/work', async () => {
        runs.push(name)
        begun[name].resolve()
        await goOn.promise
        return name
      })
    const accepted = event(server, 'session') as Promise<[Session]>
    const session = await client.dial(proxy.url)
    const [peer] = await accepted
    const calls = [session, peer].map((each) => each.call('/work', null, { idempotent: true }))
    await Promise.all([begun.client.promise, begun.server.promise])
    await named(session)
    const back = event(peer, 'resumed')
    proxy.cut()
    await back
    await session.call('/echo')
    goOn.resolve()
    assert.deepEqual(await Promise.all(calls), ['server', 'client'])
    assert.deepEqual(runs.sort(), ['client', 'server'])
  })

  test('a reply over the size limit is told of, also where it came while there was no connection', async (t) => {
    const { server, session, peer, proxy } = await resumable(t, transport, { server: { limits: { maxMessage: 10_000 } } })
    const goOn = once()
    const begun = once()
    server.routeCall('/large', async () => {
      begun.resolve()
      await goOn.promise
      return 'x'.repeat(20_000)
    })
    const early = status(session.call('/large', null, { idempotent: true }))
    await begun.promise
    const away = event(peer, 'disconnected')
    proxy.cut()
    await away
    goOn.resolve()
    assert.equal((await early)[0], 500)
    assert.equal((await status(session.call('/large', null, { idempotent: true })))[0], 500)
  })

  test('one that runs is no overload when it comes again', async (t) => {
    const { server, session, peer, proxy } = await resumable(t, transport, { server: { limits: { maxRunning: 1 } } })
    const goOn = once()
    const begun = once()
    server.routeCall('/work', async () => {
      begun.resolve()
      await goOn.promise
      return 'done'
    })
    const answer = session.call('/work', null, { idempotent: true })
    await begun.promise
    const refused = session.call('/work', null, { idempotent: true })
    assert.equal((await status(refused))[0], 429)
    const back = event(peer, 'resumed')
    proxy.cut()
    await back
    // Behind the one that comes again.
    assert.equal((await status(session.call('/echo')))[0], 429)
    goOn.resolve()
    assert.equal(await answer, 'done')
  })

  const readsTheWire = { skip: (overTls || overWebSocket || overKcp) && 'reads the wire' }
  test('those that could not be sent, ran out of time or were cancelled while waiting leave no key behind', readsTheWire, async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    let wire = ''
    const tap = createServer((inner) => {
      const outer = connect(Number(new URL(url).port), '127.0.0.1')
      inner.on('data', (chunk) => {
        wire += chunk.toString('latin1')
      })
      inner.pipe(outer).pipe(inner)
      for (const socket of [inner, outer]) socket.on('error', () => outer.destroy())
    })
    await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve))
    t.after(() => tap.close())
    const gate = once()
    const dials = { name: 'gate', beforeDial: (_: string, again: boolean) => (again ? gate.promise : undefined) }
    const client = endpoint(t, { transport, redial, plugins: [dials] })
    const session = await client.dial(`tcp://127.0.0.1:${(tap.address() as { port: number }).port}`)
    await session.call('/echo')
    await named(session)
    assert.equal((await status(session.call('/echo', 1n, { idempotent: true })))[0], 104)
    const redialing = event(session, 'redialing')
    for (const peer of server.sessions()) peer.destroy('a test')
    await redialing
    const late = status(session.call('/echo', 1, { idempotent: true, timeout: 1 }))
    const abort = new AbortController()
    const cancelled = status(session.call('/echo', 1, { idempotent: true, signal: abort.signal }))
    abort.abort()
    assert.deepEqual([(await late)[0], (await cancelled)[0]], [408, 499])
    gate.resolve()
    for (let n = 0; n < 3; n++) await session.call('/echo', 1, { idempotent: true })
    const keys = [...wire.matchAll(/X-Dmicro-Once":"(\w+)\.(\w+)"/g)]
    assert.ok(keys.length >= 3, `${keys.length} keys`)
    for (const [, key, settled] of keys) assert.equal(settled, key)
  })
})
