import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Endpoint, type EndpointOptions, type Plugin, type ReadContext, StatusError, type WriteContext } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

/** Every hook of messages and connections notes its name, at once or a turn later. */
function noting(notes: string[], side: string, later: boolean): Plugin {
  const note = (name: string): unknown => {
    notes.push(`${side} ${name}`)
    return later ? new Promise(setImmediate) : undefined
  }
  const plugin: Record<string, unknown> = { name: `noting ${side}` }
  for (const name of hooks) plugin[name] = () => note(name)
  return plugin as unknown as Plugin
}

const hooks = [
  ...[
    'afterListen',
    'beforeDial',
    'afterDial',
    'afterDialFail',
    'afterAccept',
    'afterDisconnect',
    'beforeCloseEndpoint',
    'afterCloseEndpoint',
  ],
  ...['beforeWriteCall', 'afterWriteCall', 'beforeWriteReply', 'afterWriteReply', 'beforeWritePush', 'afterWritePush'],
  ...['afterReadCallHeader', 'beforeReadCallBody', 'afterReadCallBody', 'afterReadPushHeader', 'beforeReadPushBody', 'afterReadPushBody'],
  ...['afterReadReplyHeader', 'beforeReadReplyBody', 'afterReadReplyBody'],
]

/** The hooks in which a failure changes what happens, and what a caller then gets. */
const refusing: [keyof Plugin, 'server' | 'client'][] = [
  ['afterReadCallHeader', 'server'],
  ['beforeReadCallBody', 'server'],
  ['afterReadCallBody', 'server'],
  ['beforeWriteCall', 'client'],
  ['afterReadReplyHeader', 'client'],
  ['beforeReadReplyBody', 'client'],
  ['afterReadReplyBody', 'client'],
]

const failures: [string, () => unknown, number, EndpointOptions][] = [
  [
    'throws',
    () => {
      throw new StatusError(1234, 'no')
    },
    1234,
    {},
  ],
  ['rejects', () => Promise.reject(new StatusError(1234, 'no')), 1234, {}],
  [
    'throws what is no status',
    () => {
      throw 'nonsense'
    },
    500,
    {},
  ],
  ['never settles', () => new Promise(() => {}), 408, { hookTimeout: 30 }],
]

