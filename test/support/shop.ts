import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Service } from '../../src/contract/index.ts'
import type { Chromium, Page } from '../outside/browser/chromium.ts'
import { endpoint } from './helpers.ts'

// The shop of examples/contract: its server in a process of its own, and what buys in it.

const example = new URL('../../examples/contract/', import.meta.url)

/** The contract of the example, which is JavaScript. */
export const { Shop } = (await import(new URL('contract.mjs', example).href)) as { Shop: Service }
export const { openShop } = (await import(new URL('shop.mjs', example).href)) as { openShop(): never }

export interface RunningShop {
  /** Where programs dial it. */
  readonly url: string
  /** Where browsers open its page. */
  readonly page: string
}

/** Starts the example's server of programs and pages. It ends with the test. */
export async function startShop(t: TestContext): Promise<RunningShop> {
  const child = spawn(process.execPath, ['examples/contract/web.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return { url: (await lines.next()).value, page: (await lines.next()).value }
}

/** Buys two teas by a client of Node.js, which then tells of stock and of orders. */
export async function buyInNode(t: TestContext, { url }: RunningShop): Promise<{ stock(): Promise<number>; orders: unknown[] }> {
  const client = endpoint(t, { log: false })
  const orders: unknown[] = []
  client.serve(Shop.toClient, { ordered: (order: { id: number }) => void orders.push(order.id) } as never)
  const session = await client.dial(url)
  await session.call('/shop/watch', { orders: true })
  const { id } = await session.call<{ id: number }>('/shop/carts/create')
  await session.call('/shop/carts/put', { id, line: { item: 1, count: 2 } })
  await session.call('/shop/orders/place', { cart: id, user: 1 })
  return { orders, stock: async () => (await session.call<{ stock: number }>('/shop/items/get', { id: 1 })).stock }
}

/** Opens the page, buys two teas, and tries to buy two of what there is one of. */
export async function buyInPage(chromium: Chromium, { page: url }: RunningShop): Promise<Page> {
  const page = await chromium.page(url)
  await page.until(`document.querySelector('output').textContent === 'open'`)
  const buy = (item: number): string => `document.querySelectorAll('button')[${item - 1}].click()`
  const label = (item: number): string => `document.querySelector('#item-${item}').textContent`
  await page.value(buy(1))
  await page.until(`${label(1)} !== '10 tea' && document.querySelectorAll('#orders li').length > 0`)
  await page.value(buy(2))
  await page.until(`${label(2)} === '0 milk'`)
  await page.value(buy(2))
  await page.until(`document.querySelector('output').textContent === '0 left'`)
  return page
}

/** Buys two teas by the tools of an agent, and tries to buy too many. */
export async function buyByTools(t: TestContext, { url }: RunningShop): Promise<void> {
  const transport = new StdioClientTransport({ command: process.execPath, args: ['examples/contract/mcp.mjs', url], stderr: 'inherit' })
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(transport)
  t.after(() => client.close())
  const { tools } = await client.listTools()
  assert.equal(tools.length, 30)
  const call = async (name: string, args: Record<string, unknown> = {}) => client.callTool({ name: `shop_${name}`, arguments: args })
  const { structuredContent: cart } = (await call('carts_create')) as { structuredContent: { id: number } }
  const refused = await call('carts_put', { id: cart.id, line: { item: 1, count: 99 } })
  assert.match(JSON.stringify(refused.content), /1002 OutOfStock: out of stock/)
  await call('carts_put', { id: cart.id, line: { item: 1, count: 2 } })
  const { structuredContent: order } = (await call('orders_place', { cart: cart.id, user: 1 })) as { structuredContent: object }
  assert.equal((order as { total: number }).total, 6)
}
