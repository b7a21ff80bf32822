import { once as event } from 'node:events'
import type { TestContext } from 'node:test'
import type { EndpointOptions, Session } from '../../src/index.ts'
import { cutter } from './cutter.ts'
import { endpoint, type Kind } from './helpers.ts'

export const redial = { minDelay: 1, maxDelay: 10 }

/** A session through a proxy, which its peer will know after a loss. */
export async function resumable(
  t: TestContext,
  transport: Kind,
  { server: serverOptions, client: clientOptions }: { server?: EndpointOptions; client?: EndpointOptions } = {},
) {
  const server = endpoint(t, { transport, ...serverOptions })
  server.routeCall('/echo', (value: unknown) => value)
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const proxy = await cutter(t, url)
  const accepted = event(server, 'session') as Promise<[Session]>
  const client = endpoint(t, { transport, redial, ...clientOptions })
  const session = await client.dial(proxy.url)
  const [peer] = await accepted
  await session.call('/echo')
  await named(session)
  return { server, client, session, peer, proxy }
}

/** The peer has given the session a name when it has answered a call made after the hello. */
export async function named(session: Session): Promise<void> {
  await session.call('/echo')
  await session.call('/echo')
}
