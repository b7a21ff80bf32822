import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { call, defineService, plain } from '../../src/contract/index.ts'
import { Endpoint, MultiClient, type Plugin, Session } from '../../src/index.ts'
import { RpcClient, RpcServer } from '../../src/rpc/index.ts'
import { memoryRegistry } from '../../src/rpc/registry/memory.ts'
import { endpoint, onEachTransport, pair } from '../support/helpers.ts'

const Shop = defineService('shop', { buy: call(plain<string>(), plain<string>()) })
class Math2 {
  add(): number {
    return 1
  }
}

/** A misuse that is told by a TypeError with this text. */
const told = (message: RegExp) => ({ name: 'TypeError', message })

onEachTransport('what misuse is told', (transport) => {
  test('a client and a server want a service', async (t) => {
    const { server, session } = await pair(t, transport)
    for (const wrong of [undefined, null, 5, {}, Math2]) {
      assert.throws(() => session.client(wrong as never), told(/client needs a service of defineService, or a prefix/))
      assert.throws(() => server.serve(wrong as never, {}), told(/serve needs a service of defineService; register a controller/))
    }
    assert.throws(() => server.serve('/p' as never, {} as never), told(/serve needs a service/))
    server.serve(Shop, { buy: (item) => item })
    assert.equal(await session.client(Shop).buy('tea'), 'tea')
  })

  test('a class is no handler', async (t) => {
    const { server } = await pair(t, transport)
    const hint = told(/got a class: register an object, new Math2\(\)$/)
    assert.throws(() => server.routeCall(Math2), hint)
    assert.throws(() => server.routeCall('/m', Math2 as never), hint)
    assert.throws(() => server.routePush('/m', Math2 as never), hint)
    assert.throws(() => server.group('/g').routeCall('/m', Math2 as never), hint)
    assert.throws(() => server.setUnknownCall(Math2 as never), hint)
    assert.throws(() => server.setUnknownPush(Math2 as never), hint)
    assert.throws(() => server.routeCall('/m', new Math2() as never), told(/needs a function as its handler, got an object/))
    assert.deepEqual(server.routeCall(new Math2()), ['/math2/add'])
  })

  test('close takes an object with a timeout, and nothing else', async (t) => {
    const { server, client, session, listener } = await pair(t, transport)
    const multi = new MultiClient(client, listener.url)
    const served = new RpcServer('shop', { transport, log: false })
    const called = new RpcClient('shop', { registry: memoryRegistry(), transport, log: false })
    for (const open of [session, server, multi, served, called]) {
      for (const wrong of [50, 'x', null]) assert.throws(() => open.close(wrong as never), told(/options must be an object, got/))
      assert.throws(() => open.close({ timout: 5 } as never), told(/unknown option "timout"/))
    }
    assert.equal(session.isOpen, true)
    await Promise.all([multi.close(), served.close(), called.close()])
  })

  test('what hooks send and receive has no unknown option', async (t) => {
    const errors: unknown[] = []
    const plugin: Plugin = {
      name: 'early',
      async afterDial(session) {
        const typo = { timout: 5 } as never
        await session.earlyReceive(typo).catch((error) => errors.push(error))
        await session.earlySend(3, '/x', 1, typo).catch((error) => errors.push(error))
        await session.earlyCall('/x', 1, typo).catch((error) => errors.push(error))
        await session.earlyReply({ seq: 1, serviceMethod: '' } as never, 1, typo).catch((error) => errors.push(error))
      },
    }
    await pair(t, transport, { client: { plugins: [plugin] } })
    assert.equal(errors.length, 4)
    for (const error of errors) assert.match(String(error), /^TypeError: unknown option "timout"$/)
  })

  test('a port to dial is not 0', async (t) => {
    const client = endpoint(t, { transport })
    const hint = told(/^invalid address "tcp:\/\/127\.0\.0\.1:0": expected a port of 1 to 65535 to dial$/)
    await assert.rejects(client.dial('tcp://127.0.0.1:0'), hint)
    assert.throws(() => new MultiClient(client, 'tcp://127.0.0.1:0'), hint)
  })

  test('an unknown protocol or codec is told with those that there are', async (t) => {
    const { server, session } = await pair(t, transport)
    const names = 'raw, json, protobuf, http, jsonrpc, redis'
    assert.throws(() => endpoint(t, { transport, protocol: 'grpc' }), told(RegExp(`option protocol: .*"grpc", expected ${names}$`)))
    await assert.rejects(server.dial('tcp://127.0.0.1:1', { protocol: 'grpc' }), told(/option protocol: /))
    await assert.rejects(server.listen('tcp://127.0.0.1:0', { protocols: ['grpc'] }), told(/option protocols: /))
    assert.throws(() => new MultiClient(server, 'tcp://127.0.0.1:1', { dial: { protocol: 'grpc' } }), told(/option dial\.protocol: /))
    assert.throws(() => endpoint(t, { transport, codec: 'bson' }), told(/option codec: no codec is named "bson", expected json, /))
    await assert.rejects(session.call('/x', 1, { codec: 'bson' }), told(/option codec: no codec is named "bson", expected json, /))
  })

  test('a 404 of a name without its slash is told where it was called, and no other is', async (t) => {
    const { session } = await pair(t, transport)
    await assert.rejects(session.call('ok'), { code: 404, message: 'Not Found', cause: 'names of routes begin with "/"' })
    for (const name of ['/ok', 'Math.Add']) await assert.rejects(session.call(name), { code: 404, message: 'Not Found', cause: '' })
  })
})

