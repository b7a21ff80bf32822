// Tests on a network in memory.
import { Endpoint } from 'dmicro'
import {
  type Clock,
  type ClockTimer,
  type Delay,
  type Faults,
  type Link,
  type LinkEnd,
  type RunOptions,
  type TestHost,
  TestNetwork,
  type TestNetworkOptions,
  type Way,
} from 'dmicro/testing'

const options: TestNetworkOptions = { seed: 1 }
const net = new TestNetwork(options)
const delay: Delay = [1, 5]
const faults: Faults = { delay, loss: 0.1, split: true, stall: { chance: 0.1, ms: 5 } }
const way: Way = { from: 'a', to: 'b' }
net.faults(faults, way)
const host: TestHost = net.host('a')
const limit: RunOptions = { limit: 1000 }
export const ran: number = await net.run(async () => {
  const endpoint = new Endpoint({ transport: host.transport })
  await endpoint.listen('tcp://a:1')
  return (await endpoint.dial('tcp://a:1')).call<number>('/one')
}, limit)
const clock: Clock = net.clock
const timer: ClockTimer = clock.setTimeout(() => {}, 1)
clock.clearTimeout(timer)
export const ends = (link: Link): LinkEnd[] => Object.values(link).filter((part): part is LinkEnd => typeof part === 'object')
