// Events of a process, typed by a map of names.
import {
  type BatchItem,
  type BatchResult,
  type BusEvent,
  type EndpointBusEvents,
  type EndpointEventOptions,
  type EndpointEvents,
  type EventArguments,
  EventBus,
  type EventBusOptions,
  type EventName,
  type EventOf,
  type EventPattern,
  endpointEvents,
  Priority,
  type SubscribeOptions,
  type Subscription,
} from 'dmicro/eventbus'

interface Shop extends EndpointBusEvents {
  'order.new': { id: number }
  'order.paid': { id: number; by: string }
}

const options: EventBusOptions = { name: 'shop', listenerTimeout: 1000 }
const bus = new EventBus<Shop>(options)
const how: SubscribeOptions = { priority: Priority.High }
export const subscription: Subscription = bus.on('order.*', (event) => (event.name === 'order.paid' ? event.data.by : event.data.id), how)
const pattern: EventPattern<Shop> = 'order.**'
const name: EventName<Shop> = 'order.new'
const data: EventArguments<Shop['order.new']> = [{ id: 1 }]
export const published: BusEvent<EventName<Shop>, { id: number }> | undefined = bus.publish(name, ...data)
const items: BatchItem<Shop>[] = [['order.new', { id: 1 }]]
export const results: BatchResult[] = bus.publishBatch(items)
export const nameOf = (event: EventOf<Shop, 'order.*'>): string => event.name + pattern
const reported: EndpointEventOptions = { log: undefined }
export const plugin = endpointEvents(bus, reported)
export const accepted = ({ session }: EndpointEvents['endpoint_accept']): string => session.id
