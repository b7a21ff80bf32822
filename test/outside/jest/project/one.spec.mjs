import { Endpoint } from 'dmicro'

const transport = process.env.DMICRO_OUTSIDE_TRANSPORT

test('one', async () => {
  const server = new Endpoint({ transport, log: false })
  server.routeCall('/who', () => 'one')
  const client = new Endpoint({ transport, log: false })
  const session = await client.dial((await server.listen('tcp://127.0.0.1:0')).url)
  expect(await session.call('/who')).toBe('one')
  expect(server.transport.kind).toBe(transport)
  await client.close()
  await server.close()
})
