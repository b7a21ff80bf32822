import type { EventEmitter } from 'node:events'
import { optionNames, requireOptions } from '../base/check-options.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import { checkLogger, consoleLogger, guarded, type Logger } from '../base/log.ts'
import type { ReadContext } from '../hooks/hooks.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { BaseSession, EarlySession } from '../hooks/session-views.ts'

/** Events of the plugin `events`, with the arguments of their listeners. */
export interface EndpointEventMap {
  /** A peer connected. The session does not run yet. */
  endpoint_accept: [event: { session: EarlySession }]
  /** A dial succeeded, and the session does not run yet; or it failed, and there is no session. */
  endpoint_connect: [event: { session: EarlySession | undefined; isSuccess: boolean; error: Error | undefined; isRedial: boolean }]
  /** The body of a CALL, a PUSH or a successful REPLY was decoded. */
  endpoint_receive: [event: { message: ReadContext }]
  /** A session was closed for good. */
  endpoint_close: [event: { session: BaseSession }]
}

interface EventsOptions {
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
  let log = options.log === undefined ? undefined : guarded(checkLogger('log', options.log))
  const publish = <Name extends keyof EndpointEventMap>(name: Name, ...event: EndpointEventMap[Name]): void => {
    try {
      emitter.emit(name, ...event)
    } catch (error) {
      log ??= consoleLogger()
      log.error('an event listener threw', { event: name, error: reasonOf(error) })
    }
  }
  const received = (message: ReadContext): void => publish('endpoint_receive', { message })
  return {
    name: 'endpoint-event',
    afterNewEndpoint(endpoint) {
      log ??= endpoint.log
    },
    afterAccept: (session) => publish('endpoint_accept', { session }),
    afterDial: (session, isRedial) => publish('endpoint_connect', { session, isSuccess: true, error: undefined, isRedial }),
    afterDialFail: (_url, error, isRedial) => publish('endpoint_connect', { session: undefined, isSuccess: false, error, isRedial }),
    afterReadCallBody: received,
    afterReadPushBody: received,
    afterReadReplyBody: received,
    afterDisconnect: (session) => publish('endpoint_close', { session }),
  }
}
