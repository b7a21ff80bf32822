// The event loop of one side stands still for much longer than heartbeats and deadlines are (S8).
import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { heartbeatPing, heartbeatPong } from '../../src/index.ts'
import { onEachTransport, pair, status } from '../support/helpers.ts'
import { redial, resumable } from '../support/resumable.ts'

const STALL = 600

function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL)
}

onEachTransport('S8', (transport) => {
  test('a handler that holds the thread: heartbeats kill nobody, also sessions that have nothing else to do', async (t) => {
    const plugins = [heartbeatPing({ interval: 50 }), heartbeatPong({ maxSilence: 100 })]
    const { server, client, listener, session, peer } = await pair(t, transport, { server: { plugins }, client: { plugins } })
    server.routeCall('/hold', stall)
    const others = await Promise.all(Array.from({ length: 5 }, () => client.dial(listener.url)))
    const all = [session, peer, ...others, ...server.sessions()]
    for (const each of all) each.on('close', (reason) => assert.fail(`closed: ${reason?.cause}`))
    for (let n = 0; n < 2; n++) {
      await session.call('/hold')
      const beats = others.map(({ lastSeq }) => lastSeq)
      while (others.some(({ lastSeq }, at) => lastSeq < beats[at] + 2)) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.ok(
      all.every(({ isOpen: health }) => health),
      'all are well',
    )
    for (const each of all) each.removeAllListeners('close')
  })

  test('what ran out of time because this process stood still says so, what did by itself does not', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/never', () => new Promise(() => {}))
    const [why, , alone] = await status(session.call('/never', null, { timeout: 20 }))
    assert.deepEqual([why, alone], [408, 'no reply from /never within the deadline'])
    const failed = status(session.call('/never', null, { timeout: 50 }))
    stall()
    const [code, , cause] = await failed
    assert.equal(code, 408)
    const [, ms] = /^no reply from \/never within the deadline; this process stood still for (\d+) ms or more$/.exec(cause) ?? []
    assert.ok(Number(ms) >= 100 && Number(ms) >= STALL - 100, cause)
  })

  test('so does what waited for a connection', async (t) => {
    const { session, proxy } = await resumable(t, transport, {
      client: { redial: { ...redial, minDelay: 86_400_000, maxDelay: 86_400_000 } },
    })
    const lost = event(session, 'redialing')
    proxy.cut()
    await lost
    assert.equal((await status(session.call('/echo', 1, { timeout: 20 })))[2], 'no connection within the deadline')
    const failed = status(session.call('/echo', 1, { timeout: 50 }))
    stall()
    assert.match((await failed)[2], /^no connection within the deadline; this process stood still for \d{3,} ms or more$/)
  })
})
