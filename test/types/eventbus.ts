import { type EndpointBusEvents, EventBus, endpointEvents } from '../../src/dserver/eventbus/index.ts'
import { Endpoint } from '../../src/index.ts'

// Compiled and never run: what the types of a bus allow.

interface Shop {
  'order.new': { id: number }
  'order.paid': { id: number; by: string }
  'order.item.added': string
  closed: undefined
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never

const shop = new EventBus<Shop>({
  name: undefined,
  onError: undefined,
  listenerTimeout: undefined,
  maxQueued: undefined,
  concurrency: undefined,
})
shop.publish('order.paid', { id: 1, by: 'card' })
shop.publish('closed')
shop.enqueue('closed', undefined)
shop.publishBatch(['closed', ['closed'], ['order.new', { id: 1 }]])
// @ts-expect-error data is missing
shop.publish('order.new')
// @ts-expect-error data of another event
shop.publishAsync('order.item.added', { id: 1 })
// @ts-expect-error no such event
shop.publish('order.none', 1)
// @ts-expect-error no such event
shop.on('order.none', () => {})
// @ts-expect-error a pattern cannot be published
shop.publish('order.*', { id: 1 })
// @ts-expect-error data is missing in an item
shop.publishBatch(['order.new'])

export const checks: Equal<true, true>[] = []
shop.on('order.paid', (event) => {
  checks.push(true satisfies Equal<typeof event.data, { id: number; by: string }>, true satisfies Equal<typeof event.name, 'order.paid'>)
})
shop.on('order.*', (event) => {
  checks.push(true satisfies Equal<typeof event.name, 'order.new' | 'order.paid'>)
  if (event.name === 'order.paid') checks.push(true satisfies Equal<typeof event.data.by, string>)
})
shop.on('order.**', ({ name }) => {
  checks.push(true satisfies Equal<typeof name, 'order.new' | 'order.paid' | 'order.item.added'>)
})
shop.on('**.added', ({ data }) => {
  checks.push(true satisfies Equal<typeof data, string>)
})
shop.on('*.item.*', ({ data }) => {
  checks.push(true satisfies Equal<typeof data, string>)
})
shop.once('*', ({ name }) => {
  checks.push(true satisfies Equal<typeof name, keyof Shop>)
})
shop.on(['closed', 'order.new'], ({ name }) => {
  checks.push(true satisfies Equal<typeof name, 'closed' | 'order.new'>)
})
shop.on('none.*', (event) => {
  checks.push(true satisfies Equal<typeof event, never>)
})
const handler = (event: { data: { id: number } }): void => void event
shop.on('order.new', handler, { priority: undefined, signal: undefined })
shop.off('order.new', handler)

const any = new EventBus()
any.publish('whatever', 1)
any.on('whatever.*', ({ name, data }) => {
  checks.push(true satisfies Equal<typeof name, string>, true satisfies Equal<typeof data, unknown>)
})

const endpointBus = new EventBus<Shop & EndpointBusEvents>()
endpointBus.on('endpoint.*', (event) => {
  if (event.name === 'endpoint.connect') checks.push(true satisfies Equal<typeof event.data.isSuccess, boolean>)
})
endpointBus.on('endpoint_receive', ({ data }) => data.message.serviceMethod.length)
new Endpoint({ plugins: [endpointEvents(endpointBus), endpointEvents(any, { log: undefined })] })
// @ts-expect-error a bus without these events
endpointEvents(shop)
