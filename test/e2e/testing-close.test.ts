import assert from 'node:assert/strict'
import { it } from 'node:test'
import { network, on } from '../support/testing-network.ts'

it('a silent client whose first word comes while its server closes is asked who it is, and notified', async (t) => {
  const net = network(t)
  const server = on(net, 'server')
  await net.run(() => server.listen('tcp://server:1'))
  const session = await net.run(() => on(net, 'silent', { redial: true }).dial('tcp://server:1'))
  await net.advance(40)
  await net.run(() => on(net, 'newcomer').dial('tcp://server:1')) // for whose first message the close waits
  const seen: string[] = []
  for (const name of ['draining', 'redialing'] as const) session.on(name, () => seen.push(name))
  const closed = server.close()
  await net.advance(1000)
  assert.equal(seen[0], 'draining')
  await net.run(closed)
})
