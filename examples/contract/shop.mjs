// What serves the contract: an object with a function for each of its methods.
import { NotThere, OutOfStock, Shop, WrongState } from './contract.mjs'

/** Things by number, which begin with 1. */
class Table {
  #rows = new Map()
  constructor(what, ...rows) {
    this.what = what
    for (const row of rows) this.add(row)
  }
  add(row) {
    const added = { id: this.#rows.size === 0 ? 1 : Math.max(...this.#rows.keys()) + 1, ...row }
    this.#rows.set(added.id, added)
    return added
  }
  get(id) {
    return this.#rows.get(id) ?? fail(NotThere({ what: this.what, id }))
  }
  remove(id) {
    this.get(id)
    this.#rows.delete(id)
  }
  all() {
    return [...this.#rows.values()]
  }
}

function fail(error) {
  throw error
}

export function openShop() {
  const items = new Table('item', { name: 'tea', price: 3, stock: 10 }, { name: 'milk', price: 1, stock: 2 })
  const users = new Table('user', { name: 'ann' })
  const carts = new Table('cart')
  const orders = new Table('order')
  const watchers = new Set()
  const price = ({ lines }) => lines.reduce((sum, { item, count }) => sum + items.get(item).price * count, 0)
  const step = (id, from, state) => {
    const order = orders.get(id)
    if (!from.includes(order.state)) throw WrongState({ state: order.state })
    return Object.assign(order, { state })
  }
  return {
    items: {
      list: () => items.all(),
      get: ({ id }) => items.get(id),
      find: ({ text }) => items.all().filter(({ name }) => name.includes(text)),
      add: (item) => items.add(item),
      update: ({ id, ...rest }) => Object.assign(items.get(id), rest),
      remove: ({ id }) => items.remove(id),
    },
    carts: {
      create: () => carts.add({ lines: [] }),
      get: ({ id }) => carts.get(id),
      put({ id, line }) {
        const cart = carts.get(id)
        const { stock } = items.get(line.item)
        if (stock < line.count) throw OutOfStock({ left: stock })
        cart.lines.push(line)
        return cart
      },
      take({ id, item }) {
        const cart = carts.get(id)
        cart.lines = cart.lines.filter((line) => line.item !== item)
        return cart
      },
      clear: ({ id }) => Object.assign(carts.get(id), { lines: [] }),
      total: ({ id }) => price(carts.get(id)),
    },
    orders: {
      place({ cart, user }) {
        const { lines } = carts.get(cart)
        users.get(user)
        for (const { item, count } of lines) {
          const { stock } = items.get(item)
          if (stock < count) throw OutOfStock({ left: stock })
        }
        for (const { item, count } of lines) items.get(item).stock -= count
        const order = orders.add({ user, lines, state: 'open', total: price({ lines }) })
        for (const session of watchers) session.client(Shop.toClient).ordered(order)
        return order
      },
      get: ({ id }) => orders.get(id),
      list: ({ user, state }) => orders.all().filter((each) => (user ?? each.user) === each.user && (state ?? each.state) === each.state),
      pay: ({ id }) => step(id, ['open'], 'paid'),
      send: ({ id }) => step(id, ['paid'], 'sent'),
      cancel: ({ id }) => step(id, ['open', 'paid'], 'cancelled'),
      note: ({ id, text }) => console.error(`order ${id}: ${text}`),
    },
    users: {
      get: ({ id }) => users.get(id),
      list: () => users.all(),
      add: (user) => users.add(user),
      rename: ({ id, name }) => Object.assign(users.get(id), { name }),
      remove: ({ id }) => users.remove(id),
    },
    stock: {
      refill({ id, count }) {
        const item = items.get(id)
        item.stock += count
        return item
      },
      low: ({ below }) => items.all().filter(({ stock }) => stock < below),
      value: () => items.all().reduce((sum, { price: each, stock }) => sum + each * stock, 0),
    },
    watch(which, { session }) {
      if (which.orders) watchers.add(session)
      else watchers.delete(session)
      session.once('close', () => watchers.delete(session))
    },
    log: ({ line }) => console.error(line),
    about: () => ({ name: Shop.name, version: Shop.version }),
  }
}
