// A server to be replaced: on SIGTERM it finishes its running calls.
// Run it with: node examples/restart/server.mjs [url]
import { setTimeout } from 'node:timers/promises'
import { Endpoint } from 'dmicro'

const server = new Endpoint()
server.routeCall('/work', async (n) => {
  await setTimeout(n % 20)
  return `${n} by process ${process.pid}`
})

const { url } = await server.listen(process.argv[2] ?? 'tcp://127.0.0.1:0')
console.log(url)
// Stops listening, notifies the clients, waits for running handlers, then closes. Then nothing keeps the process alive.
process.once('SIGTERM', () => server.close())