onEachTransport('plugins', (transport) => {
  for (const later of [false, true]) {
    it(`run in Go's order, ${later ? 'each taking its time' : 'at once'}`, async (t) => {
      const notes: string[] = []
      const options = (side: string): EndpointOptions => ({ plugins: [noting(notes, side, later)] })
      const { server, client, session } = await pair(t, transport, { server: options('S'), client: options('C') })
      server.routeCall('/echo', (value: unknown) => {
        notes.push('handler')
        return value
      })
      const pushed = once()
      server.routePush('/push', () => pushed.resolve())
      assert.deepEqual(notes.splice(0).sort(), ['C afterDial', 'C beforeDial', 'S afterAccept', 'S afterListen'])
      assert.equal(await session.call('/echo', 1), 1)
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      const calls = notes.splice(0)
      const of = (side: string): string[] => calls.filter((note) => note === 'handler' || note.startsWith(side))
      assert.deepEqual(of('S'), [
        ...['S afterReadCallHeader', 'S beforeReadCallBody', 'S afterReadCallBody', 'handler', 'S beforeWriteReply', 'S afterWriteReply'],
      ])
      const client1 = of('C').filter((note) => note !== 'handler')
      assert.deepEqual(client1, [
        ...['C beforeWriteCall', 'C afterWriteCall', 'C afterReadReplyHeader', 'C beforeReadReplyBody', 'C afterReadReplyBody'],
      ])
      await session.push('/push', 1)
      await pushed.promise
      assert.deepEqual(notes.splice(0).sort(), [
        ...['C afterWritePush', 'C beforeWritePush', 'S afterReadPushBody', 'S afterReadPushHeader', 'S beforeReadPushBody'],
      ])
      await client.close()
      await server.close()
      assert.deepEqual(notes.splice(0).sort(), [
        ...['C afterCloseEndpoint', 'C afterDisconnect', 'C beforeCloseEndpoint'],
        ...['S afterCloseEndpoint', 'S afterDisconnect', 'S beforeCloseEndpoint'],
      ])
    })
  }

  for (const [how, fail, code, options] of failures) {
    it(`a hook that ${how} refuses what it stands for, and nothing else`, async (t) => {
      for (const [name, side] of refusing) {
        let on = false
        const plugin = { name: 'refuser', [name]: () => (on ? fail() : undefined) } as Plugin
        const mine = { plugins: [plugin], log: false as const, exposeErrors: true, ...options }
        const { server, session } = await pair(t, transport, { [side]: mine })
        server.routeCall('/echo', (value: unknown) => value)
        assert.equal(await session.call('/echo', 1), 1)
        on = true
        const [got] = await status(session.call('/echo', 2))
        assert.equal(got, code === 500 && name === 'beforeWriteCall' ? 104 : code, name)
        on = false
        assert.equal(await session.call('/echo', 3), 3, name)
      }
    })
  }

  it('a hook that only looks on is logged when it fails', async (t) => {
    const log = recorder()
    const fail = (): never => {
      throw new Error('broken')
    }
    const names = ['afterWriteCall', 'beforeWriteReply', 'afterWriteReply', 'afterDisconnect', 'afterWritePush']
    const plugin = { name: 'broken', ...Object.fromEntries(names.map((name) => [name, fail])) } as unknown as Plugin
    const { server, client, session } = await pair(t, transport, { server: { plugins: [plugin], log }, client: { plugins: [plugin], log } })
    server.routeCall('/echo', (value: unknown) => value)
    const pushed = once()
    server.routePush('/push', () => pushed.resolve())
    assert.equal(await session.call('/echo', 1), 1)
    await session.push('/push')
    await pushed.promise
    await client.close()
    assert.ok(log.lines.length >= 5 && log.lines.every(({ level, text }) => level === 'warn' && text === 'a plugin failed'))
  })

  it('a push that a hook refuses is dropped, and so is one refused before it is written', async (t) => {
    const log = recorder()
    let refuse = ''
    const refuser = (name: string) => (): void => {
      if (refuse === name) throw new StatusError(1234, 'no')
    }
    const names = ['afterReadPushHeader', 'beforeReadPushBody', 'afterReadPushBody', 'beforeWritePush']
    const plugin = { name: 'refuser', ...Object.fromEntries(names.map((name) => [name, refuser(name)])) } as unknown as Plugin
    const { server, session } = await pair(t, transport, { server: { plugins: [plugin], log }, client: { plugins: [plugin] } })
    const got: unknown[] = []
    let arrived = once()
    server.routePush('/push', (value: unknown) => {
      got.push(value)
      arrived.resolve()
    })
    for (const name of names) {
      refuse = name
      const sent = session.push('/push', name)
      if (name === 'beforeWritePush') await assert.rejects(sent, { code: 1234 })
      else await sent
      server.routeCall(`/after/${name}`, () => {})
      await session.call(`/after/${name}`)
      refuse = ''
      arrived = once()
      await session.push('/push', 'ok')
      await arrived.promise
    }
    assert.deepEqual(got, ['ok', 'ok', 'ok', 'ok'])
    assert.equal(log.lines.filter(({ text }) => text === 'a push was dropped').length, 3)
  })

  it('hooks change what is read and written', async (t) => {
    const server: Plugin = {
      name: 'server',
      afterReadCallHeader: (message) => {
        message.serviceMethod = message.serviceMethod.toLowerCase()
      },
      beforeReadCallBody: (message) => {
        if (message.meta.base64 === 'yes') message.bytes = Buffer.from(Buffer.from(message.bytes).toString(), 'base64')
      },
      afterReadCallBody: (message: ReadContext) => {
        message.body = [message.body, message.kind, message.codec]
      },
      beforeWriteReply: (message: WriteContext) => {
        message.meta.seen = `${message.request?.serviceMethod} ${message.status?.code ?? 'ok'}`
        if (message.status === undefined) message.body = { wrapped: message.body }
      },
    }
    const client: Plugin = {
      name: 'client',
      beforeWriteCall: (message) => {
        message.meta.base64 = 'yes'
        message.body = Buffer.from(Buffer.from(JSON.stringify(message.body)).toString('base64'))
      },
      afterReadReplyBody: (message) => {
        message.body = (message.body as { wrapped: unknown }).wrapped
      },
    }
    const both = await pair(t, transport, { server: { plugins: [server] }, client: { plugins: [client] } })
    both.server.routeCall('/echo', (value: unknown) => value)
    const reply = await both.session.callReply('/ECHO', { a: 1 })
    assert.deepEqual(reply.body, [{ a: 1 }, 'call', 'json'])
    assert.equal(reply.meta.seen, '/echo ok')
    await assert.rejects(both.session.call('/NONE', 1), { code: 404 })
  })

  it('run left, middle, right, for the endpoint, a group and a route; later ones too', async (t) => {
    const order: string[] = []
    const plugin = (name: string): Plugin => ({ name, afterReadCallBody: () => void order.push(name) })
    const { server, session } = await pair(t, transport, { server: { plugins: [plugin('a'), plugin('b')] } })
    server.plugins.appendRight(plugin('right'))
    const group = server.group('g', plugin('group'))
    group.routeCall('x', () => 1, { plugins: [plugin('route')] })
    server.routeCall('/plain', () => 2)
    server.plugins.appendLeft(plugin('first'), plugin('second'))
    await session.call('/g/x')
    assert.deepEqual(order.splice(0), ['first', 'second', 'a', 'b', 'group', 'route', 'right'])
    await session.call('/plain')
    assert.deepEqual(order.splice(0), ['first', 'second', 'a', 'b', 'right'])
    server.plugins.remove('a')
    assert.throws(() => server.plugins.appendLeft(plugin('b')), /two plugins are named "b"/)
    assert.throws(() => server.plugins.remove('none'), /no plugin is named "none"/)
    await session.call('/plain')
    assert.deepEqual(order.splice(0), ['first', 'second', 'b', 'right'])
    assert.equal(server.plugins.byName('b')?.name, 'b')
  })

  it('afterAccept and afterDial talk before the session runs, and may refuse it', async (t) => {
    const secret: Plugin = {
      name: 'checker',
      afterAccept: async (session) => {
        const asked = await session.earlyReceive()
        assert.equal(asked.type, 4)
        const ok = asked.body === 'secret'
        if (ok) session.setId('known')
        const refused = ok ? undefined : new StatusError(403, 'auth fail')
        await session.earlySend(5, '', ok ? 'pass' : undefined, { codec: 'plain', ...(refused !== undefined && { status: refused }) })
        if (refused !== undefined) throw refused
      },
    }
    const bearer = (token: string): Plugin => ({
      name: 'bearer',
      afterDial: async (session) => {
        await session.earlySend(4, '', token, { codec: 'plain' })
        const answer = await session.earlyReceive()
        if (answer.status !== undefined) throw answer.status
        assert.equal(answer.body, 'pass')
      },
    })
    const server = endpoint(t, { transport, plugins: [secret] })
    server.routeCall('/who', (_, ctx) => ctx.session.id)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const good = await endpoint(t, { transport, plugins: [bearer('secret')] }).dial(url)
    assert.equal(await good.call('/who'), 'known')
    await assert.rejects(good.earlySend(4, '', 'x'), { code: 1 })
    await assert.rejects(endpoint(t, { transport, plugins: [bearer('wrong')] }).dial(url), { code: 403 })
  })

  it('no call is served before afterAccept is done, and none is lost', async (t) => {
    const gate = once()
    let served = 0
    const server = endpoint(t, { transport, plugins: [{ name: 'slow', afterAccept: () => gate.promise }] })
    server.routeCall('/n', (n: number) => {
      served++
      return n
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = await endpoint(t, { transport }).dial(url)
    const calls = Array.from({ length: 100 }, (_, i) => session.call('/n', i))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(served, 0)
    gate.resolve()
    assert.deepEqual(await Promise.all(calls), [...calls.keys()])
  })

  it('a session whose hook before a message fails is closed', async (t) => {
    let left = 3
    const plugin: Plugin = {
      name: 'count',
      beforeReadHeader: () => {
        if (left-- === 0) throw new Error('enough')
      },
    }
    const { server, session } = await pair(t, transport, { server: { plugins: [plugin] } })
    server.routeCall('/echo', (value: unknown) => value)
    let answered = 0
    await assert.rejects(
      async () => {
        for (;;) answered = await session.call<number>('/echo', answered + 1)
      },
      { code: 102 },
    )
    // With IO threads the last answer may leave before the session does.
    assert.ok(answered >= 3 && answered <= 4, `${answered} answered`)
  })

  it('refuses what is no plugin', () => {
    assert.throws(() => new Endpoint({ plugins: [5 as never] }), /must be an object/)
    assert.throws(() => new Endpoint({ plugins: [{} as never] }), /must have a name/)
    assert.throws(() => new Endpoint({ plugins: [{ name: 'x', afterDial: 5 as never }] }), /afterDial must be a function/)
  })
})
