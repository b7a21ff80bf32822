// Standard Schemas of three libraries, which tie the types of bodies to handlers and replies.
import { type } from 'arktype'
import { Endpoint, MultiClient, type Session } from 'dmicro'
import * as v from 'valibot'
import { z } from 'zod'

const endpoint = new Endpoint()
endpoint.routeCall('/zod', (order) => order.id, { arg: z.object({ id: z.number() }), result: z.number() })
endpoint.routeCall('/valibot', (order) => order.id, { arg: v.object({ id: v.number() }), result: v.number() })
endpoint.routeCall('/arktype', (order) => order.id, { arg: type({ id: 'number' }), result: type('number') })
endpoint.routeCall('/async', async (order) => order.id, { arg: z.object({ id: z.number() }), result: z.number() })
endpoint.routeCall('/only-result', (n: number) => n, { result: z.number() })
endpoint.group('v1').routeCall('/zod', (order) => order.id, { arg: z.object({ id: z.number() }), result: z.number() })
endpoint.routePush('/zod', (order) => void order.id.toFixed(), { arg: z.object({ id: z.number() }) })
endpoint.routeCall('/object', (order) => ({ id: order.id }), { arg: z.object({ id: z.number() }), result: z.object({ id: z.number() }) })
endpoint.routeCall('/transform', (at) => at.getTime(), { arg: z.coerce.date() })

export async function replies(session: Session): Promise<number> {
  const order = await session.call('/get', 5, { result: z.object({ id: z.number() }) })
  const { body } = await session.callReply('/get', 5, { result: v.object({ id: v.number() }) })
  const pooled = await new MultiClient(endpoint, 'tcp://127.0.0.1:1').call('/get', 5, { result: type({ id: 'number' }) })
  return order.id + body.id + pooled.id
}

// What does not fit is an error.
// @ts-expect-error
endpoint.routeCall('/b1', (order: string) => order, { arg: z.object({ id: z.number() }) })
// @ts-expect-error
endpoint.routeCall('/b2', (x: number) => x, { result: z.string() })
// @ts-expect-error
endpoint.routeCall('/b3', async (x: number) => x, { result: v.string() })
// @ts-expect-error
endpoint.group('v1').routeCall('/b4', (x: number) => x, { result: type('string') })
// @ts-expect-error
endpoint.routeCall('/b5', (order) => `${order.id}`, { arg: z.object({ id: z.number() }), result: z.object({ id: z.number() }) })
// @ts-expect-error
endpoint.routePush('/b6', (order: string) => void order, { arg: v.object({ id: v.number() }) })
export async function wrong(session: Session): Promise<unknown> {
  // @ts-expect-error
  const text: string = await session.call('/get', 5, { result: z.number() })
  // @ts-expect-error
  await session.call('/get', 5, { timeouts: 5 })
  // @ts-expect-error
  new Endpoint({ timeouts: 5 })
  // @ts-expect-error
  new Endpoint({ timeout: '5' })
  return text
}
