import type { EventEmitter } from 'node:events'
import { optionNames, requireOptions } from '../base/check-options.ts'
import { checkLogger, type Logger } from '../base/log.ts'
import { type EndpointEvents, endpointEventPlugin } from '../hooks/endpoint-events.ts'
import type { Plugin } from '../hooks/plugin.ts'

/** Events of the plugin `events`, with the arguments of their listeners. */
export interface EndpointEventMap {
  /** A peer connected. The session does not run yet. */
  endpoint_accept: [event: EndpointEvents['endpoint_accept']]
  /** A dial succeeded, and the session does not run yet; or it failed, and there is no session. */
  endpoint_connect: [event: EndpointEvents['endpoint_connect']]
  /** The body of a CALL, a PUSH or a successful REPLY was decoded. */
  endpoint_receive: [event: EndpointEvents['endpoint_receive']]
  /** A session was closed for good. */
  endpoint_close: [event: EndpointEvents['endpoint_close']]
}

/** Options of `events`. */
export interface EventsOptions {
  /** Logger for exceptions of listeners. Default: the endpoint's. */
  log?: Logger | undefined
}

const known = optionNames<EventsOptions>({ log: true })

/**
 * Emits the events of an endpoint on `emitter`, synchronously (docs/spec/plugins.md#events), whether or not a listener
 * exists (docs/spec/go-defects.md P14). An exception of a listener is logged and changes nothing.
 *
 * @param options.log logger for exceptions of listeners; default: the endpoint's
 * @throws TypeError for a bad emitter or option
 */
export function events(emitter: Pick<EventEmitter, 'emit'>, options: EventsOptions = {}): Plugin {
  if (typeof emitter?.emit !== 'function') throw new TypeError('events needs an EventEmitter')
  requireOptions('options', options, known)
  const { log } = options
  return endpointEventPlugin((name, event) => emitter.emit(name, event), log === undefined ? undefined : checkLogger('log', log))
}
