import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type as ark } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { call, declareError, defineService, group, none, plain, push } from '../../../src/contract/index.ts'

export const Item = z.object({ name: z.string(), tags: z.array(z.string()).optional(), kind: z.enum(['tea', 'milk']) })
interface Tree {
  name: string
  children: Tree[]
}
export const Node: z.ZodType<Tree> = z.object({
  name: z.string(),
  get children() {
    return z.array(Node)
  },
})
export const OutOfStock = declareError(1001, 'out of stock', z.object({ left: z.number().int() }))

export const Shop = defineService(
  'shop',
  {
    buy: call(Item, z.object({ price: z.number() }), { errors: { OutOfStock }, docs: 'Buys an item.\nIt is sent at once.' }),
    price: call(Item, z.object({ price: z.number() }), { deprecated: 'use buy', since: '1.1.0' }),
    open: call(none, z.boolean(), { safe: true, idempotent: true }),
    tree: call(Node, Node),
    users: group({ get: call(ark({ id: 'number.integer' }), ark({ id: 'number', 'name?': 'string' })) }, { deprecated: true }),
    sum: call(plain<number[]>({ type: 'array', items: { type: 'number' } }), plain<number>({ type: 'number' })),
    log: push(toStandardJsonSchema(v.object({ line: v.string(), extra: v.record(v.string(), v.number()) })), { callable: true }),
    quiet: push(none),
  },
  { version: '1.2.0', docs: 'Sells.', toClient: { sold: push(Item, { docs: 'Something was sold.' }), name: call(none, z.string()) } },
)
