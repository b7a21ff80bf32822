import { type as ark } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { type CallMethod, call, declareError, defineService, group, none, plain, push } from '../../src/contract/index.ts'
import type { Endpoint, MultiClient, Session, StatusError } from '../../src/index.ts'
import type { RpcClient } from '../../src/rpc/index.ts'
import { All } from '../protobuf/messages.ts'

// Compiled and never run: what a contract allows its server and its clients, and what it must not.

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
function same<A, B>(_: Same<A, B>): void {}

const OutOfStock = declareError(1001, 'out of stock', z.object({ left: z.number() }))
const Closed = declareError(1002, 'closed')

const Shop = defineService(
  'shop',
  {
    buy: call(z.object({ item: z.string(), count: z.number().default(1) }), z.object({ price: z.number() }), {
      errors: { OutOfStock, Closed },
    }),
    length: call(
      z.string().transform((text) => text.length),
      v.number(),
    ),
    ping: call(none, none),
    users: group({ get: call(ark({ id: 'number' }), plain<{ name: string }>()) }),
    maybe: call(z.string().optional(), plain<string>()),
    proto: call(All, All),
    log: push(v.object({ line: v.string() })),
  },
  { toClient: { sold: push(z.string()), name: call(none, z.string()) } },
)

export async function clients(session: Session, multi: MultiClient, rpc: RpcClient): Promise<void> {
  const shop = session.client(Shop)
  same<{ price: number }, Awaited<ReturnType<typeof shop.buy>>>(true)
  await shop.buy({ item: 'tea' }, { timeout: 1 })
  same<number, Awaited<ReturnType<typeof shop.length>>>(true)
  await shop.length('four')
  await shop.ping()
  await shop.ping(undefined, { timeout: 1 })
  await shop.maybe()
  same<string, Awaited<ReturnType<typeof shop.maybe>>>(true)
  const { name } = await shop.users.get({ id: 1 })
  same<string, typeof name>(true)
  await shop.log({ line: 'x' }, { meta: { a: 'b' } })
  await multi.client(Shop).ping()
  await rpc.client(Shop).ping(undefined, { key: 'user-7', strategy: 'p2c' })
  const outcome = await shop.buy.try({ item: 'tea' })
  if (outcome.ok) same<{ price: number }, typeof outcome.value>(true)
  else if (outcome.name === 'OutOfStock') same<number, typeof outcome.error.details.left>(true)
  else if (outcome.name === 'Closed') same<void, typeof outcome.error.details>(true)
  else same<StatusError, typeof outcome.error>(true)
  const error: unknown = undefined
  if (OutOfStock.is(error)) same<number, typeof error.details.left>(true)

  // @ts-expect-error no such method
  shop.sell
  // @ts-expect-error not of the server, but of its clients
  shop.sold
  // @ts-expect-error a member is missing
  await shop.buy({})
  // @ts-expect-error a member of another type
  await shop.buy({ item: 5 })
  // @ts-expect-error what the schema makes, not what it takes
  await shop.length(4)
  // @ts-expect-error the argument is missing
  await shop.buy()
  // @ts-expect-error there is no argument
  await shop.ping(5)
  // @ts-expect-error no such option
  await shop.ping(undefined, { timeot: 5 })
  // @ts-expect-error an option of an RpcClient
  await shop.ping(undefined, { key: 'x' })
  // @ts-expect-error a push has no timeout
  await shop.log({ line: 'x' }, { timeout: 5 })
  // @ts-expect-error a push has no outcome
  shop.log.try
  // @ts-expect-error details that were not declared
  OutOfStock({ right: 1 })
  // @ts-expect-error no service
  session.client({ methods: {} })
}

declare class MathController {
  add(numbers: number[]): number
  later(text: string, ctx: unknown): Promise<string>
  now(): number
  _hidden(): void
  field: string
}

export async function prefixes(session: Session): Promise<void> {
  const math = session.client<MathController>('/math')
  same<number, Awaited<ReturnType<typeof math.add>>>(true)
  same<string, Awaited<ReturnType<typeof math.later>>>(true)
  await math.add([1], { timeout: 5 })
  await math.now()
  // @ts-expect-error another argument
  await math.add('x')
  // @ts-expect-error hidden
  math._hidden
  // @ts-expect-error no method
  math.field
}

export function serving(endpoint: Endpoint): void {
  const rest = {
    length: (n: number) => n,
    ping() {},
    maybe: (text: string | undefined) => text ?? '',
    proto: (all: object) => all,
    log: () => 5,
  }
  const users = { get: async () => ({ name: 'ann' }) }
  endpoint.serve(Shop, {
    ...rest,
    users,
    buy: ({ item, count }, ctx) => {
      same<[string, number, string], [typeof item, typeof count, typeof ctx.serviceMethod]>(true)
      ctx.setMeta('a', 'b')
      return { price: count }
    },
  })
  endpoint.serve(Shop.toClient, { sold: (text) => same<string, typeof text>(true), name: () => 'ann' })
  // @ts-expect-error a method is missing
  endpoint.serve(Shop, { ...rest, users })
  // @ts-expect-error a group is missing
  endpoint.serve(Shop, { ...rest, buy: () => ({ price: 1 }) })
  // @ts-expect-error another result
  endpoint.serve(Shop, { ...rest, users, buy: () => ({ cost: 1 }) })
  // @ts-expect-error another result of a promise
  endpoint.serve(Shop, { ...rest, users, buy: async () => 5 })
  // @ts-expect-error another argument
  endpoint.serve(Shop, { ...rest, users, buy: (arg: number) => ({ price: arg }) })
  // @ts-expect-error the context of a push cannot set up a reply
  endpoint.serve(Shop.toClient, { sold: (_, ctx) => ctx.setMeta('a', 'b'), name: () => 'x' })
  // @ts-expect-error an option that there is not
  endpoint.serve(Shop.toClient, { sold() {}, name: () => 'x' }, { plugin: [] })
}

// @ts-expect-error what is no body
call({}, none)
// @ts-expect-error no method
defineService('x', { a: 5 })
// @ts-expect-error errors are declared
call(none, none, { errors: { Wrong: 1001 } })
// @ts-expect-error a push does not fail
push(none, { errors: { OutOfStock } })
export const method: CallMethod<typeof none, typeof none> = call(none, none)
