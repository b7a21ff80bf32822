import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type EtcdOptions, type EtcdRegistry, etcdRegistry } from '../../../../../src/rpc/registry/etcd/index.ts'
import { MessageWriter } from '../../../../../src/rpc/registry/etcd/wire.ts'
import * as etcd from '../../../../support/fake-etcd.ts'
import { addresses, next, open, service, until } from '../contract.ts'

const limit = { timeout: 20_000 }
const PREFIX = '/dmicro/registry/math/'

function registryOf(t: TestContext, endpoints: string | readonly string[], options: EtcdOptions = {}): EtcdRegistry {
  const registry = etcdRegistry({ endpoints: [endpoints].flat(), timeout: 3_000, attemptTimeout: 300, ...options })
  t.after(() => registry.close())
  return registry
}

function nodeValue(port: number): string {
  const node = { id: `math-${port}`, address: `127.0.0.1:${port}`, paths: [], metadata: null }
  return JSON.stringify({ name: 'math', version: '1', metadata: null, nodes: [node] })
}

function nodePair(port: number, revision = 1): Uint8Array {
  return etcd.pair(`${PREFIX}${port}`, nodeValue(port), revision)
}

/** A server below HTTP/2. */
async function tcpServer(t: TestContext, answer: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (answer !== '') socket.end(answer)
    t.after(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const nonsense: Record<string, etcd.Answer> = {
  'never answers': () => {},
  'sends headers only': (stream) => stream.respond({ ':status': 200 }),
  'ends without a status': (stream) => {
    stream.respond({ ':status': 200 })
    stream.end()
  },
  'answers with another status of HTTP': (stream) => stream.respond({ ':status': 415 }, { endStream: true }),
  'answers with a page': (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/html' })
    stream.end('<html>')
  },
  'answers with success and nothing': (stream) => stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true }),
  'answers with a status that is none': (stream) => stream.respond({ ':status': 200, 'grpc-status': '-x' }, { endStream: true }),
  'announces 4 GiB': (stream) => {
    stream.respond({ ':status': 200 })
    stream.write(Buffer.from([0, 255, 255, 255, 255, 1]))
  },
  'sends one byte of a message': (stream) => {
    stream.respond({ ':status': 200 })
    stream.write(Buffer.from([0]))
  },
  'sends what is no message': (stream, request) => etcd.reply(Buffer.from([0xff, 0xff, 0xff]))(stream, request),
  'sends a number that never ends': (stream, request) => etcd.reply(Buffer.alloc(100_000, 0xff))(stream, request),
  'sends a field of another type': (stream, request) =>
    etcd.reply(new MessageWriter().text(3, 'more').number(2, 7).finish())(stream, request),
  'resets the stream': (stream) => stream.close(2),
  'closes the connection': (stream) => stream.session?.destroy(),
  'says that it has no leader': etcd.refuse(14, 'etcdserver: no leader'),
}

for (const [what, answer] of Object.entries(nonsense)) {
  test(`a server that ${what} makes an operation fail in time, and is not asked when there is another one`, limit, async (t) => {
    const bad = await etcd.fakeEtcd(t, { Range: answer, LeaseGrant: answer, Watch: answer })
    const registry = registryOf(t, bad.endpoint, { timeout: 120, attemptTimeout: 40 })
    const began = performance.now()
    await assert.rejects(registry.getService('math'), { code: 503 })
    await assert.rejects(registry.register(service('math', [1])), { code: 503 })
    await assert.rejects(open(registry, 'math').next(), { code: 503 })
    assert.ok(performance.now() - began < 5_000)
    const good = await etcd.fakeEtcd(t, { Range: etcd.reply(etcd.rangeResponse(1, [nodePair(1)])) })
    const both = registryOf(t, [bad.endpoint, good.endpoint])
    assert.deepEqual(addresses(await both.getService('math')), ['127.0.0.1:1'])
  })
}

for (const [what, answer] of Object.entries({ 'says nothing': '', 'speaks HTTP/1': 'HTTP/1.1 400 Bad Request\r\n\r\n' })) {
  test(`a server that ${what} makes an operation fail in time`, limit, async (t) => {
    const endpoint = await tcpServer(t, answer)
    const registry = registryOf(t, endpoint, { timeout: 120, attemptTimeout: 40 })
    const began = performance.now()
    await assert.rejects(registry.getService('math'), { code: 503 })
    assert.ok(performance.now() - began < 3_000)
  })
}

