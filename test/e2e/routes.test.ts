import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallContext, PushContext } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair } from '../support/helpers.ts'

class Math_ {
  #calls = 0
  add(nums: number[]): number {
    this.#calls++
    return nums.reduce((a, b) => a + b, 0)
  }
  AddFunc(n: number, ctx: CallContext): string {
    return `${ctx.serviceMethod} ${n} ${this.#calls}`
  }
  _hidden(): void {}
}
class Advanced extends Math_ {
  aaBb(): string {
    return 'derived'
  }
}
class Chat {
  readonly said = once<string>()
  say(text: string, ctx: PushContext): void {
    this.said.resolve(`${ctx.serviceMethod}: ${text}`)
  }
}

onEachTransport('routes', (transport) => {
  test('strings name routes as they stand, functions and controllers by the mapper', async (t) => {
    const { server, session } = await pair(t, transport)
    assert.deepEqual(
      server.routeCall('/As/It_Stands', () => 1),
      ['/As/It_Stands'],
    )
    assert.deepEqual(
      server.routeCall(function AddFunc() {
        return 2
      }),
      ['/add_func'],
    )
    assert.deepEqual(server.routeCall(new Advanced()).sort(), ['/advanced/aa_bb', '/advanced/add', '/advanced/add_func'])
    assert.equal(await session.call('/As/It_Stands'), 1)
    assert.equal(await session.call('/add_func'), 2)
    assert.equal(await session.call('/advanced/aa_bb'), 'derived')
    assert.equal(await session.call('/advanced/add', [1, 2]), 3)
    assert.equal(await session.call('/advanced/add_func', 5), '/advanced/add_func 5 1')
  })

  test('groups put their prefix before names and nest', async (t) => {
    const { server, session } = await pair(t, transport)
    const group = server.group('github')
    assert.deepEqual(group.routeCall(new Math_()), ['/github/math_/add', '/github/math_/add_func'])
    assert.deepEqual(
      group.group('V2').routeCall('/users/list', () => 'users'),
      ['/github/v2/users/list'],
    )
    assert.deepEqual(
      group.routeCall(function ping() {
        return 'pong'
      }),
      ['/github/ping'],
    )
    assert.equal(await session.call('/github/v2/users/list'), 'users')
    assert.equal(await session.call('/github/ping'), 'pong')
  })

  test('the rpc mapper and a mapper of the user name routes too', async (t) => {
    const rpc = endpoint(t, { transport, mapper: 'rpc' })
    assert.deepEqual(rpc.routeCall(new Math_()).slice(0, 1), ['Math_.add'])
    assert.deepEqual(
      rpc.group('github').routeCall('list', () => 1),
      ['github.list'],
    )
    const own = endpoint(t, { transport, mapper: (prefix, name) => `${prefix}:${name}` })
    assert.deepEqual(
      own.routeCall(function ping() {}),
      ['::ping'],
    )
  })

  test('push controllers take pushes', async (t) => {
    const { server, session } = await pair(t, transport)
    const chat = new Chat()
    assert.deepEqual(server.routePush(chat), ['/chat/say'])
    await session.push('/chat/say', 'hi')
    assert.equal(await chat.said.promise, '/chat/say: hi')
  })

  test('one name may be a call and a push; twice the same is refused', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/x', () => 1)
    server.routePush('/x', () => {})
    assert.throws(() => server.routeCall('/x', () => 2), /already registered/)
    assert.throws(() => server.routePush('/x', () => {}), /already registered/)
  })

  test('routes registered after listening and after sessions began are found', async (t) => {
    const { server, session } = await pair(t, transport)
    await session.call('/late').catch(() => {})
    server.routeCall('/late', () => 'there')
    assert.equal(await session.call('/late'), 'there')
  })

  test('what cannot be a route is refused with a reason', (t) => {
    const server = endpoint(t, { transport })
    const bad: [unknown[], RegExp][] = [
      [['/x'], /function/],
      [['', () => 1], /empty/],
      [['x'.repeat(256), () => 1], /255 bytes/],
      [[() => 1], /name/],
      [[Math_], /new Math_/],
      [[{}], /class/],
      [[null], /route/],
      [[new (class Nothing {})()], /no public method/],
    ]
    for (const [args, text] of bad) assert.throws(() => (server.routeCall as (...args: unknown[]) => unknown).apply(server, args), text)
  })

  test('100,000 routes work, also where calls named as many methods before', async (t) => {
    const { server, client, session } = await pair(t, transport)
    server.setUnknownCall(() => 'unknown')
    for (let i = 0; i < 66_000; i += 1000) {
      const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => session.call<string>(`/${transport}/user/${i + n}`)))
      assert.ok(answers.every((answer) => answer === 'unknown'))
    }
    for (let i = 0; i < 100_000; i++) server.routeCall(`/${transport}/route/${i}`, () => i)
    client.routePush(`/${transport}/late`, () => {})
    const chosen = [0, 1, 65_535, 65_536, 70_000, 99_999]
    assert.deepEqual(await Promise.all(chosen.map((i) => session.call(`/${transport}/route/${i}`))), chosen)
    assert.equal(await session.call(`/${transport}/route/100000`), 'unknown')
  })
})
