import { setTimeout } from 'node:timers/promises'
import { etcdRegistry } from '../../../src/rpc/registry/etcd/index.ts'

// Watches all services and measures what that costs this process: `load-client.ts ENDPOINT SERVICES NODES SECONDS`.
// Writes one line of JSON.

const [endpoint, ...numbers] = process.argv.slice(2)
const [services, nodes, seconds] = numbers.map(Number)
const collect = globalThis.gc as () => void
const MIB = 2 ** 20

const registry = etcdRegistry({ endpoints: [endpoint], timeout: 30_000 })
// With the connection, so that what every client has counts as the start.
await registry.getService('nobody')
collect()
const before = process.memoryUsage()

const counts = new Array<number>(services).fill(0)
let updates = 0
let known = 0
for (let i = 0; i < services; i++) {
  void (async () => {
    for await (const versions of registry.watch(`service-${i}`)) {
      updates++
      const count = versions.reduce((sum, version) => sum + version.nodes.length, 0)
      known += count - counts[i]
      counts[i] = count
    }
  })()
}
const began = performance.now()
while (known < nodes) await setTimeout(20)
const loaded = performance.now() - began

await setTimeout(2_000)
const updatesBefore = updates
const from = performance.now()
let peak = 0
// Other processes of the machine only add to a window, so the lowest one says most of this process.
const windows: number[] = []
while (windows.length < 3) {
  const start = performance.now()
  const cpuBefore = process.cpuUsage()
  while (performance.now() - start < (seconds * 1000) / 3) {
    await setTimeout(500)
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  windows.push((user + system) / 1000 / (performance.now() - start))
}
const elapsed = performance.now() - from
const changes = updates - updatesBefore
collect()
const after = process.memoryUsage()
const used = (usage: NodeJS.MemoryUsage): number => usage.heapUsed + usage.external
const result = {
  node: process.version,
  loadedMs: Math.round(loaded),
  changesPerSecond: changes / (elapsed / 1000),
  core: Math.min(...windows),
  windows,
  usedMiB: (used(after) - used(before)) / MIB,
  // Of this, 32 MiB are V8's young generation, which every busy process has.
  rssPeakGrowthMiB: (peak - before.rss) / MIB,
  rssPeakMiB: peak / MIB,
  stats: registry.stats,
}
console.log(JSON.stringify(result))
process.exit()
