import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as first from '../../src/index.ts'
import { endpoint, onEachTransport, pair, status } from '../support/helpers.ts'

// What users make with one copy of the package and give to another, as where two versions of a dependency each bring one.

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'dmicro-copy-'))
after(() => rmSync(folder, { recursive: true }))
cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true })
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
const second: typeof first = await import(pathToFileURL(join(folder, 'src/index.ts')).href)

onEachTransport('two copies of the package', (transport) => {
  test('errors of the other copy keep their code, from handlers, hooks and checkers', async (t) => {
    assert.notEqual(second.StatusError, first.StatusError)
    const refuse = (): never => {
      throw new second.StatusError(1001, 'out of stock', 'why', { retryAfter: 5 })
    }
    const { server, session } = await pair(t, transport)
    server.routeCall('/sync', refuse)
    server.routeCall('/late', async () => refuse())
    server.routeCall('/hook', () => 1, { plugins: [{ name: 'no', afterReadCallBody: refuse }] })
    for (const route of ['/sync', '/late', '/hook'])
      assert.deepEqual(await status(session.call(route)), [1001, 'out of stock', 'why'], route)
    const error = await session.call('/sync').catch((thrown: unknown) => thrown)
    assert.ok(error instanceof second.StatusError && error instanceof first.StatusError)
    assert.equal(error.retryAfter, 5)
    const guard = endpoint(t, { transport, plugins: [second.authChecker(refuse)] })
    const { url } = await guard.listen('tcp://127.0.0.1:0')
    const dialler = endpoint(t, { transport, plugins: [second.authBearer((_, sendOnce) => sendOnce('me'))] })
    assert.deepEqual(await status(dialler.dial(url)), [1001, 'out of stock', 'why'])
  })

  test('an error of a subclass is one of its own class only', () => {
    class Own extends first.StatusError {}
    const own: unknown = new Own(1001)
    assert.ok(own instanceof Own && own instanceof first.StatusError && own instanceof second.StatusError)
    for (const other of [new first.StatusError(1), new second.StatusError(1), new Error('x'), null, 5, {}, new Proxy({}, {})])
      assert.ok(!(other instanceof Own))
    for (const other of [new Error('x'), null, undefined, 5, {}, { code: 1, message: '', cause: '' }])
      assert.ok(!(other instanceof first.StatusError))
  })

  test('bytes, filters, codecs, plugins, mappers and meta of replies', async (t) => {
    const filters = [second.gzip({ level: 9 })]
    const server = endpoint(t, { transport, mapper: second.rpcName, filters, codecs: [second.cbor({ tags: { 9: () => 'nine' } })], plugins: [second.ignoreCase(), second.heartbeatPong()] }) // biome-ignore format: one line
    server.group('x').routeCall('y', (body: Uint8Array, ctx) => {
      ctx.setMeta('size', `${body.length}`)
      if (body.length > 9) throw new second.StatusError(1002)
      return body
    }, { arg: second.bytes }) // biome-ignore format: one line
    server.routeCall('z', (value: unknown) => value)
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const session = await endpoint(t, { transport, filters }).dial(url)
    const reply = await session.callReply('x.y', [1, 2], { result: second.bytes, filters: ['gzip'] })
    assert.deepEqual([Buffer.from(reply.body).toString(), reply.meta.size], ['[1,2]', '5'])
    const failed = await session.callReply('x.y', 'longer than it may be').catch((thrown) => thrown)
    assert.deepEqual([first.replyMeta(failed).size, second.replyMeta(failed).size], ['23', '23'])
    assert.equal(await session.call('z', Buffer.from('c900', 'hex'), { codec: 'cbor' }), 'nine')
  })

  test('a MultiClient, and a container of plugins with those of an endpoint as its parent', async (t) => {
    const { server, client, listener } = await pair(t, transport)
    server.routeCall('/echo', (value: unknown) => value)
    const multi = new second.MultiClient(client, listener.url, { max: 2, callsPerSession: 1 })
    t.after(() => multi.close())
    assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((n) => multi.call('/echo', n))), [1, 2, 3, 4, 5])
    assert.deepEqual(await status(multi.call('/none')), [404, 'Not Found', ''])
    const container = new second.PluginContainer([{ name: 'own' }], server.plugins)
    server.plugins.appendLeft({ name: 'left' })
    assert.deepEqual(container.all.map(({ name }) => name), ['left', 'own']) // biome-ignore format: one line
  })

  test('protocols: what ends a stream, and replies of redis', async (t) => {
    const finalResponse: first.Proto = {
      id: 200,
      name: 'finalResponse',
      framing: 'stream',
      open: () => ({
        pack: () => '',
        unpack() {
          throw new second.ProtoError('no', undefined, 'bye')
        },
      }),
    }
    const server = endpoint(t, { transport, protocols: [finalResponse, second.redis({ prefix: '' })] })
    server.routeCall('set', (args: Buffer[]) => (Buffer.isBuffer(args[0]) ? second.simple('OK') : 'text'), { arg: second.redisBuffers })
    const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['finalResponse'] })
    assert.equal(await exchange(url, 'x'), 'bye')
    const { url: redis } = await server.listen('tcp://127.0.0.1:0', { protocols: ['redis'] })
    assert.equal(await exchange(redis, 'set a\r\nquit\r\n'), '+OK\r\n+OK\r\n')
  })

  test('a filter that would expand too far closes the session as one of ours does', async (t) => {
    const bomb: first.Filter = {
      id: 9,
      name: 'bomb',
      pack: (bytes) => bytes,
      unpack(_, maxSize) {
        throw new second.FilterOverflow(maxSize)
      },
    }
    const { server, session } = await pair(t, transport, { server: { filters: [bomb] }, client: { filters: [bomb] } })
    const violations = server.stats.violations
    const [code] = await status(session.call('/x', 1, { filters: ['bomb'] }))
    assert.deepEqual([code, server.stats.violations], [102, violations + 1])
  })
})

/** All that `url` answers to `bytes` until it closes. */
async function exchange(url: string, bytes: string): Promise<string> {
  const { connect } = await import('node:net')
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(bytes)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}
