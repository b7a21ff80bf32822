// Echo server on dmicro: `node [--expose-gc] bench/peers/dmicro-server.mjs native|js [busyPoll]`.
// Prints {"port","pid"}; ends with its stdin. `/bench/memory` tells what it holds, after a collection.
import { Endpoint } from '../../dist/index.js'

const [transport = 'native', busyPoll = '0'] = process.argv.slice(2)
const endpoint = new Endpoint({ transport, busyPoll: Number(busyPoll) })
endpoint.routeCall('/bench/echo', (body) => body)
endpoint.routeCall('/bench/memory', () => {
  globalThis.gc()
  globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external, sessions: endpoint.sessionCount }
})
const listener = await endpoint.listen('tcp://127.0.0.1:0')
console.log(JSON.stringify({ port: Number(new URL(listener.url).port), pid: process.pid }))
process.stdin.resume().on('end', () => process.exit(0))
