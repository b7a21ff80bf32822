import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heartbeatPing, type ReadContext } from '../../src/index.ts'
import { couple, network } from '../support/testing-network.ts'

test('a heartbeat without options comes well within half a minute of silence, before proxies give up', async (t) => {
  const net = network(t)
  const heard: unknown[] = []
  const plugin = { name: 'heard', afterReadCallHeader: (ctx: ReadContext) => void heard.push(ctx.serviceMethod) }
  await couple(net, { client: { plugins: [heartbeatPing()] }, server: { plugins: [plugin] } })
  await net.advance(24_000)
  assert.deepEqual(heard, [])
  await net.advance(5_500)
  assert.deepEqual(heard, ['/heartbeat'])
})
