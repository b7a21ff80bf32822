import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import { availableParallelism } from 'node:os'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { frame } from '../support/frames.ts'
import { endpoint, once, onEachTransport, transports } from '../support/helpers.ts'

// DMICRO_IO_THREADS overrides what these tests ask for (scripts/test-e2e.mjs runs the other suites with it).
const overridden = process.env.DMICRO_IO_THREADS !== undefined
const threads = { ioThreads: 2 }
/** Of a thread that is late. */
const peers = 8

describe('IO threads', { skip: !transports.includes('native') || overridden }, () => {
  test('sessions spread over several threads have every call answered, each its own', async (t) => {
    const server = endpoint(t, { transport: 'native', ioThreads: 2 })
    server.routeCall('/echo', (text: string) => text)
    assert.equal(server.transport.ioThreads, 2)
    assert.equal(String(server.transport), 'native, 2 IO threads')
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport: 'native', ioThreads: 3 })
    const sessions = await Promise.all(Array.from({ length: 32 }, () => client.dial(url)))
    const calls = sessions.flatMap((session, i) => Array.from({ length: 50 }, (_, n) => session.call('/echo', `${i}/${n}`)))
    assert.deepEqual(
      await Promise.all(calls),
      sessions.flatMap((_, i) => Array.from({ length: 50 }, (_, n) => `${i}/${n}`)),
    )
  })

  test('an endpoint with threads and one without talk to each other in one process', async (t) => {
    const threaded = endpoint(t, { transport: 'native', ioThreads: 1 })
    const plain = endpoint(t, { transport: 'native' })
    for (const server of [threaded, plain]) server.routeCall('/kind', () => String(server.transport))
    const there = await plain.dial((await threaded.listen('tcp://127.0.0.1:0')).url)
    const back = await threaded.dial((await plain.listen('tcp://127.0.0.1:0')).url)
    assert.equal(await there.call('/kind', null), 'native, 1 IO thread')
    assert.equal(await back.call('/kind', null), 'native')
  })

  test('a route is found from its first call on, also by a thread that is busy', async (t) => {
    const server = endpoint(t, { transport: 'native', ioThreads: 1 })
    server.routePush('/sink', () => {})
    const session = await endpoint(t, { transport: 'native' }).dial((await server.listen('tcp://127.0.0.1:0')).url)
    const body = Buffer.alloc(100_000)
    for (let n = 0; n < 300; n++) {
      for (let pushes = 0; pushes < 20; pushes++) void session.push('/sink', body)
      for (let turns = 0; turns < n % 4; turns++) await turn()
      server.routeCall(`/first/${n}`, () => n)
      assert.equal(await session.call(`/first/${n}`), n)
    }
  })

  test('messages too large for the shared memory pass both ways', async (t) => {
    const server = endpoint(t, { transport: 'native', ioThreads: 2 })
    server.routeCall('/echo', (text: string) => text)
    const session = await endpoint(t, { transport: 'native', ioThreads: 2 }).dial((await server.listen('tcp://127.0.0.1:0')).url)
    const text = 'é'.repeat(3 * 1024 * 1024)
    assert.equal(await session.call('/echo', text), text)
    // Within the lane and beyond what is copied into it.
    const middle = 'x'.repeat(200_000)
    assert.deepEqual(await Promise.all(Array.from({ length: 20 }, () => session.call('/echo', middle))), Array(20).fill(middle))
  })

  test('more pushes in one turn than the lanes hold arrive in order', async (t) => {
    const server = endpoint(t, { transport: 'native', ioThreads: 1 })
    const seen: number[] = []
    const last = once()
    server.routePush('/n', (n: number) => {
      if (seen.push(n) === 50_000) last.resolve()
    })
    const session = await endpoint(t, { transport: 'native', ioThreads: 1 }).dial((await server.listen('tcp://127.0.0.1:0')).url)
    for (let n = 0; n < 50_000; n++) void session.push('/n', n)
    await last.promise
    assert.ok(seen.every((n, i) => n === i))
  })

  for (const ioThreads of [0, 1]) {
    test(`${peers} peers that speak and close before this thread hears of their connections are heard, ${ioThreads} threads`, async (t) => {
      // A thread of its own: it goes on while this one stands still.
      const said = new Int32Array(new SharedArrayBuffer(4))
      const worker = new Worker(
        `const { parentPort, workerData: { bytes, said } } = require('node:worker_threads')
        const server = require('node:net').createServer((socket) => {
          socket.on('error', () => {}).resume().end(bytes, () => {
            Atomics.add(said, 0, 1)
            Atomics.notify(said, 0)
          })
        })
        server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
        { eval: true, workerData: { bytes: frame({ type: 3, method: '/first', body: '1' }), said } },
      )
      t.after(() => worker.terminate())
      const port = await new Promise((resolve) => worker.once('message', resolve))
      const client = endpoint(t, { transport: 'native', ioThreads })
      let heard = 0
      const last = once()
      client.routePush('/first', () => {
        if (++heard === peers) last.resolve()
      })
      // The batch of the first tells of nothing else; the connections, messages and ends of the others come in one.
      const dials = Array.from({ length: peers }, () => client.dial(`tcp://127.0.0.1:${port}`))
      for (let turn = 0; turn < 100; turn++) await null // they connect now, and this thread has heard of nothing
      for (let n = 0; (n = said[0]) < peers && Atomics.wait(said, 0, n, 5000) !== 'timed-out'; );
      Atomics.wait(said, 0, peers, 50)
      const closed = (await Promise.all(dials)).map((session) => session.state === 'closed' || event(session, 'close'))
      await last.promise
      await Promise.all(closed)
      assert.equal(client.sessionCount, 0)
    })
  }

  test("'auto' decides by the machine's cores and says so", (t) => {
    const { transport } = endpoint(t, { transport: 'native', ioThreads: 'auto' })
    const cores = availableParallelism()
    assert.equal(transport.ioThreads, cores >= 8 ? 2 : cores >= 4 ? 1 : 0)
    assert.equal(transport.reason, `ioThreads auto: ${cores} ${cores === 1 ? 'core' : 'cores'}`)
  })

  test('numbers that are none are refused by name', (t) => {
    for (const ioThreads of [-1, 0.5, 65, Number.NaN, 'two'] as never[]) {
      assert.throws(() => endpoint(t, { transport: 'native', ioThreads }), /ioThreads must be 'auto' or a whole number from 0 to 64/)
    }
  })
})

