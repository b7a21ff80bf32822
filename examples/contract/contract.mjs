// The contract of a shop: 30 methods, written once for its server, its clients, its documents and its tools.
import { call, declareError, defineService, group, none, push } from 'dmicro/contract'
import { z } from 'zod'

// Documents and code made of the contract know these by their ids.
const Id = z.object({ id: z.number().int() }).meta({ id: 'Id' })
const Item = z
  .object({ id: z.number().int(), name: z.string(), price: z.number(), stock: z.number().int() })
  .meta({ id: 'Item', description: 'Something that the shop sells.' })
const Line = z.object({ item: z.number().int(), count: z.number().int().positive() }).meta({ id: 'Line' })
const Cart = z.object({ id: z.number().int(), lines: z.array(Line) }).meta({ id: 'Cart' })
const State = z.enum(['open', 'paid', 'sent', 'cancelled']).meta({ id: 'State', description: 'How far an order is.' })
const Order = z
  .object({ id: z.number().int(), user: z.number().int(), lines: z.array(Line), state: State, total: z.number() })
  .meta({ id: 'Order' })
const User = z.object({ id: z.number().int(), name: z.string(), email: z.string().optional() }).meta({ id: 'User' })

export const NotThere = declareError(1001, 'not there', z.object({ what: z.string(), id: z.number().int() }))
export const OutOfStock = declareError(1002, 'out of stock', z.object({ left: z.number().int() }))
export const WrongState = declareError(1003, 'wrong state', z.object({ state: State }))

const reads = { safe: true, idempotent: true }

export const Shop = defineService(
  'shop',
  {
    items: group(
      {
        list: call(none, z.array(Item), { ...reads, docs: 'All items.' }),
        get: call(Id, Item, { idempotent: true, docs: 'One item.' }),
        find: call(z.object({ text: z.string() }), z.array(Item), { idempotent: true, docs: 'Items whose name contains a text.' }),
        add: call(Item.omit({ id: true }), Item, { docs: 'Adds an item.' }),
        update: call(Item.partial().extend({ id: z.number().int() }), Item, { docs: 'Changes an item.' }),
        remove: call(Id, none, { docs: 'Removes an item.' }),
      },
      { docs: 'What the shop sells.' },
    ),
    carts: group({
      create: call(none, Cart, { docs: 'A new cart.' }),
      get: call(Id, Cart, { idempotent: true, docs: 'One cart.' }),
      put: call(Id.extend({ line: Line }), Cart, { errors: { OutOfStock }, docs: 'Puts something into a cart.' }),
      take: call(Id.extend({ item: z.number().int() }), Cart, { docs: 'Takes an item out of a cart.' }),
      clear: call(Id, Cart, { idempotent: true, docs: 'Empties a cart.' }),
      total: call(Id, z.number(), { idempotent: true, docs: 'What a cart costs.' }),
    }),
    orders: group({
      place: call(z.object({ cart: z.number().int(), user: z.number().int() }), Order, {
        errors: { OutOfStock },
        docs: 'Makes an order of a cart.',
      }),
      get: call(Id, Order, { idempotent: true, docs: 'One order.' }),
      list: call(z.object({ user: z.number().int().optional(), state: State.optional() }), z.array(Order), {
        idempotent: true,
        docs: 'Orders.',
      }),
      pay: call(Id, Order, { errors: { WrongState }, docs: 'Pays an order.' }),
      send: call(Id, Order, { errors: { WrongState }, docs: 'Sends a paid order.' }),
      cancel: call(Id, Order, { errors: { WrongState }, docs: 'Cancels an order that was not sent.' }),
      note: push(Id.extend({ text: z.string() }), { callable: true, docs: 'Leaves a note at an order.' }),
    }),
    users: group({
      get: call(Id, User, { idempotent: true, docs: 'One user.' }),
      list: call(none, z.array(User), { ...reads, docs: 'All users.' }),
      add: call(User.omit({ id: true }), User, { docs: 'Adds a user.' }),
      rename: call(Id.extend({ name: z.string() }), User, { docs: 'Gives a user another name.' }),
      remove: call(Id, none, { docs: 'Removes a user.' }),
    }),
    stock: group({
      refill: call(Id.extend({ count: z.number().int().positive() }), Item, { docs: 'Puts more of an item into stock.' }),
      low: call(z.object({ below: z.number().int() }), z.array(Item), { idempotent: true, docs: 'Items of which few are left.' }),
      value: call(none, z.number(), { ...reads, docs: 'What the stock is worth.' }),
    }),
    watch: call(z.object({ orders: z.boolean() }), none, { docs: 'Whether the caller is told of orders.' }),
    log: push(z.object({ line: z.string() }), { docs: 'Writes a line to the log of the shop.' }),
    about: call(none, z.object({ name: z.string(), version: z.string() }), { ...reads, docs: 'What this is.' }),
  },
  {
    version: '1.0.0',
    docs: 'A shop.',
    errors: { NotThere },
    toClient: { ordered: push(Order, { docs: 'An order was placed.' }) },
  },
)
