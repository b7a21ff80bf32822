import { Outgoing } from '../../src/message/outgoing.ts'

/** A message on its way down, field by field. */
export function outgoing(
  type: number,
  seq: number,
  route: number,
  method: string,
  status: string,
  meta: string,
  codec: number,
  body: string | Uint8Array | null,
): Outgoing {
  return new Outgoing().head(type, seq, route, method, status, meta).content(codec, body)
}
