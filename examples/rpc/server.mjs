// A node of the service `math`. Run two of them, each with: node examples/rpc/server.mjs tcp://127.0.0.1:9001
import { RpcServer, staticRegistry } from 'dmicro/rpc'

const url = process.argv[2] ?? 'tcp://127.0.0.1:0'
// A fixed list needs no servers of its own. With etcd or mDNS in its place, nodes find each other.
const server = new RpcServer('math', { version: '1.0.0', listen: url, registry: staticRegistry([]) })

server.routeCall('/math/add', (numbers, { session }) => {
  session.push('/client/note', `${server.url} adds ${numbers.length} numbers`)
  return numbers.reduce((a, b) => a + b, 0)
})

await server.start()
console.log(server.url)
process.once('SIGTERM', () => server.close()) // deregister, drain, close
