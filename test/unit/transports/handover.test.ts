import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../src/transports/address.ts'
import { hasInherited, offerInherited, takeInherited, takeUnclaimed } from '../../../src/transports/handover/sockets.ts'

const offer = (descriptor: number, asked: string, bound: string): void =>
  offerInherited({ descriptor, asked, bound: parseAddress(bound), ownsPath: true })
const take = (url: string, resolved = url): number | undefined => takeInherited(parseAddress(url), parseAddress(resolved))?.descriptor

test('sockets are found by the words they were asked for with, in order, so that port 0 finds its port', () => {
  offer(10, 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:4000')
  offer(11, 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:4001')
  offer(12, 'ws://127.0.0.1:0/rpc', 'ws://127.0.0.1:4002/rpc')
  assert.deepEqual(
    [take('ws://127.0.0.1:0/rpc'), take('tcp://127.0.0.1:0'), take('tcp://127.0.0.1:0'), take('tcp://127.0.0.1:0')],
    [12, 10, 11, undefined],
  )
  assert.equal(hasInherited(), false)
})

test('sockets are found by their address, whatever is spoken on them; all interfaces are the same in IPv4 and IPv6', () => {
  offer(10, '', 'tcp://127.0.0.1:4000')
  offer(11, '', 'tcp://[::]:4001')
  offer(12, '', 'unix:///run/app.sock')
  assert.equal(take('tcp://127.0.0.1:4001'), undefined)
  assert.equal(take('tls://localhost:4000', 'tls://127.0.0.1:4000'), 10)
  assert.equal(take('tcp://:4001'), 11)
  assert.equal(take('unix:///run/other.sock'), undefined)
  assert.equal(take('unix:///run/app.sock'), 12)
})

test('what nobody asked for is taken at the end', () => {
  offer(10, '', 'tcp://127.0.0.1:4000')
  assert.deepEqual(
    takeUnclaimed().map(({ descriptor }) => descriptor),
    [10],
  )
  assert.deepEqual(takeUnclaimed(), [])
})
