// A service to be bundled: it uses what loads other modules late. Writes what it saw.
import { Endpoint } from 'dmicro'
import { TestNetwork } from 'dmicro/testing'
import protobuf from 'protobufjs/light.js'

async function main() {
  const Doc = new protobuf.Type('Doc').add(new protobuf.Field('doc', 1, 'int32'))
  new protobuf.Root().add(Doc)
  const server = new Endpoint({ log: false })
  server.routeCall('/echo', (value) => value)
  server.routeCall('/typed', ({ doc }) => ({ doc }), { arg: Doc, result: Doc })
  const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http', 'jsonrpc', 'redis'] })
  const client = new Endpoint({ log: false })
  const session = await client.dial(url)
  const seen = {}
  for (const codec of ['json', 'xml', 'msgpack', 'cbor', 'form'])
    seen[codec] = Object.keys(await session.call('/echo', { doc: codec === 'form' ? '1' : { a: 'b' } }, { codec }))
  const types = { codec: 'protobuf', arg: Doc, result: Doc }
  seen.protobuf = Object.keys({ ...(await session.call('/typed', { doc: 5 }, types)) })
  for (const protocol of ['http', 'jsonrpc']) {
    const other = await client.dial(url, { protocol })
    seen[protocol] = Object.keys(await other.call('/echo', { doc: 1 }))
  }
  const filtered = await session.call('/echo', { doc: 'x'.repeat(1000) }, { filters: ['gzip'] })
  seen.gzip = Object.keys(filtered)
  const net = new TestNetwork()
  seen.testing = await net.run(() => ['doc'])
  await net.close()
  await client.close()
  await server.close()
  console.log(JSON.stringify({ seen, kind: server.transport.kind }))
}

main()