onEachTransport('one port, several listeners', (transport) => {
  test('reusePort lets two endpoints listen on one port; without it the second is refused', async (t: TestContext) => {
    const first = endpoint(t, { transport })
    const second = endpoint(t, { transport })
    const [major, minor] = process.versions.node.split('.').map(Number)
    if (transport === 'js' && (major < 22 || (major === 22 && minor < 12))) {
      await assert.rejects(first.listen('tcp://127.0.0.1:0', { reusePort: true }), /reusePort needs the native transport, or Node.js 22.12/)
      return
    }
    const { url } = await first.listen('tcp://127.0.0.1:0', { reusePort: true })
    assert.equal((await second.listen(url, { reusePort: true })).url, url)
    await assert.rejects(endpoint(t, { transport }).listen(url), { code: 'EADDRINUSE' })
    for (const server of [first, second]) server.routeCall('/who', () => server.stats.accepted)
    const client = endpoint(t, { transport })
    for (let i = 0; i < 50; i++) assert.ok((await (await client.dial(url)).call<number>('/who', null)) > 0)
    assert.equal(first.stats.accepted + second.stats.accepted, 50)
    assert.ok(first.stats.accepted > 0 && second.stats.accepted > 0, 'the system spreads the connections')
  })
})

onEachTransport('sessions that come and go', (transport) => {
  test('calls of every size on sessions that open, close and break at random are answered right or fail as closed', async (t) => {
    const seconds = Number(process.env.DMICRO_STRESS_SECONDS ?? 1)
    const server = endpoint(t, { transport, ...threads })
    server.routeCall('/echo', (text: string) => text)
    server.routeCall('/later', async (text: string) => {
      await new Promise(setImmediate)
      return text
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const client = endpoint(t, { transport, ...threads })
    let seed = 1
    const below = (n: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      return (seed >> 8) % n
    }
    const sizes = [0, 1, 62, 1000, 4096, 30_000, 70_000, 200_000, 400_000]
    const end = performance.now() + seconds * 1000
    let answered = 0
    const one = async (): Promise<void> => {
      while (performance.now() < end) {
        const session = await client.dial(url)
        const calls = Array.from({ length: below(40) }, async () => {
          const text = String.fromCharCode(97 + below(26)).repeat(sizes[below(below(8) === 0 ? sizes.length : 5)])
          const reply = await session.call(below(2) === 0 ? '/echo' : '/later', text).catch((error) => {
            assert.equal(error.code, 102)
            return text
          })
          assert.ok(reply === text, `${text.length} characters`)
          answered++
        })
        if (below(3) === 0) session.destroy()
        else if (below(2) === 0) void session.close()
        await Promise.all(calls)
        await session.close()
      }
    }
    await Promise.all(Array.from({ length: 20 }, one))
    assert.ok(answered > 0)
    await client.close()
    while (server.sessionCount > 0) await new Promise(setImmediate)
  })
})
