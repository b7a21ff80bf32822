import type { Codec } from '../codecs/codec.ts'
import { encodeMeta } from '../message/meta.ts'
import { nameText } from '../message/names.ts'
import type { SendResult } from '../transports/transport.ts'
import { outgoing } from './channel.ts'
import type { SessionCore } from './core.ts'

/**
 * Sends a message between the sessions themselves, with JSON.
 *
 * @param route number of its method's name, negative for a REPLY
 */
export function sendReserved(
  { settings, link }: SessionCore,
  type: number,
  seq: number,
  route: number,
  body: unknown,
  filters: readonly string[],
  meta: Readonly<Record<string, string>> | undefined,
): SendResult | Promise<SendResult> {
  const pipe = filters.length === 0 ? undefined : settings.filters.append(undefined, filters, settings.limits.maxFilters)
  const { id } = settings.codecs.byName('json') as Codec
  const text = body === undefined ? null : JSON.stringify(body)
  const method = route < 0 ? '' : nameText(route)
  return link.send(pipe, outgoing.head(type, seq, route, method, '', meta === undefined ? '' : encodeMeta(meta)).content(id, text))
}
