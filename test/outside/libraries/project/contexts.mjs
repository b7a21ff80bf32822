// OpenTelemetry's context, as services have it: what belongs to one request must never be seen by another.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { Endpoint } from 'dmicro'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const user = createContextKey('user')
const entered = new AsyncLocalStorage()
const as = (name, work) => context.with(ROOT_CONTEXT.setValue(user, name), work)
/** Whose context this is: of nobody, as it should be where a message begins, or a user's. */
const whose = () => [context.active().getValue(user), entered.getStore()].filter((name) => name !== undefined).join(' ') || 'nobody'
const named = (count) => Array.from({ length: count }, (_, i) => `u${i}`)

/** Made inside of a context, as where a first request makes the endpoints of a process. */
async function pair(transport, options = {}) {
  return as('boot', async () => {
    const server = new Endpoint({ transport, log: false })
    const client = new Endpoint({ transport, log: false })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    server.routeCall('/whose', whose)
    server.routeCall('/echo', (value) => value)
    server.routeCall('/flood', (count, ctx) => {
      for (let i = 0; i < count; i++) ctx.session.push('/pushed', i)
    })
    const accepted = once(server, 'session')
    const session = await client.dial(url, options)
    return { server, client, url, session, peer: (await accepted)[0], close: () => Promise.all([client.close(), server.close()]) }
  })
}

export const checks = {
  async 'a handler begins outside of any context, whoever made the endpoint, dialled or calls'(transport) {
    const ends = await pair(transport)
    const answers = await Promise.all(named(200).map((name) => as(name, () => ends.session.call('/whose'))))
    assert.deepEqual([...new Set(answers)], ['nobody'])
    await ends.close()
  },
  async 'a handler keeps its context over what it awaits, and over calls it makes'(transport) {
    const ends = await pair(transport)
    ends.client.routeCall('/back', whose)
    ends.server.routeCall('/work', (name, ctx) =>
      as(name, async () => {
        await sleep(1)
        const back = await ctx.session.call('/back')
        return [back, whose()]
      }),
    )
    const answers = await Promise.all(named(100).map((name) => ends.session.call('/work', name)))
    assert.deepEqual(
      answers,
      named(100).map((name) => ['nobody', name]),
    )
    await ends.close()
  },
  async 'a caller has its own context when its call settles'(transport) {
    const ends = await pair(transport)
    const call = async (name) => {
      const [answer] = await Promise.all([ends.session.call('/echo', name), ends.session.call('/none').catch(() => {})])
      return [answer, whose()]
    }
    const answers = await Promise.all(named(100).map((name) => as(name, () => call(name))))
    assert.deepEqual(
      answers,
      named(100).map((name) => [name, name]),
    )
    await ends.close()
  },
  async 'what a handler enters is gone with its message'(transport) {
    const ends = await pair(transport)
    ends.server.routeCall('/login', (name) => void entered.enterWith(name))
    ends.server.routeCall('/login-later', async (name) => {
      await sleep(1)
      entered.enterWith(name)
    })
    const other = await ends.client.dial(ends.url)
    const answers = []
    for (const name of named(20)) {
      const route = answers.length % 2 === 0 ? '/login' : '/login-later'
      const burst = [ends.session.call(route, name), ends.session.call('/whose'), other.call('/whose'), ends.session.call('/whose')]
      answers.push(...(await Promise.all(burst)).slice(1), await other.call('/whose'), await ends.session.call('/whose'))
    }
    assert.deepEqual([...new Set(answers)], ['nobody'])
    await ends.close()
  },
  async 'push handlers run in no context, under calls of many users'(transport) {
    const ends = await pair(transport)
    const seen = []
    const last = new Promise((resolve) => {
      ends.client.routePush('/pushed', (i) => {
        seen.push(whose())
        if (seen.length === 20_000) resolve(i)
      })
    })
    const floods = Array.from({ length: 100 }, () => ends.session.call('/flood', 200))
    let busy = true
    const calls = named(4).map((name) =>
      as(name, async () => {
        while (busy) await ends.session.call('/echo', name)
      }),
    )
    await Promise.all([last, ...floods])
    busy = false
    await Promise.all(calls)
    assert.deepEqual([...new Set(seen)], ['nobody'])
    await ends.close()
  },
  async 'events of a session come in no context, over a redial too'(transport) {
    const seen = []
    const ends = await pair(transport, { redial: { minDelay: 1 } })
    as('listener', () => {
      for (const event of ['redialing', 'redialed', 'close']) ends.session.on(event, () => seen.push(`${event} ${whose()}`))
    })
    ends.client.routePush('/pushed', () => seen.push(`pushed ${whose()}`))
    const redialed = once(ends.session, 'redialed')
    as('dropper', () => ends.peer.destroy())
    await redialed
    const pushed = new Promise((resolve) => ends.client.plugins.appendRight({ name: 'after', afterReadPushBody: resolve }))
    await as('caller', () => ends.session.call('/flood', 1))
    await pushed
    await ends.session.call('/echo', 1)
    await as('closer', () => ends.session.close())
    assert.deepEqual(seen.slice(0, 3), ['redialing nobody', 'redialed nobody', 'pushed nobody'])
    await ends.close()
  },
  async "a deadline's signal tells no handler of another user"(transport) {
    const ends = await pair(transport)
    const seen = []
    ends.server.routeCall('/slow', (name, ctx) =>
      as(name, () => new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(seen.push([name, whose()]))))),
    )
    const calls = named(60).map((name, i) =>
      as(`${name}c`, () => ends.session.call('/slow', name, { timeout: 20 + (i % 20) }).catch(() => {})),
    )
    await Promise.all(calls)
    while (seen.length < 60) await sleep(1)
    for (const [name, context] of seen) assert.ok(context === 'nobody' || context === name, `${name} saw ${context}`)
    await ends.close()
  },
  async 'a pushed message behind a large filtered one runs in no context'(transport) {
    const ends = await pair(transport)
    const seen = []
    const body = 'x'.repeat(200_000)
    ends.server.routeCall('/large', (count, ctx) => {
      for (let i = 0; i < count; i++) ctx.session.push('/pushed', body, { filters: ['gzip'] })
    })
    const last = new Promise((resolve) => ends.client.routePush('/pushed', () => seen.push(whose()) === 50 && resolve()))
    await Promise.all([
      as('ann', () => ends.session.call('/large', 50)),
      ...named(50).map((name) => as(name, () => ends.session.call('/echo', body, { filters: ['gzip'] }))),
    ])
    await last
    assert.deepEqual([...new Set(seen)], ['nobody'])
    await ends.close()
  },
}
