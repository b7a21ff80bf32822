import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once as event } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, isIP, type LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { TestContext } from 'node:test'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type EndpointOptions, MultiClient, type Session } from '../../src/index.ts'
import { endpoint, type Kind, onEachTransport, status } from '../support/helpers.ts'

/** A name has these addresses. */
const knows =
  (...hosts: string[]): LookupFunction =>
  (_, __, done) =>
    done(
      null,
      hosts.map((address) => ({ address, family: isIP(address) })),
    )

const v6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
/** All of 127.0.0.0/8 is this machine. */
const linux = process.platform === 'linux'

/** An address that does not answer: somebody listens there whose backlog is full. */
async function deafen(t: TestContext, host: string, port: number): Promise<void> {
  const child = fork(fileURLToPath(new URL('fixtures/deaf.mjs', import.meta.url)), [host, String(port)])
  t.after(() => child.kill('SIGKILL'))
  await event(child, 'message')
  // One after the other, since the system takes a few more than asked.
  for (let connected = true; connected; ) {
    const socket = connect({ host, port })
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    connected = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      setTimeout(resolve, 200, false)
    })
  }
}

async function serve(t: TestContext, transport: Kind, host: string): Promise<number> {
  const server = endpoint(t, { transport })
  server.routeCall('/echo', (value: unknown) => value)
  const { url } = await server.listen(`tcp://${host}:0`)
  return Number(url.slice(url.lastIndexOf(':') + 1))
}

onEachTransport('dialling a name with several addresses', (transport) => {
  const real = typeof transport === 'string'
  const client = (t: TestContext, options: EndpointOptions) => endpoint(t, { transport, ...options })

  it('one that does not answer delays it by a moment only; redial and MultiClient too', { skip: !real || !linux }, async (t) => {
    const port = await serve(t, transport, '127.0.0.1')
    await deafen(t, '127.0.0.2', port)
    const url = `tcp://service.test:${port}`
    const caller = client(t, { lookup: knows('127.0.0.2', '127.0.0.1'), redial: { minDelay: 1, maxDelay: 20 } })
    const before = readdirSync('/proc/self/fd').length
    const dialled: Session[] = await Promise.all(Array.from({ length: 5 }, () => caller.dial(url, { timeout: 5000 })))
    for (const session of dialled) assert.equal(session.remoteAddress, `127.0.0.1:${port}`)
    const [session] = dialled
    assert.equal(await session.call('/echo', 1), 1)
    const back = event(session, 'redialed')
    session.destroy('lost')
    await back
    assert.equal(await session.call('/echo', 2), 2)
    const many = new MultiClient(caller, url, { dial: { timeout: 5000 } })
    assert.equal(await many.call('/echo', 3), 3)
    await many.close()
    await Promise.all(dialled.map((one) => one.close()))
    while (readdirSync('/proc/self/fd').length > before + 3) await new Promise(setImmediate) // the ends of the server's side come later
    assert.equal(caller.sessionCount, 0)
  })

  it('none that answers: the error names all, and when the dial gave up', { skip: !real || !linux }, async (t) => {
    const port = await serve(t, transport, '127.0.0.1')
    await deafen(t, '127.0.0.2', port)
    const caller = client(t, { lookup: knows('127.0.0.2', '127.0.0.3') })
    const [code, , cause] = await status(caller.dial(`tcp://service.test:${port}`, { timeout: 400 }))
    assert.equal(code, 105)
    assert.match(
      cause,
      /^no connection to tcp:\/\/service.test:\d+ within 400 ms: no answer from tcp:\/\/127.0.0.2:\d+; connect ECONNREFUSED .*127.0.0.3:\d+$/,
    )
    const abort = new AbortController()
    const canceled = status(caller.dial(`tcp://service.test:${port}`, { signal: abort.signal }))
    setImmediate(() => abort.abort(new Error('not wanted')))
    assert.deepEqual((await canceled)[2], 'not wanted')
  })

  it('both families are tried, whichever comes first', { skip: !real || !v6 }, async (t) => {
    for (const [host, other] of [
      ['127.0.0.1', '::1'],
      ['[::1]', '127.0.0.1'],
    ]) {
      const port = await serve(t, transport, host)
      const caller = client(t, { lookup: knows(other, host.replace(/[[\]]/g, '')) })
      const session = await caller.dial(`tcp://service.test:${port}`)
      assert.equal(session.remoteAddress, `${host}:${port}`)
      assert.equal(await session.call('/echo', host), host)
    }
    const nobody = client(t, { lookup: knows('::1', '127.0.0.1') })
    const [, , cause] = await status(nobody.dial('tcp://service.test:1'))
    assert.match(cause, /ECONNREFUSED .*::1.*; .*ECONNREFUSED .*127.0.0.1:1$/)
  })

  it('a lookup may give one address as text; what is none is told', { skip: !real }, async (t) => {
    const port = await serve(t, transport, '127.0.0.1')
    const session = await client(t, { lookup: (_, __, done) => done(null, '127.0.0.1', 4) }).dial(`tcp://service.test:${port}`)
    assert.equal(await session.call('/echo', 1), 1)
    const [code, , cause] = await status(client(t, { lookup: knows('elsewhere') }).dial('tcp://service.test:1'))
    assert.deepEqual([code, cause], [105, 'lookup of service.test gave "elsewhere", which is no IP address'])
  })

  it('a lookup that gives no addresses, throws or rejects is a 105 that says so', { skip: !real }, async (t) => {
    const hostile = Object.defineProperty({}, 'address', { enumerable: true, get: () => assert.fail('read') })
    const garbage = [undefined, null, 5, 5n, {}, ['127.0.0.1'], [null], [{ address: 5 }], [hostile], Symbol('x')]
    const given =
      (found: unknown): LookupFunction =>
      (_, __, done) =>
        (done as (...args: unknown[]) => void)(null, found)
    for (const found of garbage) {
      const [code, , cause] = await status(client(t, { lookup: given(found) }).dial('tcp://service.test:1'))
      assert.equal(code, 105)
      assert.match(cause, /^lookup of service\.test gave no addresses, but .+/)
    }
    assert.deepEqual(await status(client(t, { lookup: given([]) }).dial('tcp://service.test:1')), [105, 'Dial Failed', 'tcp://service.test:1 has no address']) // biome-ignore format: one line
    const fails = (): never => {
      throw new Error('no resolver')
    }
    for (const lookup of [fails, async () => fails()])
      assert.deepEqual(await status(client(t, { lookup }).dial('tcp://service.test:1')), [105, 'Dial Failed', 'no resolver'])
    await assert.rejects(client(t, { lookup: given(undefined) }).listen('tcp://service.test:0'), /gave no addresses, but undefined/)
  })

  it('a listener takes names of the same lookup', { skip: !real }, async (t) => {
    const { url } = await client(t, { lookup: knows('127.0.0.1') }).listen('tcp://service.test:0')
    assert.match(url, /^tcp:\/\/127\.0\.0\.1:\d+$/)
  })
})
