import assert from 'node:assert/strict'
import { AsyncLocalStorage, executionAsyncId, executionAsyncResource, triggerAsyncId } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { once as event } from 'node:events'
import { it, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Endpoint, type EndpointOptions, gzip, heartbeatPing, heartbeatPong, type Plugin, type Session } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport, status } from '../support/helpers.ts'

const als = new AsyncLocalStorage<unknown>()
const store = (): unknown => als.getStore() ?? 'none'
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const quick = { minDelay: 1, maxDelay: 20 }

/** A handler that is async, and waits, when `later` says so. */
const seeing = (later: 'sync' | 'async' | 'behind an await') => {
  if (later === 'sync') return store
  if (later === 'async') return async () => store()
  return async () => {
    await turn()
    return store()
  }
}

/** `pair`, each step of it in a store of its own: `boot`, `listen` and `dial`. */
async function pairInStores(t: TestContext, transport: Kind, options: { server?: EndpointOptions; client?: EndpointOptions } = {}) {
  const server = als.run('boot', () => endpoint(t, { transport, ...options.server }))
  const client = als.run('boot', () => endpoint(t, { transport, ...options.client }))
  const { url } = await als.run('listen', () => server.listen('tcp://127.0.0.1:0'))
  const accepted = once<Session>()
  server.once('session', accepted.resolve)
  const session = await als.run('dial', () => client.dial(url))
  return { server, client, url, session, peer: await accepted.promise }
}

/** `count` sessions to one server, which all have something on their way to it at once. */
async function crowd(t: TestContext, transport: Kind, server: Endpoint, count: number): Promise<Session[]> {
  const client = endpoint(t, { transport })
  const { url } = await server.listen('tcp://127.0.0.1:0')
  return await Promise.all(Array.from({ length: count }, () => client.dial(url)))
}

