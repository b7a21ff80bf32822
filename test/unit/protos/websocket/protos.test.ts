import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { internName } from '../../../../src/message/names.ts'
import type { Proto } from '../../../../src/protos/proto.ts'
import { webSocketJson } from '../../../../src/protos/websocket/json-proto.ts'
import { webSocketProtobuf } from '../../../../src/protos/websocket/protobuf-proto.ts'
import { unpackPayload } from '../../../support/proto-fields.ts'
import { Bench } from '../../../support/protos.ts'

interface Line {
  from: string
  text?: string
  payload?: string
  opcode?: number
}

/** The messages of a conversation between two Go endpoints. */
const { exchanges } = JSON.parse(readFileSync(new URL('../../../vectors/websocket.json', import.meta.url), 'utf8')) as {
  exchanges: { name: string; lines: Line[] }[]
}
const messages = (name: string): Buffer[] =>
  exchanges
    .find((exchange) => exchange.name === name)!
    .lines.filter(({ opcode }) => opcode === 1 || opcode === 2)
    .map(({ text, payload }) => (text === undefined ? Buffer.from(payload!, 'hex') : Buffer.from(text)))

const protos = { json: webSocketJson, pb: webSocketProtobuf } as unknown as Record<string, Proto>
const lost = { code: -1, message: 'Unknown Error', cause: 'the peer does not send statuses over WebSocket' }

for (const [name, proto] of Object.entries(protos)) {
  test(`${name}: what Go sends is read`, () => {
    internName('/math/add')
    const read = messages(name).map((bytes) => unpackPayload(proto, bytes))
    assert.deepEqual(
      read.map(({ type, seq, method, codec, body, status }) => [type, seq, method, codec, body.toString(), status?.code ?? 0]),
      [
        [1, 1, '/math/add', 106, '[1,2]', 0],
        [2, 1, '', 106, '3', 0],
        [3, 2, '/note', 106, '"hi"', 0],
        [1, 3, '/back/both', 106, '21', 0],
        [3, 1, '/client/note', 106, '"note 21"', 0],
        [1, 2, '/client/double', 106, '21', 0],
        [2, 2, '', 106, '42', 0],
        [2, 3, '', 106, '42', 0],
        [1, 4, '/status/fail', 106, '"no luck"', 0],
        [2, 4, '', 0, '', -1],
        [1, 5, '/no/such', 106, '', 0],
        [2, 5, '', 0, '', -1],
      ],
    )
    assert.deepEqual(read[9].status, lost)
  })

  test(`${name}: what we send is read again, statuses and awkward bodies too`, () => {
    const bench = new Bench(proto)
    const base = { type: 2, seq: 7, method: '/a', route: -1, codec: 106, statusText: '', metaText: '' }
    for (const body of ['', '"x"', '"a \\"quoted\\" \\\\ text\\n\\u0001"', '"é 你 😀"', 'z'.repeat(1000)]) {
      const fields = unpackPayload(proto, bench.pack({ ...base, body }))
      assert.deepEqual([fields.body.toString(), fields.seq, fields.method, fields.codec], [body, 7, '/a', 106])
      assert.equal(fields.status, undefined)
    }
    const failed = unpackPayload(
      proto,
      bench.pack({ ...base, codec: 0, statusText: '{"code":404,"msg":"Not Found","cause":"x"}', body: null }),
    )
    assert.deepEqual(failed.status, { code: 404, message: 'Not Found', cause: 'x' })
    const empty = unpackPayload(proto, bench.pack({ ...base, codec: 0, body: null }))
    assert.equal(empty.status, undefined, 'a success without codec and body says that it is one')
    const meta = unpackPayload(proto, bench.pack({ ...base, metaText: '{"key":"v\\"1"}', body: '1' }))
    assert.deepEqual(meta.meta, { key: 'v"1' })
    for (const seq of [1, 127, 128, 2 ** 31 - 1, -1, -(2 ** 31)])
      assert.equal(unpackPayload(proto, bench.pack({ ...base, seq, body: '1' })).seq, seq)
  })
}

test('protobuf: bytes are those of Go, byte for byte', () => {
  const bench = new Bench(protos.pb)
  const base = { statusText: '', metaText: '', route: -1, codec: 106 }
  assert.deepEqual(bench.pack({ ...base, type: 1, seq: 1, method: '/math/add', body: '[1,2]' }), messages('pb')[0])
  assert.deepEqual(bench.pack({ ...base, type: 2, seq: 1, method: '', body: '3' }), messages('pb')[1])
})

test('json: documents of others are read: any order, objects for meta, no meta; bodies that Go mangles', () => {
  const read = (text: string) => unpackPayload(protos.json, Buffer.from(text))
  assert.equal(read('{"mtype":1,"seq":1,"serviceMethod":"/a","bodyCodec":106,"body":"\\"hello\\""}').body.toString(), '"hello"')
  assert.deepEqual(read('{"body":"1","meta":{"a":"b"},"bodyCodec":106,"serviceMethod":"/a","seq":2,"mtype":1}').meta, { a: 'b' })
  const go = '{"seq":1,"mtype":1,"serviceMethod":"/a","meta":"{\\"k\\":\\"v\\"}","bodyCodec":106,"body":"\\"a\\n\\\\\\"b\\"","ptf":[]}'
  const fields = read(go)
  assert.equal(fields.body.toString(), '"a\\n\\\\"b"')
  assert.deepEqual(fields.meta, { k: 'v' })
  for (const bad of ['', '{', '[]', '{}', 'null', '{"mtype":9,"seq":1}', '{"mtype":1,"seq":1,"body":5}'])
    assert.throws(() => read(bad), { name: 'ProtoError' })
})

test('protobuf: what is malformed is refused', () => {
  for (const hex of ['', '0801', '08011009', '0801100132ff', '080110011a01ff', '0801100142ffffffffff']) {
    assert.throws(() => unpackPayload(protos.pb, Buffer.from(hex, 'hex')), { name: 'ProtoError' }, hex)
  }
})