test('a signal and close end an operation at once, whatever the server does', limit, async (t) => {
  const server = await etcd.fakeEtcd(t)
  const registry = registryOf(t, server.endpoint, { timeout: 60_000, attemptTimeout: 60_000 })
  const controller = new AbortController()
  const waiting = [
    registry.getService('math', { signal: controller.signal }),
    registry.register(service('a', [1]), { signal: controller.signal }),
  ]
  setImmediate(() => controller.abort(new Error('enough')))
  for (const each of waiting) await assert.rejects(each, /enough/)
  const more = [registry.getService('math'), registry.register(service('b', [1])), open(registry, 'math').next()]
  setImmediate(() => registry.close())
  for (const each of more) await assert.rejects(each, { code: 1, cause: /it is closed$/ })
})

test('however many watches begin with a server that never answers, all of them fail in time', limit, async (t) => {
  const server = await etcd.fakeEtcd(t)
  const registry = registryOf(t, server.endpoint, { timeout: 300, attemptTimeout: 100 })
  const began = performance.now()
  const watches = Array.from({ length: 100 }, (_, i) => open(registry, `math-${i}`).next())
  for (const watch of watches) await assert.rejects(watch, { code: 503 })
  assert.ok(performance.now() - began < 5_000)
})

test('values that are no records are counted and left out', limit, async (t) => {
  const pairs = [
    nodePair(1),
    etcd.pair(`${PREFIX}a`, 'no json'),
    etcd.pair(`${PREFIX}b`, nodeValue(2).replace('"metadata":null', '"metadata":{"a":1}')),
    etcd.pair(`${PREFIX}__proto__`, '{"__proto__":{"name":"math"}}'),
    etcd.pair(Buffer.from([0xff, 0xfe]), Buffer.alloc(1_000_000, 0x20)),
    etcd.pair('', ''),
    // Of another service, whose keys are the same, and in its right.
    etcd.pair(`${PREFIX}c`, nodeValue(3).replace('math', 'ma/th')),
  ]
  const server = await etcd.fakeEtcd(t, { Range: etcd.reply(etcd.rangeResponse(1, pairs)) })
  const registry = registryOf(t, server.endpoint)
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
  assert.equal(registry.stats.malformed, 5)
  assert.deepEqual(
    (await registry.listServices()).map(({ name }) => name),
    ['ma/th', 'math'],
  )
  assert.equal(registry.stats.malformed, 10)
})

test('a server that repeats its keys for ever is not listened to for ever', limit, async (t) => {
  const server = await etcd.fakeEtcd(t, { Range: etcd.reply(etcd.rangeResponse(1, [nodePair(1)], true)) })
  await assert.rejects(registryOf(t, server.endpoint).getService('math'), { code: 503, cause: /repeats keys/ })
  assert.equal(server.calls.length, 4)
})

test('keys that are no text are read in parts all the same', limit, async (t) => {
  const first = etcd.rangeResponse(1, [etcd.pair(Buffer.from([0x2f, 0xff]), nodeValue(1))], true)
  const second = etcd.rangeResponse(1, [etcd.pair(Buffer.from([0x2f, 0xff, 0x01]), nodeValue(2))])
  const requests: Buffer[] = []
  const server = await etcd.fakeEtcd(t, {
    Range(stream, request) {
      requests.push(request)
      etcd.reply(requests.length === 1 ? first : second)(stream, request)
    },
  })
  assert.deepEqual(addresses(await registryOf(t, server.endpoint).getService('math')), ['127.0.0.1:1', '127.0.0.1:2'])
  assert.ok(requests[1].includes(Buffer.from([0x0a, 3, 0x2f, 0xff, 0])))
})

test('an answer that is too long is asked for in smaller parts', limit, async (t) => {
  let asked = 0
  const server = await etcd.fakeEtcd(t, {
    Range(stream, request) {
      const long = etcd.pair('/long', Buffer.alloc(17 * 1024 * 1024))
      etcd.reply(asked++ === 0 ? etcd.rangeResponse(1, [long]) : etcd.rangeResponse(1, [nodePair(1)]))(stream, request)
    },
  })
  assert.deepEqual(addresses(await registryOf(t, server.endpoint, { timeout: 5_000 }).getService('math')), ['127.0.0.1:1'])
  assert.equal(asked, 2)
})

