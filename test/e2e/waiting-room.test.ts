// Calls and pushes made while a session has no connection: no more than `limits.maxRunning` wait.
import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { once, onEachTransport, status } from '../support/helpers.ts'
import { redial, resumable } from '../support/resumable.ts'

const ROOM = 50
const TOO_MANY = [102, 'Connection Closed', 'too many calls wait for the connection']

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

onEachTransport('more than may wait for a connection', (transport) => {
  const limits = { maxRunning: ROOM }

  for (const side of ['redialing', 'disconnected'] as const) {
    test(`${side}: those over the limit are refused at once and told so, those accepted are served once and in order`, async (t) => {
      const { server, client, session, peer, proxy } = await resumable(t, transport, {
        server: side === 'disconnected' ? { limits } : {},
        client: side === 'redialing' ? { limits } : {},
      })
      const [caller, served] = side === 'redialing' ? [session, server] : [peer, client]
      const calls: number[] = []
      const pushes: number[] = []
      served.routeCall('/n', (n: number) => {
        calls.push(n)
        return n
      })
      served.routePush('/p', (n: number) => void pushes.push(n))
      const back = Promise.all([event(session, 'redialed'), event(peer, 'resumed')])
      const full = once()
      const accepted: Promise<unknown>[] = []
      const refused: Promise<[number, string, string]>[] = []
      caller.once(side as 'disconnected', () => {
        // Two calls and a push in turn.
        for (let n = 0; n < 3 * ROOM; n++) {
          const made: Promise<unknown> = n % 3 === 2 ? caller.push('/p', n) : caller.call('/n', n, { idempotent: n % 3 === 1 })
          if (n < ROOM) accepted.push(made)
          else refused.push(status(made))
        }
        full.resolve()
      })
      proxy.cut()
      await full.promise
      for (const told of await Promise.all(refused)) assert.deepEqual(told, TOO_MANY)
      assert.notEqual(caller.state, 'closed')
      await back
      const answers = await Promise.all(accepted)
      assert.deepEqual(
        answers,
        Array.from({ length: ROOM }, (_, n) => (n % 3 === 2 ? undefined : n)),
      )
      await caller.call('/n', -1)
      const kinds = (remainder: number): number[] => Array.from({ length: ROOM }, (_, n) => n).filter((n) => n % 3 === remainder)
      // Idempotent calls and others were made in one order; nothing over the limit came.
      assert.deepEqual(
        calls.toSorted((a, b) => a - b),
        [-1, ...kinds(0), ...kinds(1)].sort((a, b) => a - b),
      )
      assert.deepEqual(
        calls.filter((n) => n % 3 === 0),
        kinds(0),
      )
      assert.deepEqual(
        calls.filter((n) => n % 3 === 1),
        kinds(1),
      )
      assert.deepEqual(pushes, kinds(2))
      assert.equal(caller.pendingCalls, 0)
    })
  }

  test('calls that were open and are made again find their places first; what finds none fails with 102, and nothing hangs', async (t) => {
    const { server, session, peer, proxy } = await resumable(t, transport, { client: { limits } })
    const runs = new Map<number, number>()
    const begun = once()
    const gate = once()
    server.routeCall('/work', async (n: number) => {
      runs.set(n, (runs.get(n) ?? 0) + 1)
      if (runs.size === 2 * ROOM) begun.resolve()
      await gate.promise
      return n
    })
    const made = Array.from({ length: 2 * ROOM }, (_, n) =>
      session.call('/work', n, { idempotent: true, timeout: 0 }).catch(({ code }) => `failed ${code}`),
    )
    await begun.promise
    const back = event(peer, 'resumed')
    const late: Promise<[number, string, string]>[] = []
    session.once('redialing', () => late.push(status(session.call('/work', -1))))
    proxy.cut()
    await back
    gate.resolve()
    const answers = await Promise.all(made)
    assert.deepEqual(answers.filter((answer) => typeof answer === 'number').length, ROOM)
    for (const answer of answers) if (typeof answer !== 'number') assert.equal(answer, 'failed 102')
    assert.deepEqual(await Promise.all(late), [TOO_MANY])
    assert.deepEqual([...new Set(runs.values())], [1])
    assert.deepEqual(
      answers.slice(0, ROOM),
      Array.from({ length: ROOM }, (_, n) => n),
      'the oldest have them',
    )
    assert.equal(session.pendingCalls, 0)
  })

  for (const calls of ['wait', 'fail'] as const) {
    test(`idempotent calls that were open and cannot ${calls === 'wait' ? 'all ' : ''}wait leave no key behind, which would keep others’ replies`, async (t) => {
      const { server, session, peer, proxy } = await resumable(t, transport, {
        client: { limits: { maxRunning: 1 }, redial: { ...redial, calls } },
      })
      const gate = once()
      const begun = once()
      let running = 0
      server.routeCall('/work', async (n: number) => {
        if (++running === 4) begun.resolve()
        await gate.promise
        return n
      })
      const made = Array.from({ length: 4 }, (_, n) => session.call('/work', n, { idempotent: true }).catch(({ code }) => `failed ${code}`))
      await begun.promise
      const back = Promise.all([event(peer, 'resumed'), event(session, 'redialed')])
      let sent = ''
      proxy.tap = (bytes) => {
        sent += bytes.toString('latin1')
      }
      proxy.cut()
      await back
      gate.resolve()
      const failed = 'failed 102'
      assert.deepEqual(await Promise.all(made), calls === 'wait' ? [0, failed, failed, failed] : [failed, failed, failed, failed])
      sent = ''
      for (let n = 0; n < 3; n++) await session.call('/echo', n, { idempotent: true })
      const keys = [...sent.matchAll(/X-Dmicro-Once":"(\w+)\.(\w+)"/g)]
      assert.equal(keys.length, 3)
      for (const [, key, settled] of keys) assert.equal(settled, key)
    })
  }

  test('a place is free again when who had it waits no more', async (t) => {
    const { session, proxy } = await resumable(t, transport, {
      client: { limits: { maxRunning: 1 }, redial: { ...redial, minDelay: 86_400_000, maxDelay: 86_400_000 } },
    })
    const lost = event(session, 'redialing')
    proxy.cut()
    await lost
    for (let n = 0; n < 3; n++) {
      const abort = new AbortController()
      const waiting = status(session.call('/echo', 1, { signal: abort.signal }))
      assert.deepEqual(await status(session.push('/n')), TOO_MANY)
      abort.abort()
      assert.equal((await waiting)[0], 499)
      assert.equal((await status(session.call('/echo', 1, { timeout: 5 })))[0], 408)
    }
  })

  test('what was refused holds no memory', async (t) => {
    const { session, proxy } = await resumable(t, transport, {
      client: { limits, redial: { ...redial, minDelay: 86_400_000, maxDelay: 86_400_000 } },
    })
    const lost = event(session, 'redialing')
    proxy.cut()
    await lost
    const fill = async (count: number): Promise<void> => {
      const all: Promise<unknown>[] = []
      for (let n = 0; n < count; n++) all.push(session.call('/echo', new Uint8Array(64 * 1024)).catch(() => {}))
      await Promise.all(all.slice(ROOM))
    }
    const held = (): number => {
      collect()
      return process.memoryUsage().arrayBuffers
    }
    await fill(ROOM)
    const few = held()
    await fill(5000)
    // Memory of buffers is given back in the background.
    let more = 0
    for (let looks = 0; looks < 100 && (more = held() - few) >= 8 * 1024 * 1024; looks++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    assert.ok(more < 8 * 1024 * 1024, `${more} bytes more for 5,000 refused calls`)
    session.destroy()
  })
})
