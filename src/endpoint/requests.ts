import { badMessage, Code, StatusError, statusText } from '../base/errors/status.ts'
import type { Limits } from '../base/limits.ts'
import { bodyText, type Codec, decodeBody, unknownCodec } from '../codecs/codec.ts'
import { type Incoming, TextHint } from '../message/message.ts'
import { type MessageType as BodyType, isBytes } from '../message/message-type.ts'
import { findNameText, nameText } from '../message/names.ts'
import type { AnyHandler, Route, Router } from './router.ts'

/** The service method of a CALL or PUSH. */
export function methodOf(message: Incoming): string {
  if (message.route >= 0) return nameText(message.route)
  return message.method ?? bodyText(message.buffer, message.nameStart, message.nameEnd, TextHint.Nothing)
}

/** Finds the route of a service method that a hook has changed; undefined when there is none. */
export function findRoute(router: Router, name: string, isCall: boolean, allowCallRoute: boolean): Route | undefined {
  const route = findNameText(name)
  return (isCall ? router.calls : router.pushes).get(route) ?? (allowCallRoute ? router.calls.get(route) : undefined)
}

/**
 * Returns the handler of messages without a route.
 *
 * @param namedOnly whether the message may reach only its own route, because its protocol answers it otherwise
 * @throws StatusError 400 for an empty service method, 404 when there is no handler
 */
export function unknownHandler(router: Router, method: string, isCall: boolean, namedOnly: boolean): AnyHandler {
  if (method === '') throw badMessage('invalid service method for message')
  const handler = isCall ? router.unknownCall : router.unknownPush
  if (handler === undefined || namedOnly) throw new StatusError(Code.NotFound, statusText(Code.NotFound), '', { stack: false })
  return handler as AnyHandler
}

/**
 * Checks that a message of a kind that must have no effects, such as an HTTP GET, reaches only safe routes.
 *
 * @throws StatusError 405
 */
export function requireSafe(message: Incoming, safe: boolean): void {
  if (!message.safeOnly || safe) return
  throw new StatusError(405, 'Method Not Allowed', 'the route is not registered as safe: call it by POST', { stack: false })
}

/**
 * Decodes the body of a request.
 *
 * @throws StatusError 400 when it does not decode, 415 for an unknown codec
 */
export function decodeArg(
  message: Incoming,
  codec: Codec | undefined,
  limits: Pick<Limits, 'maxDepth'>,
  type: BodyType | undefined,
): unknown {
  if (codec === undefined && message.codec !== 0 && !isBytes(type)) throw unknownCodec(message)
  return decodeBody(message, codec, limits, type)
}
