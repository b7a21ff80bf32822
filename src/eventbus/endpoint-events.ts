import { optionNames, requireOptions } from '../base/check-options.ts'
import { checkLogger, type Logger } from '../base/log.ts'
import { type EndpointEvents, endpointEventPlugin } from '../hooks/endpoint-events.ts'
import type { Plugin } from '../hooks/plugin.ts'

/** Events of an endpoint on a bus, under dotted names, to which patterns apply, and under those that they have in Go. */
export type EndpointBusEvents = EndpointEvents & { [Name in keyof EndpointEvents as Dotted<Name>]: EndpointEvents[Name] }

type Dotted<Name extends string> = Name extends `endpoint_${infer Event}` ? `endpoint.${Event}` : never

/** What is needed of a bus; an `EventBus` of any map with these events has it. */
interface EndpointEventBus {
  alias(alias: string, name: string): void
  publish<Name extends keyof EndpointBusEvents>(name: Name, event: EndpointBusEvents[Name]): unknown
}

interface EndpointEventOptions {
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
 * Publishes the events of an endpoint on `bus`, synchronously: `endpoint.accept`, `endpoint.connect`, `endpoint.receive`
 * and `endpoint.close`, which have Go's names `endpoint_accept` and so on as aliases. An exception of a listener ends the
 * publish, is logged, and changes nothing else.
 *
 * @param options.log logger for exceptions of listeners; default: the endpoint's
 * @throws TypeError for a bad bus or option
 * @throws Error when the bus has another alias of these names
 */
export function endpointEvents(bus: EndpointEventBus, options: EndpointEventOptions = {}): Plugin {
  if (typeof bus?.publish !== 'function' || typeof bus.alias !== 'function') throw new TypeError('endpointEvents needs an EventBus')
  requireOptions('options', options, known)
  const { log } = options
  const logger = log === undefined ? undefined : checkLogger('log', log)
  for (const [alias, name] of Object.entries(dottedNames)) bus.alias(alias, name)
  return endpointEventPlugin((name, event) => (bus as LooseBus).publish(dottedNames[name], event), logger)
}

interface LooseBus {
  publish(name: string, event: unknown): unknown
}
