import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  aesGcm,
  authBearer,
  authChecker,
  brotli,
  bytes,
  cbor,
  Endpoint,
  type EndpointOptions,
  events,
  gzip,
  heartbeatPing,
  heartbeatPong,
  http,
  insecureSecureBody,
  MultiClient,
  msgpack,
  proxy,
  redis,
  runLog,
  secureBody,
} from '../../src/index.ts'
import { TestNetwork } from '../../src/testing/index.ts'
import { endpoint, onEachTransport, pair } from '../support/helpers.ts'

type Options = Record<string, unknown>

/** A misuse: a TypeError or RangeError, no failure of the network, that names the option. */
function naming(option: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof TypeError || error instanceof RangeError, String(error))
    assert.ok(error.message.includes(option), `${error.message} does not name ${option}`)
    return true
  }
}

/** Each value for each option. */
function each(wrong: Record<string, readonly unknown[]>): [option: string, options: Options][] {
  return Object.entries(wrong).flatMap(([option, values]) => values.map((value): [string, Options] => [option, { [option]: value }]))
}

const durations = [Number.NaN, -1, '5', null, {}, 5n, 2 ** 31]
const noText = [5, null, {}, ['json']]
const noFlag = ['yes', 1, null]
const ofPushes = {
  codec: [...noText, 'nope'],
  meta: [5, 'a', null, ['a'], { a: 1 }, { a: null }],
  forwarded: noFlag,
  arg: [5, 'x', null, {}],
}
const ofCalls = {
  ...ofPushes,
  timeout: durations,
  signal: [null, {}, 'abort', new AbortController()],
  idempotent: noFlag,
  acceptCodec: [...noText, 'nope'],
  result: [5, 'x', null, {}],
}
const filters = ['gzip', null, 5, [5], [null], ['nope'], Array(5).fill('gzip')]

