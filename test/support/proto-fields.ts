import assert from 'node:assert/strict'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { realClock } from '../../src/base/time/clock.ts'
import { Incoming } from '../../src/message/message.ts'
import { decodeMeta } from '../../src/message/meta.ts'
import { nameText } from '../../src/message/names.ts'
import { decodeStatus } from '../../src/message/status-json.ts'
import type { Proto } from '../../src/protos/proto.ts'
import type { Golden } from './proto-corpus.ts'

export type Fields = Omit<Golden, 'what' | 'payload' | 'body'> & { body: Buffer }

/**
 * What `proto`, of the kind that has an envelope, makes of `payload`. The payload lies between bytes of others, which it must not
 * touch, and the message must survive being kept.
 */
export function unpackPayload(proto: Proto, payload: Uint8Array, limits: Partial<Limits> = {}): Fields {
  const all = { ...defaultLimits, ...limits }
  const session = proto.open({ limits: all, accepted: true, authority: undefined, clock: realClock, write: () => {}, end: () => {} })
  const around = Buffer.concat([Buffer.alloc(32, '"'), payload, Buffer.alloc(32, '1')])
  const before = Buffer.from(around)
  const message = new Incoming()
  const used = session.unpack(around, 32, 32 + payload.length, message)
  assert.equal(used, payload.length)
  assert.deepEqual(around, before, 'the payload is only read')
  const first = message.buffer === around ? 32 : 0
  const last = message.buffer === around ? 32 + payload.length : message.buffer.length
  const { nameStart, nameEnd, statusStart, statusEnd, metaStart, metaEnd, bodyStart, bodyEnd } = message
  const order = [first, nameStart, nameEnd, statusStart, statusEnd, metaStart, metaEnd, bodyStart, bodyEnd, last]
  for (let i = 1; i < order.length; i++) assert.ok(order[i - 1] <= order[i], `ranges ${order.join(' ')}`)
  const fields = fieldsOf(message)
  assert.deepEqual(fieldsOf(message.owned()), fields)
  return fields
}

/** What a received message says. */
export function fieldsOf(message: Incoming): Fields {
  const text = (start: number, end: number): string => message.buffer.toString('utf8', start, end)
  const status = message.status ?? decodeStatus(text(message.statusStart, message.statusEnd))
  const { type, seq, codec, bodyStart, bodyEnd } = message
  return {
    type,
    seq,
    method: message.method ?? (message.route >= 0 ? nameText(message.route) : text(message.nameStart, message.nameEnd)),
    ...(status?.code === 0 ? {} : { status }),
    meta: { ...(message.meta ?? decodeMeta(text(message.metaStart, message.metaEnd), defaultLimits)) },
    codec,
    body: Buffer.from(message.buffer.subarray(bodyStart, bodyEnd)),
  }
}

/** A golden as `unpackPayload` shows it. */
export function expected({ what: _what, payload: _payload, body, ...fields }: Golden): Fields {
  return { ...fields, body: Buffer.from(body) }
}
