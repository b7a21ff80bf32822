import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import type { LookupFunction } from 'node:net'
import { it } from 'node:test'
import { MultiClient, type Session } from '../../src/index.ts'
import type { TestNetwork } from '../../src/testing/index.ts'
import { status } from '../support/helpers.ts'
import { network, on } from '../support/testing-network.ts'

/** A lookup that knows one name. */
const knows =
  (...hosts: string[]): LookupFunction =>
  (_, __, done) =>
    done(
      null,
      hosts.map((address) => ({ address, family: 4 })),
    )

async function serve(net: TestNetwork, name: string): Promise<void> {
  const server = on(net, name)
  server.routeCall('/name', () => name)
  await net.run(() => server.listen(`tcp://${name}:1`))
}

it('the next address is tried 250 ms after one that does not answer, and the first that answers is taken', async (t) => {
  const net = network(t)
  for (const name of ['one', 'two', 'three']) await serve(net, name)
  net.partition('one')
  net.partition('two')
  const client = on(net, 'client', { lookup: knows('one', 'two', 'three') })
  const session = await net.run(() => client.dial('tcp://service:1'))
  assert.equal(net.now, 500)
  assert.equal(await net.run(session.call('/name')), 'three')
  net.heal()
  await net.advance(60_000)
  assert.deepEqual([client.sessionCount, net.links.length], [1, 1], 'connections that were slower are closed')
})

it('the next address is tried at once when one refuses, and the error names all of them', async (t) => {
  const net = network(t)
  await serve(net, 'two')
  net.host('one')
  const client = on(net, 'client', { lookup: knows('one', 'two') })
  await net.run(() => client.dial('tcp://service:1'))
  assert.equal(net.now, 0)
  const [code, , cause] = await net.run(status(client.dial('tcp://service:2')))
  assert.equal(code, 105)
  assert.equal(cause, 'connect ECONNREFUSED tcp://one:2; connect ECONNREFUSED tcp://two:2')
  net.partition('one')
  const late = await net.run(status(client.dial('tcp://service:2', { timeout: 3000 })))
  assert.equal(net.now, 3000)
  assert.deepEqual(late.slice(1), [
    'Dial Failed',
    'no connection to tcp://service:2 within 3000 ms: no answer from tcp://one:2; connect ECONNREFUSED tcp://two:2',
  ])
  const abort = new AbortController()
  const canceled = status(client.dial('tcp://service:2', { signal: abort.signal }))
  await net.advance(100)
  abort.abort(new Error('not wanted'))
  const [canceledCode, , why] = await net.run(canceled)
  assert.deepEqual([canceledCode, why], [499, 'not wanted'])
})

it('a lookup that does not answer takes no longer than the dial, and ends with its signal', async (t) => {
  const net = network(t)
  const client = on(net, 'client', { lookup: () => {}, dialTimeout: 2000 })
  const [code, , cause] = await net.run(status(client.dial('tcp://service:1')))
  assert.deepEqual([code, cause, net.now], [105, 'no connection to tcp://service:1 within 2000 ms', 2000])
  const failing = on(net, 'client', { lookup: (_, __, done) => done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []) })
  assert.deepEqual((await net.run(status(failing.dial('tcp://service:1'))))[2], 'no such name')
  assert.throws(() => on(net, 'client', { lookup: 'dns' as never }), /option lookup must be a function, got "dns"/)
})

it('redial and MultiClient fall back in the same way', async (t) => {
  const net = network(t)
  for (const name of ['one', 'two']) await serve(net, name)
  const client = on(net, 'client', { redial: true, lookup: knows('one', 'two') })
  const many = new MultiClient(client, 'tcp://service:1', { min: 2, max: 2 })
  const session: Session = await net.run(() => client.dial('tcp://service:1'))
  assert.equal(await net.run(session.call('/name')), 'one')
  assert.equal(await net.run(many.call('/name')), 'one')
  const lost = event(session, 'redialing')
  for (const link of net.links) link.reset()
  net.partition('one')
  await net.run(lost)
  const since = net.now
  assert.equal(await net.run(session.call('/name')), 'two')
  assert.equal(await net.run(many.call('/name')), 'two')
  assert.ok(net.now - since < 1000, `${net.now - since} ms`)
  await net.run(many.close())
})

it('a call of MultiClient that is made while a dial fails waits for the next dial, within its deadline', async (t) => {
  const net = network(t)
  net.host('server')
  net.faults({ delay: 10 })
  const many = new MultiClient(on(net, 'client'), 'tcp://server:1')
  const together = [status(many.call('/name')), status(many.call('/name')), status(many.push('/name'))]
  await net.advance(5)
  const later = many.call('/name', undefined, { timeout: 5000 })
  const short = status(many.call('/name', undefined, { timeout: 20 }))
  const failed = await net.run(Promise.all(together))
  assert.deepEqual(failed.map(([code]) => code), [100, 100, 100]) // biome-ignore format: one line
  assert.ok(net.now <= 20, 'those that were there when it began are told at once')
  assert.equal(many.waiting, 2)
  assert.equal((await net.run(short))[0], 408)
  await serve(net, 'server')
  assert.equal(await net.run(later), 'server')
  await net.run(many.close())
})
