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

/** The route of a service method that is not the message's own. */
export function findRoute(router: Router, name: string, isCall: boolean, allowCallRoute: boolean): Route | undefined {
  const route = findNameText(name)
  return (isCall ? router.calls : router.pushes).get(route) ?? (allowCallRoute ? router.calls.get(route) : undefined)
}

/** What takes messages without a route. @param namedOnly nothing may, since their protocol answers them @throws StatusError 400 or 404 */
export function unknownHandler(router: Router, method: string, isCall: boolean, namedOnly: boolean): AnyHandler {
  if (method === '') throw badMessage('invalid service method for message')
  const handler = isCall ? router.unknownCall : router.unknownPush
  if (handler === undefined || namedOnly) throw new StatusError(Code.NotFound, statusText(Code.NotFound), '', { stack: false })
  return handler as AnyHandler
}

/** Messages of a kind that may have no effects reach only routes that say so. @throws StatusError 405 */
export function requireSafe(message: Incoming, safe: boolean): void {
  if (!message.safeOnly || safe) return
  throw new StatusError(405, 'Method Not Allowed', 'the route is not registered as safe: call it by POST', { stack: false })
}

/** @throws StatusError 400, 415 */
export function decodeArg(
  message: Incoming,
  codec: Codec | undefined,
  limits: Pick<Limits, 'maxDepth'>,
  type: BodyType | undefined,
): unknown {
  if (codec === undefined && message.codec !== 0 && !isBytes(type)) throw unknownCodec(message)
  return decodeBody(message, codec, limits, type)
}
