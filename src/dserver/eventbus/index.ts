// The entry point `dmicro/eventbus`.

export type { EndpointEvents } from '../../hooks/endpoint-events.ts'
export type { EventBusOptions } from './bus-options.ts'
export { type EndpointBusEvents, type EndpointEventOptions, endpointEvents } from './endpoint-events.ts'
export { BusEvent } from './event.ts'
export { type BatchResult, EventBus } from './event-bus.ts'
export type { BatchItem, EventArguments, EventName, EventOf, EventPattern } from './event-types.ts'
export { Priority, type SubscribeOptions, type Subscription } from './subscription.ts'