onEachTransport('bad options', (transport) => {
  test('of call and push are told before anything is sent', async (t) => {
    const { server, client, session, listener } = await pair(t, transport)
    let came = 0
    server.setUnknownCall(() => void came++)
    server.setUnknownPush(() => void came++)
    const multi = new MultiClient(client, listener.url)
    t.after(() => multi.close())
    const dialled = client.stats.dialled
    for (const [option, options] of [...each(ofCalls), ...filters.map((value): [string, Options] => ['filter', { filters: value }])]) {
      for (const target of [session, multi]) {
        if (target === multi && /codec|filter/i.test(option)) continue // asked by name, on a session
        await assert.rejects(target.call('/x', 1, options as never), naming(option))
        await assert.rejects(target.callReply('/x', 1, options as never), naming(option))
      }
    }
    for (const [option, options] of [...each(ofPushes), ...filters.map((value): [string, Options] => ['filter', { filters: value }])]) {
      await assert.rejects(session.push('/x', 1, options as never), naming(option))
      await assert.rejects(session.rawPush('/x', 1, options as never), naming(option))
      if (!/codec|filter/i.test(option)) await assert.rejects(multi.push('/x', 1, options as never), naming(option))
    }
    for (const method of [5, undefined, null, {}]) {
      await assert.rejects(session.call(method as never), naming('service method'))
      await assert.rejects(session.push(method as never), naming('service method'))
    }
    for (const options of [null, 5, 'x']) await assert.rejects(session.call('/x', 1, options as never), naming('options'))
    assert.equal(client.stats.dialled, dialled, 'nothing is dialled for it')
    await session.call('/last')
    assert.equal(came, 1)
  })

  test('of call, also while it would have to wait for a connection, and when the session is closed', async (t) => {
    const { client, session, server, listener } = await pair(t, transport, { client: { redial: true } })
    await listener.close()
    for (const each of server.sessions()) each.destroy()
    await new Promise((resolve) => session.once('redialing', resolve))
    await assert.rejects(session.call('/x', 1, { codec: 'nope' }), naming('codec'))
    await assert.rejects(session.push('/x', 1, { meta: { a: 1 } } as never), naming('meta'))
    await client.close({ timeout: 0 })
    await assert.rejects(session.call('/x', 1, { timeout: Number.NaN }), naming('timeout'))
  })

  test('of dial, listen and close', async (t) => {
    const { server, session, listener } = await pair(t, transport)
    const dialling = { ...{ timeout: [...durations, 0], protocol: [...noText, 'nope'], signal: ofCalls.signal }, redial: [5, 'yes', null, { times: '3' }, { times: 0 }, { minDelay: '5' }, { minDelay: Number.NaN }, { maxDelay: 1 }, { calls: 'x' }, { resume: 1 }], socket: [5, null, { noDelay: 1 }] } // biome-ignore format: one line
    for (const [option, options] of each(dialling)) {
      await assert.rejects(server.dial(listener.url, options as never), naming(option))
      if (option !== 'signal') assert.throws(() => new MultiClient(server, listener.url, { dial: options as never }), naming(option))
    }
    for (const [option, options] of each({ protocols: ['raw', 5, null, [5], [], ['nope']], socket: [5, null], reusePort: noFlag }))
      await assert.rejects(server.listen('tcp://127.0.0.1:0', options as never), naming(option === 'protocols' ? 'protocol' : option))
    for (const options of [null, 5]) {
      await assert.rejects(server.dial(listener.url, options as never), naming('options'))
      await assert.rejects(server.listen('tcp://127.0.0.1:0', options as never), naming('options'))
    }
    const multi = new MultiClient(server, listener.url)
    for (const timeout of durations as never[])
      for (const open of [session, server, multi]) assert.throws(() => open.close({ timeout }), naming('timeout'))
    server.routeCall('/alive', () => 1)
    assert.equal(await session.call('/alive'), 1, 'nothing was closed')
    assert.equal(await multi.call('/alive'), 1)
    await multi.close()
  })

  test('that have no such name, and those that do nothing for a push, are told by name', async (t) => {
    const { server, client, session, listener } = await pair(t, transport)
    const multi = new MultiClient(client, listener.url)
    t.after(() => multi.close())
    const typo = { timeuot: 5 } as never
    const named = naming('unknown option "timeuot"')
    for (const target of [session, multi]) {
      await assert.rejects(target.call('/x', 1, typo), named)
      await assert.rejects(target.callReply('/x', 1, typo), named)
      await assert.rejects(target.push('/x', 1, typo), named)
      for (const option of ['timeout', 'signal', 'idempotent', 'acceptCodec', 'result'])
        await assert.rejects(target.push('/x', 1, { [option]: undefined } as never), naming(`unknown option "${option}"`))
    }
    await assert.rejects(session.rawPush('/x', 1, typo), named)
    await assert.rejects(server.dial(listener.url, typo), named)
    await assert.rejects(server.dial(listener.url, { redial: typo }), naming('unknown option "redial.timeuot"'))
    await assert.rejects(server.listen('tcp://127.0.0.1:0', typo), named)
    for (const dial of [typo, { signal: new AbortController().signal } as never])
      assert.throws(() => new MultiClient(server, listener.url, { dial }), naming(`unknown option "dial.${Object.keys(dial)[0]}"`))
    assert.throws(() => new MultiClient(server, listener.url, typo), named)
    assert.throws(() => endpoint(t, { transport, ...(typo as object) }), named)
    assert.throws(() => endpoint(t, { transport, overload: typo }), naming('unknown option "overload.timeuot"'))
  })

  test('of routes', async (t) => {
    const { server, session } = await pair(t, transport)
    const typo = { saef: true } as never
    assert.throws(() => server.routeCall('/a', () => 1, typo), naming('unknown option "saef"'))
    assert.throws(() => server.routePush('/a', () => 1, typo), naming('unknown option "saef"'))
    assert.throws(() => server.group('/g').routeCall('/a', () => 1, typo), naming('unknown option "saef"'))
    assert.throws(() => server.setUnknownCall(() => 1, typo), naming('unknown option "saef"'))
    assert.throws(() => server.setUnknownCall(() => 1, { safe: 'yes' as never }), naming('safe'))
    assert.throws(() => server.routePush('/a', () => 1, { safe: true } as never), naming('safe'))
    assert.throws(() => server.routePush('/a', () => 1, { result: bytes } as never), naming('result'))
    server.routePush('/a', () => 1, { safe: undefined } as never)
    await assert.rejects(session.call('/a'), { code: 404 })
  })

  test('Infinity is no limit, for every duration', async (t) => {
    const all = ['timeout', 'dialTimeout', 'sessionAge', 'handlerTimeout', 'closeTimeout', 'hookTimeout']
    const client = Object.fromEntries(all.map((name) => [name, Number.POSITIVE_INFINITY]))
    const { server, session, listener, client: dialler } = await pair(t, transport, { client })
    server.routeCall('/echo', (value: unknown, ctx) => [value, ctx.deadline])
    assert.deepEqual(await session.call('/echo', 1, { timeout: Number.POSITIVE_INFINITY }), await session.call('/echo', 1))
    session.setAge(Number.POSITIVE_INFINITY)
    session.setHandlerTimeout(Number.POSITIVE_INFINITY)
    assert.deepEqual([session.age, session.handlerTimeout], [0, 0])
    const multi = new MultiClient(dialler, listener.url, { idle: Infinity, dial: { timeout: Infinity } })
    assert.deepEqual(await multi.call('/echo', 1, { timeout: Infinity }), await session.call('/echo', 1, { timeout: 0 }))
    await multi.close({ timeout: Infinity })
    await session.close({ timeout: Infinity })
    await dialler.close({ timeout: Infinity })
  })

  test('of an endpoint', (t) => {
    const wrong = {
      timeout: durations,
      dialTimeout: [...durations, 0],
      sessionAge: durations,
      handlerTimeout: durations,
      closeTimeout: durations,
      hookTimeout: [...durations, 0],
      redial: [5, 'yes', null],
      socket: [5, null, { keepAliveIdle: '5' }],
      codec: [...noText, 'nope'],
      codecs: [5, null, {}, [5], [null], [{ id: 5, name: 'x' }]],
      filters: [5, null, {}, [5], [{ id: 5, name: 'x' }]],
      requireFilters: ['gzip', 5, null, [5]],
      protocol: [...noText, 'nope'],
      protocols: [5, null, [5], [{ id: 200, name: 'x', framing: 'stream' }]],
      limits: [5, null, { maxMessage: '5' }, { maxMessage: Number.NaN }, { frameTimeout: -1 }],
      overload: [5, 'yes', null, { queueTimeout: '5' }, { maxQueued: 0 }],
      exposeErrors: noFlag,
      extensions: noFlag,
      mapper: [5, null, 'soap'],
      busyPoll: ['5', -1, Number.NaN, null],
      ioThreads: [-1, 'two', Number.NaN, 65],
      transport: ['udp', {}],
      log: [5, null, true, {}, { warn() {} }],
      plugins: [5, null, [5], [{}], [{ name: 'x', afterDial: 5 }]],
    }
    for (const [option, options] of each(wrong)) {
      const env = transport === 'native' && option === 'ioThreads' && process.env.DMICRO_IO_THREADS !== undefined
      if (env || (option === 'transport' && process.env.DMICRO_TRANSPORT !== undefined)) continue
      assert.throws(() => endpoint(t, { transport, ...options } as EndpointOptions), naming(option.replace(/s$/, '').slice(0, 6)), option)
    }
  })
})

