// Calls the shop: node examples/contract/client.mjs tcp://127.0.0.1:9000
import { Endpoint } from 'dmicro'
import { OutOfStock, Shop } from './contract.mjs'

const client = new Endpoint({ timeout: 5_000 })
const told = new Promise((resolve) => client.serve(Shop.toClient, { ordered: resolve }))
const session = await client.dial(process.argv[2])
const shop = session.client(Shop)

await shop.watch({ orders: true })
console.log((await shop.items.list()).map(({ name, stock }) => `${stock} ${name}`).join(', '))
const cart = await shop.carts.create()
await shop.carts.put({ id: cart.id, line: { item: 1, count: 2 } })
try {
  await shop.carts.put({ id: cart.id, line: { item: 2, count: 5 } })
} catch (error) {
  if (!OutOfStock.is(error)) throw error
  console.log(`${error.code} ${error.message}: ${error.details.left} left`)
}
const order = await shop.orders.place({ cart: cart.id, user: 1 })
console.log(`ordered ${order.id} for ${order.total}, told of ${(await told).id}`)
const outcome = await shop.orders.send.try({ id: order.id })
console.log(outcome.ok ? 'sent' : `${outcome.name}: it is ${outcome.error.details.state}`)
await client.close()
