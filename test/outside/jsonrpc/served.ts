import type { TestContext } from 'node:test'
import { StatusError } from '../../../src/index.ts'
import { endpoint, type Kind, once } from '../../support/helpers.ts'

/** A listener with methods as the standard's examples have them. @returns its port */
export async function serve(t: TestContext, transport: Kind): Promise<number> {
  const server = endpoint(t, { transport, protocol: 'jsonrpc' })
  server.routeCall('subtract', (arg: [number, number] | { minuend: number; subtrahend: number }) =>
    Array.isArray(arg) ? arg[0] - arg[1] : arg.minuend - arg.subtrahend,
  )
  server.routeCall('echo', (value: unknown) => value)
  server.routeCall('size', ([text]: [string]) => text.length)
  server.routeCall('both', (numbers: number[], ctx) => ctx.session.call('double', numbers))
  server.routeCall('nothing', () => undefined)
  server.routeCall('sell', () => {
    throw new StatusError(1001, 'out of stock', 'no tea')
  })
  const both = once()
  let noted = 0
  server.routePush('note', () => {
    if (++noted === 2) both.resolve()
  })
  server.routeCall('noted', async () => {
    await both.promise // they may come over another connection
    return noted
  })
  return Number(new URL((await server.listen('tcp://127.0.0.1:0')).url).port)
}

/** What a client gets; the same is asked in client.py and client/main.go. */
export const answers = {
  position: 19,
  name: 19,
  echo: ['ä水\n', [null, 1.5, { a: true }]],
  size: 1_000_000,
  nothing: null,
  missing: -32601,
  sell: [1001, 'out of stock'],
  // By their ids, in any order, and nothing for the notification.
  batch: { a: 19, '7': 'seven', b: -32601 },
  noted: 2,
}
