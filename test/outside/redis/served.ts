import type { TestContext } from 'node:test'
import { redisBuffers, StatusError, simple } from '../../../src/index.ts'
import { endpoint, type Kind } from '../../support/helpers.ts'

/** A listener with the commands that `answers` is about. PING, HELLO, CLIENT, INFO and others that clients send by themselves are not among them. @returns its port */
export async function serve(t: TestContext, transport: Kind): Promise<number> {
  const server = endpoint(t, { transport, protocol: 'redis' })
  const held = new Map<string, Buffer>()
  server.routeCall('/redis/set', ([key, value]: Buffer[]) => held.set(String(key), value) && simple('OK'), { arg: redisBuffers })
  server.routeCall('/redis/get', ([key]: string[]) => held.get(key))
  // redis-py spells INCR so.
  for (const name of ['/redis/incr', '/redis/incrby']) server.routeCall(name, () => 7)
  server.routeCall('/redis/lrange', () => ['a', 'ä'])
  server.routeCall('/redis/hgetall', () => ({ a: '1', b: 'ä' }))
  server.routeCall('/redis/mixed', () => ['a', null, 3, ['n', []]])
  server.routeCall('/redis/size', ([text]: string[]) => text.length)
  server.routeCall('/redis/fail', () => {
    throw new StatusError(1001, 'WRONGTYPE not a number')
  })
  server.routeCall('/redis/break', () => {
    throw new StatusError(1002, 'went wrong')
  })
  return Number(new URL((await server.listen('tcp://127.0.0.1:0')).url).port)
}

/** What a client gets; the same is asked in client.py and client/main.go. Errors are their text without ERR, which some take off. */
export const answers = {
  ping: 'PONG',
  set: 'OK',
  get: 'v ä',
  none: null,
  large: 2_000_000,
  size: 1_000_000,
  incr: 7,
  list: ['a', 'ä'],
  hash: { a: '1', b: 'ä' },
  mixed: ['a', null, 3, ['n', []]],
  fail: 'WRONGTYPE not a number',
  break: 'went wrong',
  // Two hundred, written at once.
  pipeline: Array.from({ length: 100 }, (_, i) => `${i} OK`).join(),
  still: 'PONG',
}

/** Of a command that nobody has: named as it was sent. Servers of redis go on with its arguments. */
export const UNKNOWN = /^unknown command ['`]NoSuch['`]/

/** What the text of an error says. */
export function withoutCode(error: unknown): string {
  return (error as Error).message.replace(/^ERR /, '')
}
