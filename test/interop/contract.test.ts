import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, describe, it } from 'node:test'
import { golang } from '../../src/contract/index.ts'
import { Chromium } from '../outside/browser/chromium.ts'
import { start } from '../outside/support/processes.ts'
import { endpoint } from '../support/helpers.ts'
import { buyByTools, buyInNode, buyInPage, openShop, Shop, startShop } from '../support/shop.ts'
import { GoContract } from './contract-peer.ts'
import { ALL, Closed, POINT, Shapes, TooMany } from './contract-shapes.ts'
import { addressOf } from './go-peer.ts'

delete process.env.DMICRO_TRANSPORT

const peer = await GoContract.build(golang(Shop))
const missing = typeof peer === 'string' ? peer : undefined
if (missing !== undefined && process.env.DMICRO_INTEROP === 'required') throw new Error(`the Go peer is required: ${missing}`)

describe('a contract in Go DMicro', { skip: missing }, () => {
  const go = peer as GoContract
  after(() => go.dispose())

  for (const transport of ['native', 'js'] as const) {
    it(`${transport}: the generated Go client calls our server: each kind of value, declared errors, pushes both ways`, async (t) => {
      const server = endpoint(t, { transport })
      const pushed: unknown[] = []
      server.serve(Shapes, {
        echo: (all) => {
          if (all.list.length > 3) throw TooMany({ max: 3, why: ['more'] })
          return all
        },
        func: (tree) => tree,
        lengths: (texts) => texts.map((text) => text.length),
        null: (text) => (text === null ? null : { a: text }),
        session: (text) => text === 'x',
        get_all: () => ({ one: 1 }),
        aB: ({ text }) => void pushed.push(text),
        output: {
          iP: () => undefined,
          point: (point) => point,
          note: (point) => void pushed.push(point),
          raw: (raw) => raw,
          old: (old) => old,
        },
        either: (value) => [typeof value, Number(value)],
        happened: (event) => (event.type === 'bought' ? null : event),
        back: async (text, { session }) => {
          const client = session.client(Shapes.toClient)
          await client.told({ text })
          return client.ask(text)
        },
      })
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const { code, stdout, stderr } = await go.run('client', addressOf(url))
      assert.equal(code, 0, stderr)
      const point = { x: -5, near: [{ x: 1 }], names: { a: 'b' }, note: '', kind: 1, kinds: [1, 0], parts: [0.5] }
      assert.deepEqual(JSON.parse(stdout), {
        fails: null,
        found: {
          echo: {
            ...{
              type: 'go',
              count: 2 ** 53 - 1,
              ratio: 0.25,
              small: -1,
              yes: true,
              bytes: 'AQID',
              kind: 'old',
              maybe: 'here',
              nullable: null,
            },
            ...{ list: [], lists: [], few: [], map: {}, pair: ['a', 1], either: 'text', 'with space': 3 },
            ...{ event: { type: 'bought', items: [] }, noEvent: null, word: 'auto', range: [2, []], outcome: { ok: true, n: 3 } },
            json: [null, 1.5, {}],
          },
          'too many': { ok: true, closed: false, code: 1001, message: 'too "many"', details: { max: 3, why: ['more'] } },
          tree: { name: 'a', children: [{ name: 'b', children: [] }] },
          lengths: [1, 3],
          'no lengths': [],
          null: null,
          'not null': { a: 'here' },
          session: true,
          'get all': { one: 1 },
          iP: null,
          point,
          raw: { a: '' },
          'no raw': {},
          old: { name: '', count: 0, box: { inside: '' }, part: [{ n: 1 }, { n: 0 }], ns: [1, 2] },
          'less old': { name: 'x', no: false },
          note: null,
          push: null,
          either: ['number', 1.5],
          happened: { type: 'sold-out', count: 2 },
          'not happened': null,
          nothing: { code: 104, cause: 'json: error calling MarshalJSON for type *shapes.Event: Event has no member' },
          back: 'asked me',
          told: 'me',
        },
      })
      assert.equal((pushed[0] as { x: number }).x, 3)
      assert.equal(pushed[1], 'from Go')
    })

    it(`${transport}: our client calls the generated Go server: each kind of value, declared errors, pushes both ways`, async (t) => {
      const { line } = await start(t, go.binary, ['server'])
      const client = endpoint(t, { transport })
      const told: string[] = []
      client.serve(Shapes.toClient, { ask: (text) => `asked ${text}`, told: ({ text }) => void told.push(text) })
      const calls = (await client.dial(`tcp://${JSON.parse(line)}`)).client(Shapes, { validate: true })
      assert.deepEqual(await calls.echo(ALL), ALL)
      const many = await calls.echo.try({ ...ALL, list: ['a', 'b', 'c', 'd'] })
      assert.ok(!many.ok && many.name === 'TooMany' && TooMany.is(many.error))
      assert.deepEqual(many.error.details, { max: 3, why: [] })
      await assert.rejects(calls.echo({ ...ALL, type: 'closed' }), (error) => Closed.is(error))
      const tree = { name: 'a', children: [{ name: 'b', children: [] }] }
      assert.deepEqual(await calls.func(tree), tree)
      assert.deepEqual(await calls.lengths(['a', 'bcd']), [1, 3])
      assert.deepEqual(await calls.lengths([]), [])
      assert.equal(await calls.null(null), null)
      assert.deepEqual(await calls.null('a'), { a: 'a' })
      assert.equal(await calls.session('x'), true)
      assert.deepEqual(await calls.get_all(), {})
      assert.equal(await calls.output.iP(), undefined)
      const { near: [first, second] = [], ...point } = await calls.output.point(POINT) // prettier names
      assert.deepEqual(
        { ...point, names: { ...point.names } },
        { x: -5, names: { a: 'b' }, note: '', count: 7, kind: 1, kinds: [1, 0], parts: [0.5, -1] },
      )
      assert.equal(first.x, 1)
      assert.equal(second.near?.[0].note, 'deep')
      const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
      assert.deepEqual(copy(await calls.output.raw({ b: new Uint8Array() })), { b: '' })
      assert.deepEqual(copy(await calls.output.raw({})), {})
      const old = { name: '', count: 0, box: {}, part: [{ n: 0 }, { n: 2 }], ns: [3, 4], no: false }
      assert.deepEqual(copy(await calls.output.old(old)), old)
      assert.deepEqual(copy(await calls.output.old({ name: 'x' })), { name: 'x' })
      assert.deepEqual(await calls.either('text'), ['text', 1])
      assert.deepEqual(await calls.either(0.5), ['number', 0.5])
      const bought = { type: 'bought' as const, items: ['a'] }
      assert.deepEqual(await calls.happened(bought), bought)
      assert.equal(await calls.happened({ type: 'sold', count: 1 }), null)
      await calls.output.note({ x: 3 })
      await calls.aB({ text: 'from us' })
      assert.deepEqual(
        (await calls.back('pushed'))
          .split(', ')
          .map((each) => each.replace(/^\{X:3 .*\}$/, 'note'))
          .sort(),
        ['from us', 'note'],
      )
      assert.equal(await calls.back('me'), 'asked me')
      assert.deepEqual(told, ['me'])
    })

    it(`${transport}: a Go client buys in the shop of the example, and is told of its order`, async (t) => {
      const server = endpoint(t, { transport })
      server.serve(Shop, openShop())
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const { code, stdout, stderr } = await go.run('shop', addressOf(url))
      assert.equal(code, 0, stderr)
      assert.deepEqual(JSON.parse(stdout), {
        ...{ items: 2, 'out of stock': true, left: 2, total: 6, lines: [{ item: 1, count: 2 }] },
        ...{ told: true, 'wrong state': true, state: 'open' },
      })
    })
  }

  it('one contract serves a Go program, a program, a page and an agent, who hear of each other’s orders', {
    skip: spawnSync('which', ['chromium']).status !== 0 && 'no chromium here',
  }, async (t) => {
    const [shop, chromium] = await Promise.all([startShop(t), Chromium.start()])
    t.after(() => chromium.close())
    const { code, stderr } = await go.run('shop', addressOf(shop.url))
    assert.equal(code, 0, stderr)
    const program = await buyInNode(t, shop)
    await buyByTools(t, shop)
    const page = await buyInPage(chromium, shop)
    await page.until(`document.querySelectorAll('#orders li').length === 2`)
    assert.equal(await program.stock(), 2)
    assert.deepEqual(program.orders, [2, 3, 4, 5])
  })
})
