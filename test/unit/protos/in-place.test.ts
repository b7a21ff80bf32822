import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { realClock } from '../../../src/base/time/clock.ts'
import { jsonCodec } from '../../../src/codecs/json.ts'
import { MessageType } from '../../../src/message/message.ts'
import { type BodyWriter, Outgoing } from '../../../src/message/outgoing.ts'
import { readHttpOptions } from '../../../src/protos/http/options.ts'
import { httpWith } from '../../../src/protos/http.ts'
import { jsonProto } from '../../../src/protos/json.ts'
import { jsonrpcProto } from '../../../src/protos/jsonrpc.ts'
import type { Proto, ProtoSession } from '../../../src/protos/proto.ts'
import { randomValue } from '../../support/json.ts'
import { random } from '../../support/random.ts'

const http = httpWith(readHttpOptions({}))
await http.prepare?.()

const ROOM = 2048

function open(proto: Proto): ProtoSession {
  return proto.open({ limits: defaultLimits, accepted: true, authority: undefined, clock: realClock, write: () => {}, end: () => {} })
}

function message(type: number, seq: number, method: string, value: unknown): Outgoing {
  return new Outgoing().head(type, seq, -1, method, '', '').unencoded(jsonCodec as BodyWriter, value, undefined)
}

/** The bytes that `write` makes; undefined when it leaves the message to `pack`. It must stay inside of its room. */
function written(session: ProtoSession, out: Outgoing, room = ROOM): string | undefined {
  const target = Buffer.alloc(ROOM + 128, 0x21)
  const end = session.write!(out, target, 64, 64 + room)
  assert.ok(target.subarray(0, 64).every((byte) => byte === 0x21) && target.subarray(64 + room).every((byte) => byte === 0x21))
  return end < 0 ? undefined : target.toString('utf8', 64, end)
}

test('json: a body of another codec, whose bytes may be control characters, is left to pack', () => {
  const session = open(jsonProto)
  const type = { kind: 'protobuf' }
  const bytes = Buffer.from('\n\x0bplain words\x10A')
  const writer: BodyWriter = {
    id: 112,
    encode: () => bytes,
    write: (_value, target, at) => at + bytes.copy(target, at),
  }
  const make = (): Outgoing => new Outgoing().head(MessageType.Call, 1, -1, '/a', '', '').unencoded(writer, {}, type as never)
  assert.equal(written(session, make()), undefined)
  const { body } = JSON.parse(session.pack(make().encoded()) as string) as { body: string }
  assert.equal(body, bytes.toString())
})

for (const proto of [jsonProto, jsonrpcProto, http]) {
  test(`${proto.name}: 50,000 seeded messages are the same bytes in place and packed`, () => {
    const below = random(16)
    const session = open(proto)
    let count = 0
    for (let i = 0; i < 50_000; i++) {
      const type = proto === http || below(2) === 0 ? MessageType.Reply : MessageType.Call
      const seq = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), below(100_000)][below(6)]
      const method = type === MessageType.Reply ? '' : ['/a', '/a/long/method_name', '/with "quotes"', '/é'][below(4)]
      const value = below(20) === 0 ? 'x'.repeat(below(1200)) : randomValue(below, 3)
      const bytes = written(session, message(type, seq, method, value))
      if (bytes === undefined) continue
      count++
      const packed = Buffer.from(session.pack(message(type, seq, method, value).encoded()) as string)
      assert.equal(bytes, packed.toString())
    }
    assert.ok(count > 20_000, `${count} were written in place`)
  })

  test(`${proto.name}: with too little room a message is left to pack, at every size`, () => {
    const session = open(proto)
    const out = message(MessageType.Reply, 12_345, '', { text: 'a "text"', list: [1, 2, 3] })
    // After one that was too large some are left to `pack`.
    const forget = (): void => {
      for (let i = 0; i < 20; i++) written(session, out)
    }
    forget()
    const whole = written(session, out) as string
    for (let room = 0; room < 700; room++) {
      const text = written(session, out, room)
      assert.ok(text === undefined || (text === whole && whole.length <= room), `${room}`)
    }
    forget()
    assert.equal(written(session, out), whole)
  })
}
