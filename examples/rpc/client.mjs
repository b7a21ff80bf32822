// Calls the service `math` once a second, on whichever node is there:
//   node examples/rpc/client.mjs tcp://127.0.0.1:9001 tcp://127.0.0.1:9002
// Stop a node and start it again: no call fails.
import { setTimeout } from 'node:timers/promises'
import { RpcClient, staticRegistry } from 'dmicro/rpc'

const registry = staticRegistry({ math: process.argv.slice(2) })
const client = new RpcClient('math', { registry, strategy: 'p2c', timeout: 1_000 })
client.routePush('/client/note', (text) => console.log(`note: ${text}`))

let stopped = false
process.once('SIGTERM', () => {
  stopped = true
})
for (let n = 1; !stopped; n++) {
  try {
    console.log(`sum ${n}: ${await client.call('/math/add', [n, n], { idempotent: true })}`)
  } catch (error) {
    console.log(`failed: ${error.code} ${error.message}, ${error.cause}`)
  }
  await setTimeout(1_000 / (Number(process.env.RATE) || 1))
}
await client.close()