test('origins as browsers write them are ones for http', () => {
  for (const origin of [
    'https://a.example',
    'http://localhost:8080',
    'http://[::1]:1',
    'https://xn--bcher-kva.example',
    'chrome-extension://abc',
  ])
    http({ cors: [origin] })
  http({ cors: '*' })
  http({ cors: [] })
})

test('bad options of a test network', async () => {
  const typo = { tpyo: 1 } as never
  assert.throws(() => new TestNetwork(typo), naming('unknown option "tpyo"'))
  const net = new TestNetwork()
  net.host('a')
  assert.throws(() => net.faults({}, typo), naming('unknown option "tpyo"'))
  assert.throws(() => net.partition('a', undefined, typo), naming('unknown option "tpyo"'))
  await assert.rejects(net.run(Promise.resolve(), typo), naming('unknown option "tpyo"'))
})

test('bad options of plugins, filters, codecs and protocols', () => {
  const auth = { timeout: durations, codec: noText, meta: ofPushes.meta, filters: ['gzip', [5]] }
  const key = Buffer.alloc(32)
  const makers: [make: (options: never) => unknown, wrong: Record<string, readonly unknown[]>][] = [
    [heartbeatPing, { interval: [...durations, 0], call: noFlag }],
    [heartbeatPong, { maxSilence: [...durations, 0] }],
    [(options) => authBearer(() => {}, options), auth],
    [(options) => authChecker(() => {}, options), auth],
    [runLog, { slow: [-1, Number.NaN, '5', null], maxDetail: [-1, '5'], detail: noFlag, redact: [5, null], log: [5, null, {}] }],
    [(options) => events({ emit() {} } as never, options), { log: [5, {}] }],
    [(options: object) => secureBody({ keys: { 1: key }, current: 1, ...options }), { keys: [5, null, undefined], current: [2, null], status: [0, '5', null], require: noFlag }],
    [(options) => insecureSecureBody(Buffer.alloc(16), options), { status: [0, '5'], require: noFlag }],
    [(options: object) => proxy({ call: () => undefined, ...options }), { call: [5, null], filters: noFlag }],
    [gzip, { level: [10, -1, '5', null, 1.5] }],
    [brotli, { quality: [12, -1, '5', null] }],
    [(options: object) => aesGcm({ keys: { 1: key }, current: 1, ...options }), { keys: [5, null, undefined], current: [2, null] }],
    [redis, { prefix: [5, null] }],
    [http, { cors: [5, null, 'https://a.example', ['*'], [1], [null], ['null'], ['https://a.example/'], ['https://a.example/x'], ['a.example'], ['https://A.example'], ['https://a.example:443'], [' https://a.example'], ['https://u@a.example'], ['https://']], pages: [5, null], host: noFlag, idleTimeout: durations }],
    [cbor, { tags: [5, null] }],
    [msgpack, { extensions: [5, null] }],
    [(options) => new MultiClient(new Endpoint({ log: false }), 'tcp://127.0.0.1:1', options), { min: [-1, 1.5, '1', 9], max: [0, '8'], callsPerSession: [0, Number.NaN], maxWaiting: [-1], idle: durations, dial: [5, null] }],
  ] // biome-ignore format: one line each
  for (const [make, wrong] of makers) {
    assert.throws(() => make({ typo: 1 } as never), naming('unknown option "typo"'), `${make} typo`)
    for (const [option, options] of each(wrong))
      assert.throws(() => make(options as never), naming(option === 'call' ? '' : option), `${make} ${option}`)
    assert.throws(
      () => make((make.length === 0 || !`${make}`.includes('...options') ? null : { keys: null, call: null }) as never),
      naming(''),
      `${make}`,
    )
  }
})
