import { setTimeout } from 'node:timers/promises'
import { realClock } from '../../../src/base/time/clock.ts'
import { Channel } from '../../../src/rpc/registry/etcd/channel.ts'
import { Client } from '../../../src/rpc/registry/etcd/client.ts'
import { put } from '../../../src/rpc/registry/etcd/messages.ts'
import { encodeValue } from '../../../src/rpc/registry/etcd/value.ts'

// Writes nodes of many services, then changes them without end: `load-writer.ts PORT SERVICES NODES CHANGES_PER_SECOND`.
// Writes a line when all nodes are there, and one with the number of changes each second.

const [port, services, nodes, rate] = process.argv.slice(2).map(Number)
const channel = new Channel([{ host: '127.0.0.1', port }], undefined, 5_000)
const client = new Client(channel, undefined, { timeout: 30_000, attemptTimeout: 30_000 })

async function write(index: number, generation: number): Promise<void> {
  const name = `service-${index % services}`
  const address = `10.0.${index >> 8}.${index & 255}:9090`
  const node = {
    id: `${name}-${address}`,
    address,
    paths: ['/math/add', '/math/sub', '/text/upper', '/heartbeat'],
    metadata: { registry: 'etcd', server: name, zone: `zone-${index % 3}`, weight: String(generation) },
  }
  const value = encodeValue({ name, version: '1.0.0', metadata: {}, nodes: [node] }, node)
  await client.call(put, { key: Buffer.from(`/dmicro/registry/${name}/${node.id}`), value: Buffer.from(value), lease: 0n })
}

for (let at = 0; at < nodes; at += 200) await Promise.all(Array.from({ length: 200 }, (_, i) => write(at + i, 0)))
console.log('ready')

const began = realClock.now()
for (let changes = 0, lines = 0; ; ) {
  const due = Math.floor(((realClock.now() - began) / 1000) * rate)
  while (changes < due) {
    changes++
    await write((changes * 7919) % nodes, changes)
  }
  if (changes >= (lines + 1) * rate) {
    lines++
    console.log(changes)
  }
  await setTimeout(5)
}
