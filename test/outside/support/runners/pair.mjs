import { Endpoint } from 'dmicro'

export const transport = process.env.DMICRO_OUTSIDE_TRANSPORT

/** A server with `/who`, and a session with it. */
export async function pair(who, Made = Endpoint, protocol = 'raw') {
  const server = new Made({ transport, protocol, log: false })
  server.routeCall('/who', () => who)
  server.routeCall('/never', () => new Promise(() => {}))
  const client = new Made({ transport, protocol, log: false })
  const listener = await server.listen('tcp://127.0.0.1:0')
  return { server, client, url: listener.url, session: await client.dial(listener.url) }
}

export async function closed({ server, client }) {
  await client.close()
  await server.close()
}
