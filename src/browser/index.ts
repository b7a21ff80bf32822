// The entry of pages and their workers. Its types, of `types.ts` and `endpoint-types.ts`, need none of Node.js.
import { consoleLogger as makeConsoleLogger } from '../base/log.ts'
import { Endpoint as OwnEndpoint } from '../endpoint/endpoint.ts'
import { heartbeatPing as ping, heartbeatPong as pong } from '../plugins/heartbeat.ts'
import type {
  EndpointConstructor,
  EndpointInstance,
  HeartbeatPingOptions,
  HeartbeatPongOptions,
  Logger,
  LogLevel,
  Plugin,
} from './endpoint-types.ts'

export { Code, StatusError, statusText } from '../base/errors/status.ts'
export { bytes } from '../message/message-type.ts'
export type {
  DialOptions,
  EndpointOptions,
  HeartbeatPingOptions,
  HeartbeatPongOptions,
  Limits,
  LogFields,
  Logger,
  LogLevel,
  Plugin,
  RedialOptions,
  RouteGroup,
} from './endpoint-types.ts'
export type {
  CallContext,
  CallHandler,
  CallOptions,
  Gap,
  Meta,
  PushContext,
  PushHandler,
  PushOptions,
  Reply,
  RouteOptions,
  Session,
  SessionEvents,
  SessionState,
  TypedCallOptions,
} from './types.ts'

/** Dials from a page, and routes what peers call and push (docs/browser.md). */
export type Endpoint = EndpointInstance
export const Endpoint = OwnEndpoint as unknown as EndpointConstructor

/** Sends heartbeats when a session is silent, and closes one whose peer does not answer: docs/browser.md. */
export const heartbeatPing = ping as unknown as (options?: HeartbeatPingOptions) => Plugin
/** Answers heartbeats, and closes sessions whose peer stopped sending them. */
export const heartbeatPong = pong as unknown as (options?: HeartbeatPongOptions) => Plugin
/** A logger for the option `log` that writes lines to the console. */
export const consoleLogger = makeConsoleLogger as (level?: LogLevel, write?: (line: string) => void) => Logger
