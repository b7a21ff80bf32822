// The shop in a page, whose methods are those of the contract; web.mjs bundles it for browsers.
import { Endpoint, heartbeatPong } from 'dmicro/browser'
import { Shop } from './contract.mjs'

const find = (selector) => document.querySelector(selector)

function add(list, text, ...more) {
  const line = document.createElement('li')
  line.append(text, ...more)
  find(list).append(line)
}

const client = new Endpoint({ redial: true, plugins: [heartbeatPong()] })
client.serve(Shop.toClient, { ordered: ({ id, total }) => add('#orders', `order ${id} for ${total}`) })
const session = await client.dial(`${location.origin.replace('http', 'ws')}/rpc`)
const shop = session.client(Shop)
await shop.watch({ orders: true })

async function buy(item) {
  const cart = await shop.carts.create()
  const put = await shop.carts.put.try({ id: cart.id, line: { item, count: 2 } })
  if (put.ok) await shop.orders.place({ cart: cart.id, user: 1 })
  else if (put.name === 'OutOfStock') find('output').textContent = `${put.error.details.left} left`
  else throw put.error
  const { name, stock } = await shop.items.get({ id: item })
  find(`#item-${item}`).textContent = `${stock} ${name}`
}

for (const { id, name, stock } of await shop.items.list()) {
  const label = Object.assign(document.createElement('span'), { id: `item-${id}`, textContent: `${stock} ${name}` })
  const button = Object.assign(document.createElement('button'), { textContent: 'Buy two' })
  button.addEventListener('click', () => buy(id))
  add('#items', label, ' ', button)
}
find('output').textContent = 'open'