onEachTransport('the async context', (transport) => {
  it('after a call, its failure, its deadline, its cancellation and a push is the caller’s', async (t) => {
    const { server, session } = await pairInStores(t, transport)
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/never', () => new Promise(() => {}))
    const abort = new AbortController()
    const outcomes = await Promise.all([
      als.run('call', () => session.call('/echo', 1).then(store)),
      als.run('failure', () => session.call('/none').catch(store)),
      als.run('deadline', () => session.call('/never', 1, { timeout: 20 }).catch(store)),
      als.run('cancelled', () => session.call('/never', 1, { signal: abort.signal }).catch(store)),
      als.run('push', () => session.push('/none').then(store)),
      als.run('abort', async () => abort.abort()),
    ])
    assert.deepEqual(outcomes.slice(0, 5), ['call', 'failure', 'deadline', 'cancelled', 'push'])
    let wrong = 0
    const one = async (n: number): Promise<void> => {
      await session.call('/echo', n)
      if (store() !== n) wrong++
    }
    await Promise.all(Array.from({ length: 1000 }, (_, n) => als.run(n, one, n)))
    assert.equal(wrong, 0)
  })

  it('of a call and a push that waited for a new connection is the caller’s, for their hooks too', async (t) => {
    const seen: unknown[] = []
    const hooks: Plugin = { name: 'hooks', beforeWriteCall: () => void seen.push(store()), beforeWritePush: () => void seen.push(store()) }
    const { server, session, peer } = await pairInStores(t, transport, { client: { redial: quick, plugins: [hooks] } })
    server.routeCall('/echo', (value: unknown) => value)
    const never = once()
    server.routeCall('/once', () => {
      never.resolve()
      return new Promise(() => {})
    })
    const lost = event(session, 'redialing')
    peer.destroy()
    await lost
    assert.deepEqual(
      await Promise.all([
        als.run('call', () => session.call('/echo').then(store)),
        als.run('push', () => session.push('/none').then(store)),
      ]),
      ['call', 'push'],
    )
    assert.deepEqual(seen, ['call', 'push'])
  })

  it('of an idempotent call that is made again is the caller’s, for its hooks too', async (t) => {
    const seen: unknown[] = []
    const hooks: Plugin = { name: 'hooks', beforeWriteCall: () => void seen.push(store()) }
    const { server, session } = await pairInStores(t, transport, { client: { redial: quick, plugins: [hooks] } })
    let tries = 0
    server.routeCall('/again', (_, ctx) => {
      if (tries++ === 0) {
        for (const one of server.sessions()) one.destroy()
        return new Promise(() => {})
      }
      void ctx
      return tries
    })
    await als.run('warm', () => session.call('/none')).catch(() => {})
    seen.length = 0
    const made = await als.run('caller', () => session.call('/again', 1, { idempotent: true, timeout: 5000 }).then(store, store))
    assert.equal(made, 'caller')
    assert.deepEqual([...new Set(seen)], ['caller'])
    assert.ok(seen.length >= 2, `${seen.length}`)
  })

  it('of hooks around a write is the caller’s, also behind an await', async (t) => {
    const seen: unknown[] = []
    const hook = async (): Promise<void> => {
      seen.push(store())
      await turn()
      seen.push(store())
    }
    const { server, session } = await pairInStores(t, transport, {
      client: { plugins: [{ name: 'hooks', beforeWriteCall: hook, afterWriteCall: hook }] },
    })
    server.routeCall('/echo', (value: unknown) => value)
    await als.run('caller', () => session.call('/echo'))
    await turn()
    assert.deepEqual(seen, ['caller', 'caller', 'caller', 'caller'])
  })

  it('of the hook about the first connection is the dialler’s', async (t) => {
    const seen: unknown[] = []
    await pairInStores(t, transport, {
      client: { plugins: [{ name: 'hooks', beforeDial: () => void seen.push(store()), afterDial: () => void seen.push(store()) }] },
    })
    assert.deepEqual(seen, ['dial', 'dial'])
  })

  it('of `run` in a handler is its own, however many run', async (t) => {
    const { server, session } = await pairInStores(t, transport)
    server.routeCall('/own', (n: number) =>
      als.run(n, async () => {
        await turn()
        await turn()
        return store()
      }),
    )
    const replies = await Promise.all(Array.from({ length: 500 }, (_, n) => session.call('/own', n)))
    assert.deepEqual(
      replies,
      Array.from({ length: 500 }, (_, n) => n),
    )
  })

  for (const how of ['sync', 'async', 'behind an await'] as const) {
    it(`of handlers is nobody’s (${how}), on the side that listens and on the one that dials`, async (t) => {
      const { server, client, session, peer } = await pairInStores(t, transport)
      const pushed = [once<unknown>(), once<unknown>()]
      for (const [i, side] of [server, client].entries()) {
        side.routeCall('/who', seeing(how))
        side.routePush('/who', async () => pushed[i].resolve(await seeing(how)()))
      }
      for (const caller of ['first', 'second']) {
        assert.equal(await als.run(caller, () => session.call('/who')), 'none')
        assert.equal(await als.run(caller, () => peer.call('/who')), 'none')
      }
      als.run('pusher', () => [session.push('/who'), peer.push('/who')])
      assert.deepEqual(await Promise.all(pushed.map(({ promise }) => promise)), ['none', 'none'])
    })
  }

  it('of unknown calls and pushes is nobody’s', async (t) => {
    const { server, session } = await pairInStores(t, transport)
    const pushed = once<unknown>()
    server.setUnknownCall(store)
    server.setUnknownPush(() => pushed.resolve(store()))
    assert.equal(await als.run('caller', () => session.call('/who')), 'none')
    als.run('pusher', () => session.push('/who'))
    assert.equal(await pushed.promise, 'none')
  })

  it('of the hooks of what comes in is nobody’s', async (t) => {
    const seen: Record<string, unknown> = {}
    const note = (name: string) => (): void => {
      seen[name] = store()
    }
    const server = [
      'afterAccept',
      'beforeReadHeader',
      'afterReadCallHeader',
      'beforeReadCallBody',
      'afterReadCallBody',
      'beforeWriteReply',
      'afterWriteReply',
    ]
    const client = ['afterReadReplyHeader', 'beforeReadReplyBody', 'afterReadReplyBody']
    const plugin = (names: string[]): EndpointOptions => ({
      plugins: [{ name: 'hooks', ...Object.fromEntries(names.map((name) => [name, note(name)])) } as Plugin],
    })
    const both = await pairInStores(t, transport, { server: plugin(server), client: plugin(client) })
    both.server.routeCall('/echo', (value: unknown) => value)
    await als.run('caller', () => both.session.call('/echo'))
    assert.deepEqual(seen, Object.fromEntries([...server, ...client].map((name) => [name, 'none'])))
  })

  it('of listeners of an accepted session is nobody’s', async (t) => {
    const seen: Record<string, unknown> = {}
    const gone = once()
    const left: Plugin = {
      name: 'left',
      afterDisconnect() {
        seen.afterDisconnect = store()
        gone.resolve()
      },
    }
    const server = als.run('boot', () => endpoint(t, { transport, plugins: [left] }))
    const client = endpoint(t, { transport })
    const { url } = await als.run('listen', () => server.listen('tcp://127.0.0.1:0'))
    const closed = once()
    als.run('listener', () =>
      server.on('session', (session) => {
        seen.session = store()
        als.enterWith('entered by a listener')
        session.on('close', () => {
          seen.close = store()
          closed.resolve()
        })
      }),
    )
    const session = await client.dial(url)
    await session.call('/none').catch(() => {})
    als.run('closer', () => session.destroy())
    await Promise.all([closed.promise, gone.promise])
    assert.deepEqual(seen, { session: 'none', close: 'none', afterDisconnect: 'none' })
  })

  it('of listeners of a dialled session, and of the hooks of a redial, is nobody’s', async (t) => {
    const seen: Record<string, unknown> = {}
    const hooks: Plugin = {
      name: 'hooks',
      beforeDial(_, isRedial) {
        if (isRedial) seen.beforeDial = store()
        als.enterWith('entered before a dial')
      },
      afterDial(_, isRedial) {
        if (isRedial) seen.afterDial = store()
        als.enterWith('entered after a dial')
      },
    }
    const { session, peer } = await pairInStores(t, transport, { client: { redial: quick, plugins: [hooks] } })
    for (const name of ['redialing', 'redialed', 'close'] as const) session.on(name, () => void (seen[name] = store()))
    const redialed = event(session, 'redialed')
    als.run('destroyer', () => peer.destroy())
    await redialed
    const closed = event(session, 'close')
    als.run('closer', () => void session.close())
    await closed
    assert.deepEqual(seen, { redialing: 'none', beforeDial: 'none', afterDial: 'none', redialed: 'none', close: 'none' })
  })

  it('of listeners of a session that is given up is nobody’s', async (t) => {
    const { session, server } = await pairInStores(t, transport, { client: { redial: { minDelay: 60_000, maxDelay: 60_000 } } })
    const lost = event(session, 'redialing')
    for (const one of server.sessions()) one.destroy()
    await lost
    const seen: unknown[] = []
    session.on('close', () => seen.push(store()))
    als.run('destroyer', () => session.destroy())
    assert.deepEqual(seen, ['none'])
  })

  it('of listeners of `ctx.signal` is nobody’s, whatever it fires for', async (t) => {
    const { server, session, peer } = await pairInStores(t, transport)
    const seen: unknown[] = []
    const running = [once(), once(), once()]
    const heard = [once(), once(), once()]
    server.routeCall('/wait', (n: number, { signal }) => {
      als.run(`handler ${n}`, () =>
        signal.addEventListener('abort', () => {
          seen.push(store())
          als.enterWith(`entered by a listener of ${n}`)
          heard[n].resolve()
        }),
      )
      running[n].resolve()
      return new Promise(() => {})
    })
    server.routeCall('/echo', (value: unknown) => value)
    await als.run('first', () => session.call('/echo')) // the peers know each other from here on
    const abort = new AbortController()
    void als.run('cancelled', () => session.call('/wait', 0, { signal: abort.signal })).catch(() => {})
    void als.run('lost', () => session.call('/wait', 1, { timeout: 60_000 })).catch(() => {})
    void als.run('late', () => session.call('/wait', 2, { timeout: 50 })).catch(() => {})
    await Promise.all(running.map(({ promise }) => promise))
    als.run('aborter', () => abort.abort())
    await Promise.all([heard[0].promise, heard[2].promise])
    als.run('destroyer', () => peer.destroy())
    await heard[1].promise
    assert.deepEqual(seen, ['none', 'none', 'none'])
  })

  it('that a sync hook enters is its message’s, also behind an await', async (t) => {
    const enter: Plugin = { name: 'enter', afterReadCallHeader: ({ meta }) => als.enterWith(meta.user) }
    const { server, session } = await pairInStores(t, transport, { server: { plugins: [enter] } })
    server.routeCall('/who', store)
    server.routeCall('/later', seeing('behind an await'))
    const users = Array.from({ length: 50 }, (_, n) => `user ${n}`)
    for (const method of ['/who', '/later'])
      assert.deepEqual(await Promise.all(users.map((user) => session.call(method, 1, { meta: { user } }))), users, method)
    assert.equal(await session.call('/who'), 'none')
  })

  it('that an async hook enters is not its handler’s', async (t) => {
    const enter: Plugin = {
      name: 'enter',
      async afterReadCallHeader() {
        await turn()
        als.enterWith('hook')
      },
    }
    const { server, session } = await pairInStores(t, transport, { server: { plugins: [enter] } })
    server.routeCall('/who', store)
    assert.deepEqual(await Promise.all([session.call('/who'), session.call('/who')]), ['none', 'none'])
  })

  for (const kind of ['call', 'push'] as const) {
    it(`that a handler of a ${kind} enters is gone before the next message of its session, of others, and of other endpoints`, async (t) => {
      const [a, b] = [endpoint(t, { transport }), endpoint(t, { transport })]
      const seen = new Map<unknown, number>()
      let left = 0
      const all = once()
      const note = (): void => {
        seen.set(store(), (seen.get(store()) ?? 0) + 1)
        if (--left === 0) all.resolve()
      }
      const login = (user: unknown): void => {
        note()
        als.enterWith(user)
      }
      for (const server of [a, b]) {
        server.routeCall('/login', login)
        server.routePush('/login', login)
        server.routeCall('/login/later', async (user: unknown) => {
          login(user)
          await turn()
          assert.equal(store(), user)
        })
        server.routeCall('/who', note)
        server.routePush('/who', note)
      }
      const sessions = [...(await crowd(t, transport, a, 3)), ...(await crowd(t, transport, b, 1))]
      left = 50 * sessions.length * 3
      const expected = left
      const results: Promise<unknown>[] = []
      for (let n = 0; n < 50; n++) {
        for (const [i, session] of sessions.entries()) {
          if (kind === 'call') results.push(session.call('/login', `${i}`), session.call('/who'), session.call('/login/later', `${i}`))
          else for (const method of ['/login', '/who', '/who']) void session.push(method, `${i}`)
        }
      }
      await Promise.all([all.promise, ...results])
      assert.deepEqual([...seen], [['none', expected]])
    })
  }

  it('that a handler enters with a deadline on, and what `run` leaves, is gone too', async (t) => {
    const { server, session } = await pairInStores(t, transport)
    server.routeCall('/login', (user: unknown) => als.enterWith(user))
    server.routeCall('/run', (user: unknown) => als.run(user, store))
    server.routeCall('/who', store)
    const options = { timeout: 60_000 }
    const results = await Promise.all([
      session.call('/login', 'ann', options),
      session.call('/who', 1, options),
      session.call('/run', 'bob', options),
      session.call('/who'),
    ])
    assert.deepEqual(results, [undefined, 'none', 'bob', 'none'])
  })

  it('that a hook of a reply enters is gone before the next message', async (t) => {
    const seen: unknown[] = []
    const enter: Plugin = {
      name: 'enter',
      afterReadReplyBody() {
        seen.push(store())
        als.enterWith('reply')
      },
    }
    const { server, client, session, peer } = await pairInStores(t, transport, { client: { plugins: [enter] } })
    server.routeCall('/echo', (value: unknown) => value)
    client.routeCall('/who', store)
    const [, , who] = await Promise.all([session.call('/echo'), session.call('/echo'), peer.call('/who'), session.call('/echo')])
    assert.deepEqual([...seen, who], ['none', 'none', 'none', 'none'])
  })

  it('of what waits for an async hook, for filters, or for its turn is nobody’s', async (t) => {
    const slow: Plugin = { name: 'slow', beforeReadPushBody: ({ meta }) => (meta.slow === undefined ? undefined : turn()) }
    const { server, session } = await pairInStores(t, transport, {
      server: { limits: { maxRunning: 20_000 }, filters: [gzip()], plugins: [slow] },
      client: { filters: [gzip()] },
    })
    const seen = new Map<unknown, number>()
    let left = 3020
    const all = once()
    server.routePush('/p', () => {
      seen.set(store(), (seen.get(store()) ?? 0) + 1)
      als.enterWith('entered')
      if (--left === 0) all.resolve()
    })
    server.routeCall('/echo', (value: unknown) => value)
    const large = Buffer.alloc(100_000)
    for (let n = 0; n < 3000; n++) {
      void session.push('/p', n)
      if (n % 150 === 0) {
        als.run('caller', () => void session.call('/echo', n).catch(() => {}))
        void session.push('/p', large, { codec: 'plain', filters: ['gzip'], meta: { slow: '1' } })
        await turn()
      }
    }
    await all.promise
    assert.deepEqual([...seen], [['none', 3020]])
  })

  it('of what overload protection starts later is nobody’s', async (t) => {
    const { server, session } = await pairInStores(t, transport, { server: { overload: { queueTimeout: 60_000 } } })
    const seen = new Map<unknown, number>()
    server.routeCall('/work', (n: number) => {
      seen.set(store(), (seen.get(store()) ?? 0) + 1)
      als.enterWith(n)
      for (const end = performance.now() + 0.2; performance.now() < end; );
    })
    await Promise.all(Array.from({ length: 200 }, (_, n) => als.run(n, () => session.call('/work', n, { timeout: 0 }))))
    assert.deepEqual([...seen], [['none', 200]])
    assert.ok(server.stats.queued > 0)
  })

  it('of a flood’s messages is never that of a caller beside it', async (t) => {
    const { server, client, session } = await pairInStores(t, transport, { client: { limits: { maxRunning: 100_000 } } })
    const seen = new Map<unknown, number>()
    let pushes = 0
    const all = once()
    client.routePush('/p', () => {
      seen.set(store(), (seen.get(store()) ?? 0) + 1)
      if (++pushes === 20_000) all.resolve()
    })
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/flood', async (_, ctx) => {
      for (let n = 0; n < 20_000; n++) {
        void ctx.session.push('/p')
        if (n % 400 === 0) await turn()
      }
    })
    let over = false
    const beside = (async () => {
      while (!over) await als.run('beside', () => session.call('/echo'))
    })()
    await session.call('/flood', 1, { timeout: 60_000 })
    await all.promise
    over = true
    await beside
    assert.deepEqual([...seen], [['none', 20_000]])
  })

  it('has an id, a trigger and a resource in a handler', async (t) => {
    const { server, session } = await pairInStores(t, transport)
    server.routeCall('/ids', () => [executionAsyncId() > 0, triggerAsyncId() >= 0, typeof executionAsyncResource()])
    server.routeCall('/later', async () => {
      await turn()
      return [executionAsyncId() > 0, triggerAsyncId() > 0, typeof executionAsyncResource()]
    })
    for (const method of ['/ids', '/later']) assert.deepEqual(await session.call(method), [true, true, 'object'], method)
  })

  it('between two messages of one batch runs no tick and no promise', async (t) => {
    const order: string[] = []
    const { server, session } = await pairInStores(t, transport)
    server.routePush('/p', (n: number) => {
      order.push(`push ${n}`)
      void Promise.resolve().then(() => order.push(`promise ${n}`))
      process.nextTick(() => order.push(`tick ${n}`))
      if (n === 1) als.enterWith(n)
    })
    server.routeCall('/echo', (value: unknown) => value)
    await session.call('/echo')
    for (const n of [1, 2, 3]) void session.push('/p', n)
    await session.call('/echo')
    assert.deepEqual(order.slice(0, 3), ['push 1', 'push 2', 'push 3'])
    assert.deepEqual(order.slice(3).sort(), ['promise 1', 'promise 2', 'promise 3', 'tick 1', 'tick 2', 'tick 3'])
  })

  it('of the dialler, of who listens and of who made the endpoints is not kept', async (t) => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const refs: WeakRef<object>[] = []
    const inStore = async <T>(run: () => T | Promise<T>): Promise<T> => {
      const value = { user: 'ann' }
      refs.push(new WeakRef(value))
      return await als.run(value, async () => await run())
    }
    const plugins: Plugin[] = [{ name: 'hook', beforeReadCallBody: turn }, heartbeatPing({ interval: 60_000 }), heartbeatPong()]
    const server = await inStore(() => new Endpoint({ transport, plugins, log: false }))
    const client = await inStore(() => new Endpoint({ transport, log: false }))
    t.after(() => Promise.all([client.close({ timeout: 100 }), server.close({ timeout: 100 })]))
    server.routeCall('/echo', (value: unknown) => value)
    const { url } = await inStore(() => server.listen('tcp://127.0.0.1:0'))
    const session = await inStore(() => client.dial(url, { redial: true }))
    await inStore(() => session.call('/echo', 1, { timeout: 60_000 }))
    await inStore(() => session.push('/none'))
    for (let n = 0; n < 50 && refs.some((ref) => ref.deref() !== undefined); n++) {
      await turn()
      await session.call('/echo')
      gc()
    }
    assert.deepEqual(
      refs.map((ref) => ref.deref()),
      refs.map(() => undefined),
    )
    assert.equal(session.state, 'open')
  })

  for (const place of ['imports the library', 'makes the first endpoint'] as const) {
    it(`of who ${place} is nobody’s`, { skip: typeof transport !== 'string' }, () => {
      const index = new URL('../../src/index.ts', import.meta.url)
      const text = `
        import { AsyncLocalStorage } from 'node:async_hooks'
        import { setFlagsFromString } from 'node:v8'
        import { runInNewContext } from 'node:vm'
        const als = new AsyncLocalStorage()
        const inStore = async (run) => {
          const first = { store: 'boot' }
          return [await als.run(first, run), new WeakRef(first)]
        }
        const transport = ${JSON.stringify(transport)}
        const load = () => import(${JSON.stringify(index.href)})
        const imports = ${place === 'imports the library'}
        const [{ Endpoint }] = imports ? await inStore(load) : [await load()]
        const [server, kept] = await inStore(() => new Endpoint({ transport }))
        const who = () => als.getStore()?.store ?? 'none'
        server.routeCall('/who', who)
        server.routeCall('/later', async () => {
          await new Promise(setImmediate)
          return who()
        })
        const { url } = await server.listen('tcp://127.0.0.1:0')
        const client = new Endpoint({ transport })
        const session = await client.dial(url)
        const seen = [await session.call('/who'), await session.call('/later'), who()]
        setFlagsFromString('--expose-gc')
        const gc = runInNewContext('gc')
        for (let n = 0; n < 50 && kept.deref() !== undefined; n++) {
          await new Promise(setImmediate)
          await session.call('/who')
          gc()
        }
        console.log(JSON.stringify([...seen, kept.deref()?.store ?? 'none']))
        await Promise.all([client.close(), server.close()])`
      const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], { encoding: 'utf8' })
      assert.equal(stdout, '["none","none","none","none"]\n', stderr)
    })
  }

  it('of a failing handler is no obstacle to the next message', async (t) => {
    const { server, session } = await pairInStores(t, transport)
    server.routeCall('/fail', () => {
      als.enterWith('failed')
      throw new Error('mine')
    })
    server.routeCall('/who', store)
    const [failed, who] = await Promise.all([status(session.call('/fail')), session.call('/who')])
    assert.deepEqual([failed[0], who], [500, 'none'])
  })
})
