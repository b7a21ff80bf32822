import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout as after, setImmediate as immediate } from 'node:timers/promises'
import { endpoint, onEachTransport, pair } from '../support/helpers.ts'

onEachTransport('busy polling', (transport) => {
  test('a busy session starves neither timers, immediates, files nor other sessions', async (t) => {
    const options = { busyPoll: 200 }
    const { server, client, listener, session } = await pair(t, transport, { server: options, client: options })
    server.routeCall('/echo', (value: unknown) => value)
    const other = await client.dial(listener.url)
    let running = true
    let calls = 0
    const busy = (async () => {
      for (; running; calls++) assert.equal(await session.call('/echo', calls), calls)
    })()
    for (let i = 0; i < 30; i++) {
      await after(1)
      await immediate()
      assert.ok((await readFile(new URL(import.meta.url))).length > 0)
      assert.equal(await other.call('/echo', i), i)
    }
    running = false
    await busy
    assert.ok(calls > 30)
  })

  test('a session that closes while it is polled is noticed', async (t) => {
    const { session, peer } = await pair(t, transport, { server: { busyPoll: 500 }, client: { busyPoll: 500 } })
    const closed = new Promise((resolve) => peer.on('close', resolve))
    for (let i = 0; i < 20; i++) await session.call('/none').catch(() => {})
    session.destroy()
    await closed
  })

  test('the longest wish of open endpoints counts and ends with its endpoint', async (t) => {
    const first = endpoint(t, { transport, busyPoll: 50 })
    await endpoint(t, { transport, busyPoll: 100 }).close()
    await first.close()
    assert.throws(() => endpoint(t, { transport, busyPoll: -1 }), RangeError)
    assert.throws(() => endpoint(t, { transport, busyPoll: 1e9 }), RangeError)
  })
})
