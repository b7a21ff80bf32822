import { Endpoint } from 'dmicro'

const transport = process.env.DMICRO_OUTSIDE_TRANSPORT

test('two', async () => {
  const server = new Endpoint({ transport, log: false })
  server.routeCall('/who', () => 'two')
  const client = new Endpoint({ transport, log: false })
  const session = await client.dial((await server.listen('tcp://127.0.0.1:0')).url)
  expect(await session.call('/who')).toBe('two')
  expect(server.transport.kind).toBe(transport)
  await client.close()
  await server.close()
})