describe('what misuse is told, wherever it runs', () => {
  test('a session is made by dial and listen', () => {
    for (const args of [[], ['tcp://127.0.0.1:1'], [{}]])
      assert.throws(
        () => new (Session as unknown as new (...args: unknown[]) => Session)(...args),
        told(/sessions are made by dial and listen/),
      )
  })

  test('upgrade wants what an HTTP server gives', async () => {
    const server = new Endpoint({ transport: 'js' })
    await assert.rejects((server.upgrade as () => Promise<void>)(), told(/upgrade needs the request, the socket and the head/))
    await server.close()
  })

  test('a function that looks like a hook is one', () => {
    class Own implements Plugin {
      readonly name = 'own'
      AfterReadCallHeader(): void {}
    }
    assert.throws(
      () => new Endpoint({ plugins: [{ name: 'x', afterReadCallHedaer() {} } as never] }),
      told(/"x": no hook is named afterReadCallHedaer/),
    )
    assert.throws(() => new Endpoint({ plugins: [new Own()] }), told(/"own": no hook is named AfterReadCallHeader/))
    const others = { name: 'x', afterAll() {}, before: 5, beforeWriteCalls: 5, afterReadCallHeader() {} }
    assert.deepEqual(new Endpoint({ plugins: [others as Plugin] }).plugins.all, [others])
  })

  test('a bad option is told with its name, place and value', () => {
    assert.throws(
      () => new Endpoint({ plugins: [{ name: 'x' }, undefined] as never }),
      told(/^option plugins\[1\] must be an object, got undefined$/),
    )
    assert.throws(() => new Endpoint().group('/g', undefined as never), told(/^a plugin must be an object, got undefined$/))
    assert.throws(
      () => new Endpoint().routeCall('/x', () => 1, { plugins: {} as never }),
      told(/^option plugins must be a list, got an object$/),
    )
    assert.throws(
      () => new Endpoint({ codecs: [{ id: 5 }] as never }),
      told(/^option codecs\[0\] must be an object with the method encode, got an object$/),
    )
    assert.throws(() => new Endpoint({ overload: 'yes' as never }), told(/^option overload must be true, false or an object, got "yes"$/))
    if (process.env.DMICRO_TRANSPORT === undefined)
      assert.throws(
        () => new Endpoint({ transport: 'natve' as never }),
        told(/^option transport must be 'auto', 'native' or 'js', got "natve"$/),
      )
  })

  test('a service has methods', () => {
    assert.throws(() => defineService('x', undefined as never), told(/^the methods of service x must be an object, got undefined$/))
  })
})
