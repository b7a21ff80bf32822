import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type as ark } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { call, declareError, defineService, group, none, plain, push, type ServiceDescription } from '../../src/contract/index.ts'
import { MultiClient } from '../../src/index.ts'
import { RpcClient, staticRegistry } from '../../src/rpc/index.ts'
import { All } from '../protobuf/messages.ts'
import { endpoint, once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

const OutOfStock = declareError(1001, 'out of stock', z.object({ left: z.number() }))
const Closed = declareError(1002, 'closed')

const Shop = defineService(
  'shop',
  {
    buy: call(z.object({ item: z.string(), count: z.number().int().default(1) }), z.object({ price: z.number() }), {
      errors: { OutOfStock },
    }),
    open: call(none, v.boolean()),
    users: group({ get: call(ark({ id: 'number' }), ark({ id: 'number', name: 'string' })) }, { docs: 'Who buys.' }),
    length: call(
      z.string().transform((text) => text.length),
      plain<number>(),
      { idempotent: true, timeout: 60_000 },
    ),
    log: push(toStandardJsonSchema(v.object({ line: v.string() })), { callable: true }),
    fail: call(none, none),
  },
  { version: '1.2.0', errors: { Closed }, toClient: { sold: push(z.string()), name: call(none, z.string()) } },
)

function implementation(lines: string[] = []) {
  return {
    buy: ({ item, count }: { item: string; count: number }) => {
      if (count > 2) throw OutOfStock({ left: 2 })
      return { price: count * item.length }
    },
    open: () => true,
    users: { get: ({ id }: { id: number }) => ({ id, name: 'ann' }) },
    length: (length: number) => length,
    log: ({ line }: { line: string }) => void lines.push(line),
    fail: () => {
      throw Closed()
    },
  }
}

onEachTransport('contract', (transport) => {
  test('a client calls what the contract names, and schemas of three libraries validate both ways', async (t) => {
    const { server, session } = await pair(t, transport, { server: { log: recorder() } })
    assert.deepEqual(server.serve(Shop, implementation()), [
      '/shop/buy',
      '/shop/open',
      '/shop/users/get',
      '/shop/length',
      '/shop/log',
      '/shop/fail',
    ])
    const shop = session.client(Shop)
    assert.deepEqual(await shop.buy({ item: 'tea' }), { price: 3 })
    assert.equal(await shop.open(), true)
    assert.deepEqual(await shop.users.get({ id: 5 }), { id: 5, name: 'ann' })
    assert.equal(await shop.length('four'), 4)
    const { buy } = shop
    assert.deepEqual((await buy.reply({ item: 'tea' }, { timeout: 1_000 })).body, { price: 3 })
    assert.equal(shop.buy, buy)
    const [code, , cause] = await status(shop.users.get({ id: 'five' as never }))
    assert.equal(code, 400)
    assert.match(cause, /argument: id: /)
    assert.equal((await status(shop.buy({} as never)))[0], 400)
  })

  test('declared errors have their names and details on the other side', async (t) => {
    const { server, session } = await pair(t, transport)
    server.serve(Shop, implementation())
    const shop = session.client(Shop)
    const error = await shop.buy({ item: 'tea', count: 3 }).catch((thrown: unknown) => thrown)
    assert.ok(OutOfStock.is(error))
    assert.equal(error.details.left, 2)
    assert.equal(error.cause, '{"left":2}')
    const outcome = await shop.buy.try({ item: 'tea', count: 3 })
    assert.ok(!outcome.ok && outcome.name === 'OutOfStock')
    assert.equal(outcome.error.details.left, 2)
    const closed = await shop.fail.try()
    assert.deepEqual([closed.ok, 'name' in closed && closed.name], [false, 'Closed'])
    const other = await shop.users.get.try({ id: 'five' as never })
    assert.ok(!other.ok && other.name === undefined && other.error.code === 400)
    assert.deepEqual(await shop.buy.try({ item: 'tea' }), { ok: true, value: { price: 3 } })
    await assert.rejects(shop.open.try(undefined, { timeout: -1 }), RangeError)
  })

  test('the server calls and pushes what the contract says of its clients', async (t) => {
    const { server, client, session, peer } = await pair(t, transport)
    const told = once<string>()
    client.serve(Shop.toClient, { sold: (item) => told.resolve(item), name: () => 'ann' })
    server.serve(Shop, implementation())
    const buyer = peer.client(Shop.toClient)
    await buyer.sold('tea')
    assert.equal(await told.promise, 'tea')
    assert.equal(await buyer.name(), 'ann')
    assert.equal(await session.client(Shop).open(), true)
  })

  test('a push that is callable answers when its handler has finished', async (t) => {
    const lines: string[] = []
    const { server, session } = await pair(t, transport)
    server.serve(Shop, implementation(lines))
    await session.client(Shop).log({ line: 'one' })
    assert.equal(await session.call('/shop/log', { line: 'two' }), undefined)
    assert.deepEqual(lines, ['one', 'two'])
    assert.equal((await status(session.call('/shop/log', { line: 2 })))[0], 400)
  })

  test('an implementation that lacks or adds something is refused, and nothing is registered', (t) => {
    const server = endpoint(t, { transport })
    const { buy: _, ...rest } = implementation()
    const wrong = { ...rest, open: 1, users: undefined, extra: () => 1 }
    assert.throws(() => server.serve(Shop, wrong as never), {
      name: 'TypeError',
      message:
        'the implementation of service shop lacks the call buy, and has no function as the call open, and has no group users, and has extra, which the contract does not know',
    })
    assert.throws(() => server.serve(Shop, undefined as never), /must be an object/)
    server.serve(Shop, implementation())
    assert.throws(() => server.serve(Shop, implementation()), /already registered/)
  })

  test('methods of a class serve, with their object', async (t) => {
    class Counter {
      total = 0
      add(n: number): number {
        return (this.total += n)
      }
      helper(): void {}
    }
    const Count = defineService('Count', { add: call(z.number(), z.number()) }, { naming: 'rpc', group: 'v1' })
    const { server, session } = await pair(t, transport)
    assert.deepEqual(server.serve(Count, new Counter()), ['v1.Count.add'])
    const count = session.client(Count)
    await count.add(1)
    assert.equal(await count.add(2), 3)
  })

  test('a client without a contract has the methods of the class that serves', async (t) => {
    class Sums {
      addAll(numbers: number[]): number {
        return numbers.reduce((a, b) => a + b, 0)
      }
      async hello(): Promise<string> {
        return 'hello'
      }
    }
    const { server, session } = await pair(t, transport)
    server.routeCall(new Sums())
    const math = session.client<Sums>('/sums')
    assert.equal(await math.addAll([1, 2, 3]), 6)
    assert.equal(await math.hello(), 'hello')
    assert.equal(await math.addAll([1], { timeout: 1_000 }), 1)
    assert.equal(await Promise.resolve(math), math)
  })

  test('protobuf types travel as protobuf', async (t) => {
    const Typed = defineService('typed', { echo: call(All, All), codec: call(none, plain<string>()) })
    const { server, session } = await pair(t, transport)
    const codecs: string[] = []
    server.serve(Typed, {
      echo: (all, ctx) => {
        codecs.push(ctx.codec)
        return all
      },
      codec: (_arg, ctx) => ctx.codec,
    })
    const typed = session.client(Typed)
    const found = await typed.echo(All.fromObject({}))
    assert.deepEqual(Object.keys(All.verify(found as never) ?? {}), [])
    assert.deepEqual(codecs, ['protobuf'])
    assert.equal(await typed.codec(), 'json')
  })

  test('a client that validates fails before it sends, and at results that a callee did not validate', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/shop/open', () => 'yes')
    server.routeCall('/shop/buy', () => assert.fail('must not be reached'))
    const shop = session.client(Shop, { validate: true })
    assert.deepEqual((await status(shop.buy({ item: 5 as never })))[0], 400)
    assert.equal((await status(shop.open()))[0], 400)
    assert.throws(() => session.client(Shop, { check: true } as never), /unknown option "check"/)
  })

  test('RpcClient and MultiClient have clients too, with their own options', async (t) => {
    const server = endpoint(t, { transport })
    server.serve(Shop, implementation())
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const multi = new MultiClient(endpoint(t, { transport }), url)
    assert.equal(await multi.client(Shop).open(), true)
    const rpc = new RpcClient('shop', { transport, log: false, registry: staticRegistry([url]) })
    t.after(() => rpc.close())
    assert.deepEqual(await rpc.client(Shop).buy({ item: 'tea' }, { key: 'user-7' }), { price: 3 })
    assert.equal(await rpc.client<{ open(): boolean }>('/shop').open(), true)
    await multi.close()
  })

  test('the description route is off until it is asked for, and tells all services', async (t) => {
    const { server, session } = await pair(t, transport)
    const Other = defineService('other', { ping: call(none, none) })
    server.serve(Shop, implementation())
    assert.equal((await status(session.call('/dmicro/describe')))[0], 404)
    server.serve(Other, { ping() {} }, { describe: true })
    const Third = defineService('third', { date: call(z.date(), none) })
    server.serve(Third, { date() {} }, { describe: true })
    const { services } = await session.call<{ services: ServiceDescription[] }>('/dmicro/describe')
    assert.deepEqual(services.map(({ name }) => name), ['other', 'third']) // biome-ignore format: one line
    assert.deepEqual(services[0].methods, [{ name: 'ping', kind: 'call', route: '/other/ping', arg: null, result: null }])
    assert.deepEqual(services[1].problems, ['date, argument: it is a date, which JSON cannot say'])
  })

  test('plugins of a service run for its messages', async (t) => {
    const { server, session } = await pair(t, transport)
    const seen: string[] = []
    const plugin = { name: 'seen', afterReadCallBody: (ctx: { serviceMethod: string }) => void seen.push(ctx.serviceMethod) }
    server.serve(Shop, implementation(), { plugins: [plugin] })
    server.routeCall('/other', () => 1)
    await session.client(Shop).open()
    await session.call('/other')
    assert.deepEqual(seen, ['/shop/open'])
  })
})
