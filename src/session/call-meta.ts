import { ONCE_KEY, TIMEOUT_KEY } from '../message/announcement.ts'
import type { CallOptions } from '../message/call-options.ts'
import { noMeta } from '../message/meta.ts'
import { codecNamed, type SessionCore } from './core.ts'
import type { PeerLink } from './peer-link.ts'
import { NO_KEY } from './pending-call.ts'
import type { ResumeProtocol } from './resume-protocol.ts'

/**
 * Returns the meta of a CALL.
 *
 * @param sentTimeout milliseconds until the deadline to send, 0 for none; below 0 the peer uses the announced
 *   default
 */
export function callMeta(
  { settings, extensible, resume }: SessionCore & { readonly resume: ResumeProtocol | undefined },
  options: CallOptions | undefined,
  sentTimeout: number,
  key: number,
  announcement: ReturnType<PeerLink['announce']>,
): Readonly<Record<string, string>> {
  const acceptCodec = options?.acceptCodec
  const sendsTimeout = sentTimeout >= 0 && extensible
  const keyed = key > 0 && key !== NO_KEY
  if (acceptCodec === undefined && !sendsTimeout && !keyed && announcement === undefined) return options?.meta ?? noMeta
  const meta: Record<string, string> = { ...options?.meta, ...announcement?.meta }
  if (acceptCodec !== undefined) meta['X-Accept-Body-Codec'] = String(codecNamed(settings, acceptCodec, 'acceptCodec').id)
  if (keyed) meta[ONCE_KEY] = (resume as ResumeProtocol).idempotencyHeader(key)
  if (sendsTimeout) meta[TIMEOUT_KEY] = String(Math.ceil(sentTimeout))
  return meta
}

/** Whether an idempotent call gets a key, by which its peer knows it again: whether the session may be resumed. */
export function getsKey(session: { readonly resume: unknown; readonly extensible: boolean; readonly redial: unknown }): boolean {
  return session.resume !== undefined || (session.extensible && session.redial === undefined)
}
