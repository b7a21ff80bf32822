import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once as event } from 'node:events'
import { it, type TestContext } from 'node:test'
import { gzip } from '../../src/index.ts'
import { endpoint, type Kind, once, onEachTransport, status } from '../support/helpers.ts'

const quick = { minDelay: 1, maxDelay: 20 }

/** What fake timers put in place of the global functions: time that stands still, and nothing that ever runs. */
const fakes: Record<string, unknown> = {
  setTimeout: () => ({ unref: () => undefined }),
  setInterval: () => ({ unref: () => undefined }),
  setImmediate: () => ({}),
  queueMicrotask: () => {},
  clearTimeout: () => assert.fail('a timer that is not of the fake ones was cleared by them'),
  clearInterval: () => assert.fail('a timer that is not of the fake ones was cleared by them'),
  clearImmediate: () => assert.fail('a timer that is not of the fake ones was cleared by them'),
  performance: { now: () => 0 },
  Date: Object.assign(() => 'never', { now: () => 0 }),
}

/** Replaces all of them, as jest and @sinonjs/fake-timers do. @returns puts the real ones back */
function replaceGlobals(): () => void {
  const real = Object.keys(fakes).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  for (const [name, value] of Object.entries(fakes)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  return () => {
    for (const [name, descriptor] of real) Object.defineProperty(globalThis, name, descriptor as PropertyDescriptor)
  }
}

/** Ways to fake time, each with its way back. */
const ways: Record<string, (t: TestContext) => () => void> = {
  'all timers of node:test': (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
    return () => t.mock.timers.reset()
  },
  'setImmediate of node:test': (t) => {
    t.mock.timers.enable({ apis: ['setImmediate'] })
    return () => t.mock.timers.reset()
  },
  'global functions that are replaced': replaceGlobals,
}

/** Two endpoints and a session, with a handler for all that is tried. */
async function place(t: TestContext, transport: Kind) {
  const server = endpoint(t, { transport, filters: [gzip()], overload: true })
  const client = endpoint(t, { transport, filters: [gzip()] })
  const pushed = once<unknown>()
  server.routeCall('/echo', (value: unknown) => value)
  server.routeCall('/never', () => new Promise(() => {}))
  server.routePush('/pushed', (value: unknown) => pushed.resolve(value))
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const session = await client.dial(url, { redial: quick })
  return { server, client, session, url, pushed: pushed.promise }
}

async function works({ server, client, session, url, pushed }: Awaited<ReturnType<typeof place>>): Promise<void> {
  assert.equal(await session.call('/echo', 1), 1)
  const numbers = Array.from({ length: 200 }, (_, n) => n)
  assert.deepEqual(await Promise.all(numbers.map((n) => session.call('/echo', n))), numbers)
  const large = 'x'.repeat(600_000)
  assert.equal(await session.call('/echo', large, { filters: ['gzip'] }), large)
  await session.push('/pushed', 'news')
  assert.equal(await pushed, 'news')
  assert.equal((await status(session.call('/never', 1, { timeout: 30 })))[0], 408)
  assert.equal((await status(client.dial('tcp://127.0.0.1:1', { timeout: 5000 })))[0], 105)
  const redialed = event(session, 'redialed')
  for (const one of server.sessions()) one.destroy()
  await redialed
  assert.equal(await session.call('/echo', 2), 2)
  const other = await client.dial(url)
  assert.equal(await other.call('/echo', 3), 3)
  await other.close()
}

onEachTransport('fake timers', (transport) => {
  for (const [name, fake] of Object.entries(ways)) {
    it(`${name} stop nothing that is under way, nor what begins`, async (t) => {
      const before = await place(t, transport)
      const restore = fake(t)
      try {
        await works(before)
        const during = await place(t, transport)
        await works(during)
        await Promise.all([during.client.close(), during.server.close()])
        assert.equal(during.session.state, 'closed')
      } finally {
        restore()
      }
      assert.equal(await before.session.call('/echo', 4), 4)
      await Promise.all([before.client.close(), before.server.close()])
    })
  }

  it('a session that was closed while time was faked is closed', async (t) => {
    const { server, client, session } = await place(t, transport)
    const began = once()
    server.routeCall('/hangs', () => {
      began.resolve()
      return new Promise(() => {})
    })
    const hung = status(session.call('/hangs', 1, { timeout: 60_000 }))
    await began.promise
    const restore = replaceGlobals()
    try {
      await Promise.all([client.close({ timeout: 20 }), server.close({ timeout: 20 })])
    } finally {
      restore()
    }
    assert.equal((await hung)[0], 102)
    assert.equal(session.state, 'closed')
  })

  it('global functions that were replaced before the library is imported stop nothing', { skip: typeof transport !== 'string' }, () => {
    const index = new URL('../../src/index.ts', import.meta.url)
    const text = `
      for (const name of ['setTimeout', 'setInterval', 'setImmediate']) globalThis[name] = () => ({ unref() {} })
      const { Endpoint } = await import(${JSON.stringify(index.href)})
      const [server, client] = [0, 1].map(() => new Endpoint({ transport: ${JSON.stringify(transport)} }))
      server.routeCall('/echo', (value) => value)
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const session = await client.dial(url)
      const seen = [await session.call('/echo', 1), await session.call('/none', 1, { timeout: 5000 }).catch(({ code }) => code)]
      await Promise.all([client.close(), server.close()])
      console.log(JSON.stringify(seen))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], { encoding: 'utf8' })
    assert.equal(stdout, '[1,404]\n', stderr)
  })
})
