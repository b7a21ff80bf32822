import { optionNames, requireOptions } from '../../base/check-options.ts'
import { checkLogger, type Logger } from '../../base/log.ts'
import { type EndpointEvents, endpointEventPlugin } from '../../hooks/endpoint-events.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import type { EventBus } from './event-bus.ts'

/** Events of an endpoint on a bus: under dotted names, to which patterns apply, and under Go's names. */
export type EndpointBusEvents = EndpointEvents & DottedEvents

type DottedEvents = { [Name in keyof EndpointEvents as Dotted<Name>]: EndpointEvents[Name] }

type Dotted<Name extends string> = Name extends `endpoint_${infer Event}` ? `endpoint.${Event}` : never

/** Accepts every map that has these events with such data, and the map of a bus for any name. */
type HasEndpointEvents<Events extends object> = DottedEvents extends {
  [Name in keyof DottedEvents]: Name extends keyof Events ? Events[Name] : never
}
  ? unknown
  : never

/** Options of `endpointEvents`. */
export interface EndpointEventOptions {
  /** Logger for exceptions of listeners. Default: the endpoint's. */
  log?: Logger | undefined
}

const known = optionNames<EndpointEventOptions>({ log: true })
const dottedNames = {
  endpoint_accept: 'endpoint.accept',
  endpoint_connect: 'endpoint.connect',
  endpoint_receive: 'endpoint.receive',
  endpoint_close: 'endpoint.close',
} as const satisfies { [Name in keyof EndpointEvents]: Dotted<Name> }

/**
 * Publishes the events of an endpoint on `bus`, synchronously: `endpoint.accept`, `endpoint.connect`,
 * `endpoint.receive` and `endpoint.close`, which have Go's names `endpoint_accept` and so on as aliases. An exception
 * of a listener ends the publish, is logged, and changes nothing else.
 *
 * @param options.log logger for exceptions of listeners; default: the endpoint's
 * @throws TypeError for a bad bus or option
 * @throws Error when the bus has another alias of these names
 */
export function endpointEvents<Events extends object>(
  bus: EventBus<Events> & HasEndpointEvents<Events>,
  options: EndpointEventOptions = {},
): Plugin {
  if (typeof bus?.publish !== 'function' || typeof bus.alias !== 'function') throw new TypeError('endpointEvents needs an EventBus')
  requireOptions('options', options, known)
  const { log } = options
  const logger = log === undefined ? undefined : checkLogger('log', log)
  for (const [alias, name] of Object.entries(dottedNames)) bus.alias(alias, name)
  const anyBus = bus as unknown as EventBus
  return endpointEventPlugin((name, event) => anyBus.publish(dottedNames[name], event), logger)
}
