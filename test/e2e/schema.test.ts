import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import type { StandardSchemaV1 } from '../../src/index.ts'
import { Small } from '../protobuf/messages.ts'
import { once, onEachTransport, pair, recorder, status } from '../support/helpers.ts'

/** A schema without a library: numbers above 0, doubled. */
function doubled(
  answer: (result: StandardSchemaV1.Result<number>) => StandardSchemaV1.Result<number> | Promise<StandardSchemaV1.Result<number>>,
) {
  const validate = (value: unknown) =>
    answer(typeof value === 'number' && value > 0 ? { value: 2 * value } : { issues: [{ message: 'must be above 0' }] })
  return { '~standard': { version: 1, vendor: 'test', validate } } satisfies StandardSchemaV1<unknown, number>
}

const sync = doubled((result) => result)
const later = doubled(async (result) => {
  await setImmediate()
  return result
})

const Item = z.object({ name: z.string(), count: z.number().int().default(1) })
const Order = z.object({ id: z.number(), items: z.array(Item) })

onEachTransport('schemas', (transport) => {
  test('a handler gets what the schema makes of the argument, with its type', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/count', (order) => order.items.reduce((sum, item) => sum + item.count, 0), { arg: Order, result: z.number() })
    assert.equal(await session.call('/count', { id: 1, items: [{ name: 'a' }, { name: 'b', count: 2 }] }), 3)
    for (const schema of [sync, later]) {
      const name = schema === sync ? '/sync' : '/later'
      server.routeCall(name, (n) => n + 1, { arg: schema })
      assert.equal(await session.call(name, 5), 11)
    }
  })

  test('a bad argument is a 400 with the first issues, and the handler is not reached', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/order', () => assert.fail('must not be reached'), { arg: Order })
    server.routeCall('/later', () => assert.fail('must not be reached'), { arg: later })
    const [code, message, cause] = await status(session.call('/order', { id: 1, items: [{ name: 5 }, {}] }))
    assert.deepEqual([code, message], [400, 'Bad Message'])
    assert.match(cause, /^argument: items\.0\.name: .+; items\.1\.name: /)
    for (const bad of [undefined, null, 'x', []]) assert.equal((await status(session.call('/order', bad)))[0], 400)
    assert.deepEqual(await status(session.call('/later', -1)), [400, 'Bad Message', 'argument: must be above 0'])
    const many = await status(session.call('/order', { id: 1, items: Array.from({ length: 1000 }, () => 'x'.repeat(100)) }))
    assert.match(many[2], /; 995 more$/)
    assert.ok(many[2].length <= 512)
  })

  test('a bad result is a 500 that tells the caller nothing and the log all', async (t) => {
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { log } })
    server.routeCall('/sync', () => -1, { result: sync })
    server.routeCall('/later', async () => -1, { result: later })
    for (const name of ['/sync', '/later']) assert.deepEqual(await status(session.call(name)), [500, 'Internal Server Error', ''])
    assert.deepEqual(
      log.lines.map(({ level, fields }) => [level, /result of \/(sync|later) breaks its schema: must be above 0/.test(`${fields.error}`)]),
      [
        ['error', true],
        ['error', true],
      ],
    )
  })

  test('the caller gets what the schema makes of the result', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/sync', () => 4, { result: sync })
    server.routeCall('/later', (_arg, ctx) => Promise.resolve(ctx.seq > 0 ? 4 : 0), { result: later })
    for (const name of ['/sync', '/later']) assert.equal(await session.call(name), 8)
  })

  test('a call may name the schema of its result', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/order', (id: number) => ({ id, items: [{ name: 'tea' }] }))
    server.routeCall('/number', (n: number) => n)
    const order = await session.call('/order', 7, { result: Order })
    assert.equal(order.items[0].count, 1)
    const reply = await session.callReply('/order', 7, { result: Order })
    assert.deepEqual([reply.body.items[0].count, reply.codec], [1, 106])
    assert.equal(await session.call('/number', 3, { result: later }), 6)
    assert.match((await status(session.call('/order', 'x', { result: Order })))[2], /^result: id: /)
    for (const schema of [sync, later]) {
      assert.deepEqual(await status(session.call('/number', -3, { result: schema })), [400, 'Bad Message', 'result: must be above 0'])
    }
    assert.equal((await status(session.call('/missing', 1, { result: Order })))[0], 404)
  })

  test('a push that breaks its schema is logged and dropped', async (t) => {
    const log = recorder()
    const { server, session } = await pair(t, transport, { server: { log } })
    const got = once<number>()
    server.routePush('/note', (n) => got.resolve(n), { arg: later })
    await session.push('/note', -1)
    await session.push('/note', 21)
    assert.equal(await got.promise, 42)
    assert.deepEqual(
      log.lines.map(({ text, fields }) => [text, fields.method]),
      [['a push was refused', '/note']],
    )
  })

  test('a schema that throws is a 500 on a route and a 400 for a call', async (t) => {
    const { server, session } = await pair(t, transport)
    const broken = doubled(() => {
      throw new Error('broken')
    })
    const late = doubled(() => Promise.reject(new Error('broken')))
    server.routeCall('/ok', () => 1)
    for (const [i, schema] of [broken, late].entries()) {
      server.routeCall(`/arg/${i}`, () => 1, { arg: schema })
      server.routeCall(`/result/${i}`, () => 1, { result: schema })
      assert.deepEqual(await status(session.call(`/arg/${i}`, 1)), [500, 'Internal Server Error', ''])
      assert.deepEqual(await status(session.call(`/result/${i}`, 1)), [500, 'Internal Server Error', ''])
      assert.deepEqual(await status(session.call('/ok', 1, { result: schema })), [400, 'Bad Message', 'broken'])
    }
  })

  test('a schema guards every codec, and one for what is sent is refused', async (t) => {
    // Not every protocol carries bodies that are no text.
    const { server, session } = await pair(t, transport, { server: { protocol: 'raw' }, client: { protocol: 'raw' } })
    server.routeCall('/order', (order) => order, { arg: Order })
    const order = { id: 1, items: [{ name: 'a', count: 2 }] }
    for (const codec of ['msgpack', 'cbor']) assert.deepEqual({ ...(await session.call<object>('/order', order, { codec })) }, order)
    assert.equal((await status(session.call('/order', Small.create({ id: 1 }), { codec: 'protobuf' })))[0], 400)
    await assert.rejects(session.call('/order', order, { arg: Order as never }), /^TypeError: option arg must have/)
  })
})