test('a watch takes what a server may do: parts, repetitions, events of nothing, deletions without a value', limit, async (t) => {
  const created = etcd.watchResponse({ created: true, revision: 5 })
  const server = await etcd.fakeEtcd(t, {
    Range: etcd.reply(etcd.rangeResponse(5, [nodePair(1)])),
    Watch: etcd.stream(
      created,
      etcd.watchResponse({ events: [etcd.event(undefined), etcd.event(nodePair(1, 5))] }),
      etcd.watchResponse({ fragment: true, events: [etcd.event(nodePair(2, 6))] }),
      etcd.watchResponse({ events: [etcd.event(nodePair(3, 6)), etcd.event(nodePair(2, 6))] }),
      etcd.watchResponse({ events: [etcd.event(etcd.pair(`${PREFIX}1`, '', 7), true), etcd.event(etcd.pair(`${PREFIX}9`, '', 7), true)] }),
      etcd.watchResponse({ events: [etcd.event(etcd.pair(`${PREFIX}3`, 'no json', 8))] }),
    ),
  })
  const registry = registryOf(t, server.endpoint)
  const watch = open(registry, 'math')
  assert.deepEqual(addresses(await next(watch)), ['127.0.0.1:1'])
  await until(watch, ['127.0.0.1:2'])
  assert.equal(registry.stats.malformed, 2)
})

