import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultKcp, fastKcp } from '../../../../src/wire/kcp/settings.ts'
import { type KcpLinkOptions, runKcpLink } from '../../../support/kcp-link.ts'

// In a time of their own, over a link with 5 % loss and 50 ms round trip. The twin in the core answers alike
// (differential.test.ts), and `npm run bench -- --only kcp-link` measures both on such a link, with Go DMicro and TCP.

const link = { driver: 'ours', loss: 5, delay: 25 } as const
const calls = { ...link, calls: 3000, request: 110, reply: 90 }
const bodies = { ...link, calls: 40, request: 65_600, reply: 65_600 }

/** Milliseconds that 99 of 100 calls are done within, over several links. */
function p99(options: Omit<KcpLinkOptions, 'seed'>): number {
  const latencies = [1, 2, 3, 4].flatMap((seed) => [...runKcpLink({ ...options, seed }).latencies])
  return latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)]
}

// A call over TCP that loses its only packet takes 300 ms: its timeout is the round trip and 200 ms at least. With kcp-go's rules
// this link takes 378 ms: it counts acknowledgements of repeated segments, and of those that FEC repaired, as round trips.
for (const [name, settings] of [
  ['default options', defaultKcp],
  ['the preset fast', fastKcp],
] as const) {
  test(`a call whose datagram is lost takes two and a half round trips at most, with ${name}`, () => {
    assert.ok(p99({ ...calls, settings }) <= 125)
  })
}

test('a call that takes its time is not sent twice: its acknowledgement comes before', () => {
  const quick = runKcpLink({ ...calls, settings: defaultKcp, loss: 0, calls: 100, seed: 1 })
  const slow = runKcpLink({ ...calls, settings: defaultKcp, loss: 0, calls: 100, seed: 1, thinking: 150 })
  assert.ok(slow.datagrams <= quick.datagrams * 1.1, `${slow.datagrams}, ${quick.datagrams} without`)
})

// kcp-go moves 45 KB/s over this link.
test('bodies of 64 KiB pass at the rate that is fair to TCP with default options, and ten times faster with fast', () => {
  const rate = (settings: typeof defaultKcp): number => {
    const { took } = runKcpLink({ ...bodies, settings, seed: 1 })
    return (2 * bodies.calls * 65_600) / took
  }
  assert.ok(rate(defaultKcp) >= 130, String(rate(defaultKcp)))
  assert.ok(rate(fastKcp) >= 1300, String(rate(fastKcp)))
})
