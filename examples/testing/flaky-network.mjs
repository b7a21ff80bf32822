// Tests a handler on a network that loses, delays and resets, in virtual time.
// Run it with: node examples/testing/flaky-network.mjs [seed]
import assert from 'node:assert/strict'
import { Endpoint } from 'dmicro'
import { TestNetwork } from 'dmicro/testing'

const net = new TestNetwork({ seed: process.argv[2] ?? 2 })
net.faults({ delay: [5, 80], loss: 0.02, split: 0.3, reset: 0.02 })

// The handler under test. It waits in the network's time.
const stock = new Map([['apples', 100]])
const shop = new Endpoint({ transport: net.host('shop').transport, log: false })
shop.routeCall('/buy', async ({ what, count }) => {
  await net.sleep(20)
  stock.set(what, stock.get(what) - count)
  return stock.get(what)
})

const buyer = new Endpoint({ transport: net.host('buyer').transport, log: false, redial: true, timeout: 2000 })
let bought = 0
let unsure = 0
await net.run(async () => {
  await shop.listen('tcp://shop:1')
  const session = await buyer.dial('tcp://shop:1')
  net.partition('buyer', 'shop')
  net.clock.setTimeout(() => net.heal(), 1000)
  for (let n = 0; n < 50; n++) {
    await session.call('/buy', { what: 'apples', count: 1 }).then(
      () => bought++,
      () => unsure++, // the call was lost, or its reply: the handler may have run
    )
  }
})
const left = stock.get('apples')
assert.ok(100 - left >= bought && 100 - left <= bought + unsure, `${left} left, ${bought} bought, ${unsure} unsure`)
console.log(`${bought} bought, ${unsure} unsure, ${left} left after ${(net.now / 1000).toFixed(3)} virtual seconds, ${net.digest}`)
await net.close()