test('a watch begins again after the last change, and not in the middle of one', limit, async (t) => {
  const starts: number[] = []
  const scripts = [
    [{ events: [etcd.event(nodePair(2, 6))] }, { fragment: true, events: [etcd.event(nodePair(3, 7))] }],
    [{ events: [etcd.event(nodePair(3, 7)), etcd.event(nodePair(4, 7))] }],
    [],
  ]
  const server = await etcd.fakeEtcd(t, {
    Range: etcd.reply(etcd.rangeResponse(5, [nodePair(1)])),
    Watch(http, request) {
      starts.push(request[request.lastIndexOf(0x18) + 1])
      const script = scripts[starts.length - 1] ?? []
      etcd.stream(etcd.watchResponse({ created: true, revision: 9 }), ...script.map(etcd.watchResponse))(http, request)
      if (starts.length < 3) setImmediate(() => http.session?.close())
      if (starts.length < 3) http.end()
    },
  })
  const watch = open(registryOf(t, server.endpoint), 'math')
  await until(watch, ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3', '127.0.0.1:4'])
  while (starts.length < 3) await new Promise(setImmediate)
  assert.deepEqual(starts, [6, 7, 8])
})

const losses: Record<string, etcd.WatchParts> = {
  'that its changes are compacted': { canceled: true, compactRevision: 20 },
  'that it is another cluster': { created: true, cluster: 2, revision: 30 },
  'that its revision is smaller': { created: true, revision: 2 },
  'in words that its changes are compacted': {
    created: true,
    canceled: true,
    reason: 'rpc error: code = OutOfRange desc = etcdserver: mvcc: required revision has been compacted',
  },
}
for (const [what, parts] of Object.entries(losses)) {
  test(`a watch that hears ${what} reads everything again`, limit, async (t) => {
    let ranges = 0
    let watches = 0
    const server = await etcd.fakeEtcd(t, {
      Range: (http, request) => etcd.reply(etcd.rangeResponse(10 * ++ranges, [nodePair(ranges)]))(http, request),
      Watch: (http, request) =>
        etcd.stream(etcd.watchResponse(watches++ === 0 ? { revision: 20, ...parts } : { created: true, revision: 20 }))(http, request),
    })
    const registry = registryOf(t, server.endpoint)
    const watch = open(registry, 'math')
    assert.deepEqual(addresses(await next(watch)), ['127.0.0.1:1'])
    assert.deepEqual(addresses(await next(watch)), ['127.0.0.1:2'])
    assert.equal(registry.stats.resyncs, 1)
  })
}

test('a watch that is refused for good ends by an error', limit, async (t) => {
  const reason = 'rpc error: code = PermissionDenied desc = etcdserver: permission denied'
  const server = await etcd.fakeEtcd(t, {
    Range: etcd.reply(etcd.rangeResponse(5, [])),
    Watch: etcd.stream(etcd.watchResponse({ created: true, canceled: true, reason })),
  })
  const watch = open(registryOf(t, server.endpoint), 'math')
  assert.deepEqual(await next(watch), [])
  await assert.rejects(watch.next(), { code: 503, cause: /permission denied/ })
})

test('a server that says goodbye is left, though it keeps its connection', limit, async (t) => {
  const answers = {
    Range: etcd.reply(etcd.rangeResponse(5, [nodePair(1)])),
    Watch: etcd.stream(etcd.watchResponse({ created: true, revision: 5 })),
  }
  const old = await etcd.fakeEtcd(t, answers)
  const young = await etcd.fakeEtcd(t, {
    ...answers,
    Watch: etcd.stream(etcd.watchResponse({ created: true, revision: 5 }), etcd.watchResponse({ events: [etcd.event(nodePair(2, 6))] })),
  })
  const registry = registryOf(t, old.endpoint)
  const watch = open(registry, 'math')
  await next(watch)
  while (!old.calls.includes('Watch')) await new Promise(setImmediate)
  old.answers.Watch = young.answers.Watch
  for (const session of old.sessions) session.goaway(0)
  await until(watch, ['127.0.0.1:1', '127.0.0.1:2'])
})

test('a lease that is granted for no time, or for ever, does not make the registry run hot', limit, async (t) => {
  for (const ttl of [0n, -1n, 2n ** 62n]) {
    const lease = new MessageWriter().int64(2, 1n).int64(3, ttl).finish()
    const server = await etcd.fakeEtcd(t, {
      LeaseGrant: etcd.reply(lease),
      LeaseKeepAlive: etcd.reply(lease),
      Put: etcd.reply(new Uint8Array()),
      Range: etcd.reply(etcd.rangeResponse(1, [nodePair(1)])),
    })
    const registry = registryOf(t, server.endpoint)
    const began = performance.now()
    await registry.register(service('math', [1]))
    while (performance.now() - began < 500) await registry.getService('math')
    assert.ok(server.calls.filter((call) => call !== 'Range').length <= 12, server.calls.join())
    await registry.close()
  }
})

test('a node whose key holds something else is written again, unless that is a record of the same node', limit, async (t) => {
  const lease = new MessageWriter().int64(2, 1n).int64(3, 90n).finish()
  const other = { name: 'math', version: '2', nodes: [{ id: 'math-127.0.0.1:1', address: '10.0.0.1:1' }] }
  const values: Record<string, number> = {
    rubbish: 1,
    '': 1,
    [nodeValue(1)]: 1,
    [JSON.stringify({ ...other, name: 'evil' })]: 1,
    [JSON.stringify(other)]: 0,
  }
  for (const [value, writes] of Object.entries(values)) {
    const server = await etcd.fakeEtcd(t, {
      LeaseGrant: etcd.reply(lease),
      LeaseKeepAlive: etcd.reply(lease),
      Put: etcd.reply(new Uint8Array()),
      Range: etcd.reply(etcd.rangeResponse(1, [etcd.pair(`${PREFIX}math-127.0.0.1:1`, value, 1)])),
    })
    const registry = registryOf(t, server.endpoint)
    await registry.register(service('math', [1]))
    await registry.register(service('math', [1]))
    assert.equal(server.calls.filter((call) => call === 'Put').length, 1 + writes, value)
    assert.equal(registry.stats.rewrites, writes)
    await registry.close()
  }
})

test('a lease that was granted by a try that failed is the one that is used', limit, async (t) => {
  let grants = 0
  const lease = new MessageWriter().int64(2, 1n).int64(3, 90n).finish()
  const server = await etcd.fakeEtcd(t, {
    LeaseGrant: (http, request) => grants++ > 0 && etcd.refuse(9, 'etcdserver: lease already exists')(http, request),
    LeaseKeepAlive: etcd.reply(lease),
    Put: etcd.reply(new Uint8Array()),
  })
  await registryOf(t, server.endpoint).register(service('math', [1]))
  assert.deepEqual(server.calls, ['LeaseGrant', 'LeaseGrant', 'LeaseKeepAlive', 'Put'])
})
