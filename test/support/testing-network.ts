import type { TestContext } from 'node:test'
import { Endpoint, type EndpointOptions, type Session } from '../../src/index.ts'
import { TestNetwork, type TestNetworkOptions } from '../../src/testing/index.ts'
import { once } from './helpers.ts'

/** A network with the hosts `client` and `server`, closed when the test ends. */
export function network(t: TestContext, options: TestNetworkOptions = {}): TestNetwork {
  const net = new TestNetwork(options)
  for (const name of ['client', 'server']) net.host(name)
  t.after(() => net.close())
  return net
}

/** A quiet endpoint on a host. */
export function on(net: TestNetwork, host: string, options: EndpointOptions = {}): Endpoint {
  return new Endpoint({ transport: net.host(host).transport, log: false, ...options })
}

export interface Couple {
  server: Endpoint
  client: Endpoint
  session: Session
  peer: Session
}

/** `client` has dialled `server`, which echoes. */
export async function couple(net: TestNetwork, options: { server?: EndpointOptions; client?: EndpointOptions } = {}): Promise<Couple> {
  const server = on(net, 'server', options.server)
  const client = on(net, 'client', options.client)
  server.routeCall('/echo', (value: unknown) => value)
  server.routeCall('/never', () => new Promise(() => {}))
  const accepted = once<Session>()
  server.once('session', accepted.resolve)
  const session = await net.run(async () => {
    await server.listen('tcp://server:1')
    return await client.dial('tcp://server:1')
  })
  return { server, client, session, peer: await net.run(accepted.promise) }
}
