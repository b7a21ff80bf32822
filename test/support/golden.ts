import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { unpackLayers } from '../../src/filtering/layers.ts'
import { CloseReason } from '../../src/message/close-reason.ts'
import type { Filter } from '../../src/message/filter.ts'
import type { Proto } from '../../src/protos/proto.ts'
import { filters, type Message, ProtoPeer } from './proto-peer.ts'
import { isMessage, meant, type Vector } from './vectors.ts'

/** What a protocol cannot carry, or a receiver of ours shows differently. */
export type Shown = (message: Message) => Message

const asIs: Shown = (message) => message

/** Every vector comes in as the message its sender meant, also where Go reads something else; what is no message closes. */
export function checkReading(proto: Proto, vectors: readonly Vector[], shown: Shown = asIs): void {
  for (const vector of vectors) {
    const peer = new ProtoPeer(proto)
    const messages = peer.feed(Buffer.from(vector.hex, 'hex'))
    const good = isMessage(vector)
    assert.deepEqual(messages, good ? [shown(meant(vector))] : [], vector.name)
    assert.equal(peer.closed, good ? undefined : CloseReason.Type, vector.name)
    peer.drop()
  }
}

/**
 * What we make of a vector's message; the same whether its body is bytes or text, and read by us as what it was made of.
 * Undefined for what is no message.
 */
export function written(proto: Proto, vector: Vector, shown: Shown = asIs): Buffer | undefined {
  if (!isMessage(vector)) return undefined
  const message = meant(vector)
  const body = Buffer.from(message.body as Uint8Array)
  const frame = new ProtoPeer(proto).send(message)
  if (isUtf8(body)) assert.deepEqual(new ProtoPeer(proto).send({ ...message, body: body.toString() }), frame, vector.name)
  const peer = new ProtoPeer(proto)
  assert.deepEqual(peer.feed(frame), [shown(message)], vector.name)
  assert.equal(peer.closed, undefined, vector.name)
  peer.drop()
  return frame
}

/** What Go filtered in an envelope comes out as it was. Returns how many vectors have filters. */
export function checkFilters(vectors: readonly Vector[]): number {
  const filtered = vectors.filter(({ payloadHex }) => payloadHex !== undefined)
  for (const { name, hex, payloadHex } of filtered) assert.equal(payloadOf(Buffer.from(hex, 'hex')), payloadHex, name)
  return filtered.length
}

/** What is in an envelope, its filters removed. */
export function payloadOf(frame: Uint8Array): string {
  const bytes = Buffer.from(frame)
  const ids = bytes.subarray(5, 5 + bytes[4])
  const layers = [...ids].map((id) => filters.byId(id) as Filter)
  return Buffer.from(unpackLayers(layers, bytes.subarray(5 + ids.length), 1 << 20) as Uint8Array).toString('hex')
}

/** Cut in two anywhere, a vector of at most `maxBytes` is the same message, which comes with the second part. */
export function checkSplits(proto: Proto, hexes: readonly string[], maxBytes: number): void {
  for (const hex of hexes) {
    const bytes = Buffer.from(hex, 'hex')
    if (bytes.length > maxBytes) continue
    const whole = new ProtoPeer(proto)
    const expected = whole.feed(bytes)
    whole.drop()
    assert.equal(expected.length, 1, `${bytes}`)
    for (let at = 1; at < bytes.length; at++) {
      const peer = new ProtoPeer(proto)
      const first = peer.feed(bytes.subarray(0, at))
      const messages = [...first, ...peer.feed(bytes.subarray(at))]
      peer.drop()
      assert.equal(first.length, 0, `${at} bytes of ${bytes}`)
      assert.deepEqual(messages, expected, `${bytes} cut at ${at}`)
    }
  }
}
