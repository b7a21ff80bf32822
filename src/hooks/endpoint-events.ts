import { reasonOf } from '../base/errors/error-text.ts'
import { consoleLogger, guarded, type Logger } from '../base/log.ts'
import type { ReadContext } from './hooks.ts'
import type { Plugin } from './plugin.ts'
import type { BaseSession, EarlySession } from './session-views.ts'

/** Events of an endpoint by the names that they have in Go. */
export interface EndpointEvents {
  /** A peer connected. The session does not run yet. */
  endpoint_accept: { session: EarlySession }
  /** A dial succeeded, and the session does not run yet; or it failed, and there is no session. */
  endpoint_connect: { session: EarlySession | undefined; isSuccess: boolean; error: Error | undefined; isRedial: boolean }
  /** The body of a CALL, a PUSH or a successful REPLY was decoded. */
  endpoint_receive: { message: ReadContext }
  /** A session was closed for good. */
  endpoint_close: { session: BaseSession }
}

type Publish = <Name extends keyof EndpointEvents>(name: Name, event: EndpointEvents[Name]) => unknown

/**
 * The plugin that calls `publish` for each event of an endpoint, at once. An exception of it is logged and changes
 * nothing.
 *
 * @param given logger for those exceptions; undefined: the endpoint's
 */
export function endpointEventPlugin(publish: Publish, given: Logger | undefined): Plugin {
  let log = given === undefined ? undefined : guarded(given)
  const publishSafely: Publish = (name, event) => {
    try {
      publish(name, event)
    } catch (error) {
      log ??= consoleLogger()
      log.error('an event listener threw', { event: name, error: reasonOf(error) })
    }
  }
  const received = (message: ReadContext): unknown => publishSafely('endpoint_receive', { message })
  return {
    name: 'endpoint-event',
    afterNewEndpoint(endpoint) {
      log ??= endpoint.log
    },
    afterAccept: (session) => publishSafely('endpoint_accept', { session }),
    afterDial: (session, isRedial) => publishSafely('endpoint_connect', { session, isSuccess: true, error: undefined, isRedial }),
    afterDialFail: (_url, error, isRedial) => publishSafely('endpoint_connect', { session: undefined, isSuccess: false, error, isRedial }),
    afterReadCallBody: received,
    afterReadPushBody: received,
    afterReadReplyBody: received,
    afterDisconnect: (session) => publishSafely('endpoint_close', { session }),
  }
}
