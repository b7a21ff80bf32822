// Uses what loads other packages late, where a package manager that links strictly shows what is not declared. Writes what it saw.
import { createRequire } from 'node:module'
import { Endpoint } from 'dmicro'
import { TestNetwork } from 'dmicro/testing'

const server = new Endpoint({ log: false })
server.routeCall('/echo', (value) => value)
const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http', 'jsonrpc', 'redis'] })
const client = new Endpoint({ log: false })
const session = await client.dial(url)
const seen = {}
for (const codec of ['json', 'xml', 'msgpack', 'cbor'])
  seen[codec] = Object.keys(await session.call('/echo', { doc: { a: 'b' } }, { codec }))
const answer = await fetch(`${url.replace('tcp:', 'http:')}/echo`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: '{"doc":1}',
})
seen.http = Object.keys(await answer.json())
const net = new TestNetwork()
seen.testing = [(await net.run(() => 'ran')) === 'ran' ? 'doc' : '']
await net.close()
seen.required = [createRequire(import.meta.url)('dmicro').Endpoint === Endpoint ? 'doc' : '']
await client.close()
await server.close()
console.log(JSON.stringify({ seen, kind: server.transport.kind }))
