import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits, type Limits } from '../../../src/base/limits.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { encodeMeta } from '../../../src/message/meta.ts'
import { internName } from '../../../src/message/names.ts'
import type { Outgoing } from '../../../src/message/outgoing.ts'
import { encodeStatus } from '../../../src/message/status-json.ts'
import { jsonProto } from '../../../src/protos/json.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { mutations } from '../../support/mutations.ts'
import { corpus } from '../../support/proto-corpus.ts'
import { expected, type Fields, unpackPayload } from '../../support/proto-fields.ts'
import { Bench } from '../../support/protos.ts'

const ok = String.raw`"{\"code\":0,\"msg\":\"\",\"cause\":\"\"}"`

function open(payload: string | Uint8Array, limits?: Partial<Limits>): Fields {
  return unpackPayload(jsonProto, Buffer.from(payload as string), limits)
}

/** A document as Go writes it, its strings already escaped. */
function goDocument(fields: {
  seq?: string
  type?: string
  method?: string
  status?: string
  meta?: string
  codec?: string
  body?: string
}): string {
  const { seq = '1', type = '1', method = '', status = ok.slice(1, -1), meta = '{}', codec = '106', body = '' } = fields
  return `{"seq":${seq},"mtype":${type},"serviceMethod":"${method}","status":"${status}","meta":"${meta}","bodyCodec":${codec},"body":"${body}"}`
}

/** What Go does to a body: escapes `"`, and nothing else. */
function goBody(body: Buffer): Buffer {
  return Buffer.from(body.toString('latin1').replaceAll('"', '\\"'), 'latin1')
}

function refused(payload: string | Uint8Array, reason: CloseReason | undefined, limits?: Partial<Limits>): void {
  assert.throws(
    () => open(payload, limits),
    (error) => error instanceof ProtoError && error.reason === reason,
    `reason ${reason} for ${payload.slice(0, 80)}`,
  )
}

function pack(fields: Partial<Outgoing>): Buffer {
  return new Bench(jsonProto).pack({ type: 1, seq: 1, method: '/p', codec: 106, ...fields })
}

for (const golden of corpus.json) {
  test(`json reads ${golden.what}`, () => {
    assert.deepEqual(open(golden.payload), expected(golden))
    internName(golden.method)
    assert.deepEqual(open(golden.payload), expected(golden), 'also by the name of a route')
  })

  test(`json reads nothing of what is left of ${golden.what} when its end is cut off`, () => {
    for (let size = 0; size < golden.payload.length; size++) {
      const cut = golden.payload.subarray(0, size)
      // What ends in `\\"}` is also how Go would write a body that ends in a backslash.
      const text = cut.toString('latin1')
      if (text.startsWith('{"seq"') && text.includes(',"body":"') && text.endsWith('\\"}'))
        assert.ok(open(cut).body.toString().endsWith('\\'))
      else refused(cut, undefined)
    }
  })
}

test('our documents are JSON, and not in the order of Go', () => {
  const document = pack({ body: '"C:\\new"' }).toString()
  assert.equal(
    document,
    String.raw`{"mtype":1,"seq":1,"serviceMethod":"/p","status":${ok},"meta":"{}","bodyCodec":106,"body":"\"C:\\new\""}`,
  )
  assert.deepEqual(Object.keys(JSON.parse(document)).sort(), ['body', 'bodyCodec', 'meta', 'mtype', 'seq', 'serviceMethod', 'status'])
})

const bodies = {
  empty: '',
  plain: '[1,2,3]',
  quoted: '{"a":"b"}',
  backslashes: String.raw`{"p":"C:\\new\"x"}`,
  controls: '\0\x07\b\t\n\v\f\r\x1b\x7f',
  'a last backslash': 'a\\',
  'beyond ASCII': 'é漢字😀\u2028\ufeff',
  'larger than the scratch memory': `"${'x"\\'.repeat(40_000)}`,
}
for (const [what, body] of Object.entries(bodies)) {
  test(`a body survives: ${what}`, () => {
    assert.equal(open(pack({ body })).body.toString(), body, 'ours, of text')
    assert.equal(open(pack({ body: Buffer.from(body) })).body.toString(), body, 'ours, of bytes')
    assert.equal(JSON.parse(pack({ body }).toString()).body, body, 'ours, read by anybody')
    const [head, tail] = goDocument({ body: '@' }).split('@')
    assert.deepEqual(
      open(Buffer.concat([Buffer.from(head), goBody(Buffer.from(body)), Buffer.from(tail)])).body,
      Buffer.from(body),
      'of Go',
    )
    assert.equal(open(JSON.stringify({ body, mtype: 1 })).body.toString(), body, 'of another layout')
  })
}

test('a body of Go that is no UTF-8 survives, ours is refused', () => {
  const body = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  const [head, tail] = goDocument({ body: '@' }).split('@')
  assert.deepEqual(open(Buffer.concat([Buffer.from(head), goBody(body), Buffer.from(tail)])).body, body)
  assert.throws(() => pack({ body }), TypeError)
})

test('invalid UTF-8 and lone surrogates become U+FFFD whatever the layout', () => {
  for (const head of ['{"mtype":1,"seq":1,"serviceMethod":"","status":"","meta":"{}","bodyCodec":1,"body":"', '{"mtype":1,"body":"']) {
    assert.equal(open(Buffer.from(`${head}a\xff\\n"}`, 'latin1')).body.toString(), 'a\ufffd\n')
    assert.equal(open(Buffer.from(`${head}a\xff"}`, 'latin1')).body.toString(), 'a\ufffd')
    assert.equal(open(`${head}\\ud800 \\ud83d\\ude00"}`).body.toString(), '\ufffd 😀')
  }
  assert.equal(open(pack({ body: 'a\ud800', method: '/\udc00' })).body.toString(), 'a\ufffd')
  assert.equal(open(pack({ method: '/\udc00' })).method, '/\ufffd')
})

test('service method, status and meta of our documents', () => {
  const method = '/p"\\\n漢😀'
  const status = { code: -2147483648, message: '"\\\x1b\u2028', cause: '漢\0' }
  const meta = { a: '"<&>"', 漢: '\\\n\x7f', constructor: 'c', toString: '' }
  const sent = { type: 2, seq: -2147483648, codec: 0, method }
  const payload = pack({ ...sent, statusText: encodeStatus(status.code, status.message, status.cause), metaText: encodeMeta(meta) })
  assert.deepEqual(open(payload), { ...sent, status, meta, body: Buffer.alloc(0) })
})

test('the string escapes of Go are read', () => {
  const method = String.raw`/\a\v\x1b\x7f\u00a0\U000e0001\"\\\xff`
  const status = String.raw`{\"code\":500,\"msg\":\"\\x1b[31m\\a\\U000e0001\",\"cause\":\"\\xff\"}`
  const meta = String.raw`{\"k\":\"\x7f\u00a0\U000e0001\\u003c\"}`
  const fields = open(goDocument({ type: '2', method, status, meta }))
  assert.equal(fields.method, '/\x07\v\x1b\x7f\u00a0\u{e0001}"\\\ufffd')
  assert.deepEqual(fields.status, { code: 500, message: '\x1b[31m\x07\u{e0001}', cause: '\ufffd' })
  assert.deepEqual(fields.meta, { k: '\x7f\u00a0\u{e0001}<' })
})

test('Go escapes are no JSON in another layout', () => {
  refused('{"mtype":1,"serviceMethod":"\\x41"}', undefined)
  refused('{"mtype":1,"seq":1,"serviceMethod":"\\x41","status":"","meta":"","bodyCodec":1,"body":""}', undefined)
})

test('members may be absent, null, repeated, or text in place of a number', () => {
  const none = { seq: 0, method: '', meta: {}, codec: 0, body: Buffer.alloc(0) }
  assert.deepEqual(open('{"mtype":3}'), { ...none, type: 3 })
  assert.deepEqual(open('{"mtype":3,"seq":null,"status":null,"meta":null,"bodyCodec":null,"body":null,"serviceMethod":null}'), {
    ...none,
    type: 3,
  })
  assert.deepEqual(open('{"seq":"-5","mtype":"1","mtype":2,"status":"","meta":"null"}'), { ...none, type: 2, seq: -5 })
  assert.deepEqual(open('{"mtype":1,"SEQ":5,"__proto__":{"seq":1},"constructor":[]}'), { ...none, type: 1 })
})

const reasons: [string, string, CloseReason | undefined][] = [
  ['type 0', goDocument({ type: '0' }), CloseReason.Type],
  ['type 6', goDocument({ type: '6' }), CloseReason.Type],
  ['type 257', goDocument({ type: '257' }), CloseReason.Type],
  ['a negative type', goDocument({ type: '-1' }), CloseReason.Type],
  ['no type', '{"seq":1}', CloseReason.Type],
  ['type 6 in another layout', '{"mtype":6}', CloseReason.Type],
  ['seq over int32', goDocument({ seq: '2147483648' }), CloseReason.Seq],
  ['seq under int32', goDocument({ seq: '-2147483649' }), CloseReason.Seq],
  ['a seq of many digits', goDocument({ seq: `-2147483648${'0'.repeat(100_000)}` }), CloseReason.Seq],
  ['seq over int32 in another layout', '{"mtype":1,"seq":2147483648}', CloseReason.Seq],
  ['a fraction', '{"mtype":1,"seq":1.5}', CloseReason.Seq],
  ['an enormous seq', `{"mtype":1,"seq":1${'0'.repeat(1_000_000)}}`, CloseReason.Seq],
  ['a seq that is an array', '{"mtype":1,"seq":[]}', undefined],
  ['codec 256', goDocument({ codec: '256' }), undefined],
  ['codec -1', '{"mtype":1,"bodyCodec":-1}', undefined],
  ['a status that is no JSON', goDocument({ type: '2', status: 'x' }), CloseReason.Status],
  ['a status with half an escape', goDocument({ type: '2', status: String.raw`{\"code\":\x0}` }), CloseReason.Status],
  ['a status whose code is no int32', goDocument({ type: '2', status: String.raw`{\"code\":9999999999}` }), CloseReason.Status],
  ['a status that is a number', '{"mtype":2,"status":0}', CloseReason.Status],
  ['a status that is an array', '{"mtype":2,"status":[]}', CloseReason.Status],
  ['a status that is text within text', '{"mtype":2,"status":"\\"\\""}', CloseReason.Status],
  ['a status of bad objects', '{"mtype":2,"status":{"code":"x"}}', CloseReason.Status],
  ['meta that is no JSON', goDocument({ meta: '{' }), CloseReason.Meta],
  ['meta that is a list', goDocument({ meta: '[]' }), CloseReason.Meta],
  ['meta that is true', '{"mtype":1,"meta":true}', CloseReason.Meta],
  ['a body that is a number', '{"mtype":1,"body":5}', undefined],
  ['a body that is an object', '{"mtype":1,"body":{}}', undefined],
  ['a service method that is a number', '{"mtype":1,"serviceMethod":5}', undefined],
  ['what follows the document', `${goDocument({})} {}`, undefined],
  ['a list', '[]', undefined],
  ['a body that ends early', goDocument({ body: 'a"b' }), undefined],
  ['a leading zero', goDocument({ seq: '01' }), undefined],
  ['a line end in a name', goDocument({ method: '\n' }), undefined],
]
for (const [what, payload, reason] of reasons) test(`json refuses ${what}`, () => refused(payload, reason))

for (const depth of [100, 1000, 10_000, 100_000]) {
  test(`json of ${depth} levels`, () => {
    const deep = '['.repeat(depth) + ']'.repeat(depth)
    const inText = JSON.stringify(`{"k":${deep}}`).slice(1, -1)
    if (depth < defaultLimits.maxDepth) {
      assert.equal(open(`{"mtype":1,"extra":${deep}}`).type, 1)
      assert.equal(open(goDocument({ meta: inText })).meta.k, deep)
      return
    }
    refused(`{"mtype":1,"extra":${deep}}`, undefined)
    refused(`{"mtype":1,"meta":{"k":${deep}}}`, undefined)
    refused(goDocument({ meta: inText }), CloseReason.Meta)
    refused(goDocument({ status: inText }), CloseReason.Status)
    refused(`${'{"mtype":'.repeat(depth)}1${'}'.repeat(depth)}`, undefined)
  })
}

test('keys of meta are only keys', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
  const meta = `{${names.map((name) => `"${name}":"x"`).join()}}`
  for (const payload of [goDocument({ meta: JSON.stringify(meta).slice(1, -1) }), `{"mtype":1,"meta":${meta}}`]) {
    assert.deepEqual(Object.keys(open(payload).meta), names)
  }
  assert.equal(({} as { x?: unknown }).x, undefined)
})

test('meta has no more keys than the limit', () => {
  const meta = (keys: number): string => JSON.stringify(`{${Array.from({ length: keys }, (_, i) => `"${i}":0`).join()}}`).slice(1, -1)
  assert.equal(Object.keys(open(goDocument({ meta: meta(256) })).meta).length, 256)
  refused(goDocument({ meta: meta(257) }), CloseReason.Meta)
})

test('status and meta have at most 65,535 bytes, read or written', () => {
  const status = (bytes: number): string => encodeStatus(1, 'é'.repeat(8) + 'x'.repeat(bytes - 46), '')
  const meta = (bytes: number): string => `{"k":"${'x'.repeat(bytes - 8)}"}`
  assert.equal(Buffer.byteLength(status(65_535)), 65_535)
  const most = { statusText: status(65_535), metaText: meta(65_535) }
  const fields = open(pack(most))
  assert.equal(fields.status?.message.length, 65_535 - 46 + 8)
  assert.equal(fields.meta.k.length, 65_535 - 8)
  assert.throws(() => pack({ statusText: status(65_536) }), RangeError)
  assert.throws(() => pack({ metaText: meta(65_536) }), RangeError)
  refused(goDocument({ status: JSON.stringify(status(65_536)).slice(1, -1) }), CloseReason.Status)
  refused(goDocument({ meta: JSON.stringify(meta(65_536)).slice(1, -1) }), CloseReason.Meta)
  refused(`{"mtype":1,"meta":${meta(65_536)}}`, CloseReason.Meta)
})

test('what is long takes no longer than it must', () => {
  const escapes = '\\"\\n'.repeat(2_000_000)
  const keys = `{${'"k":0,'.repeat(1_000_000)}"k":0}`
  const started = performance.now()
  assert.equal(open(`{"mtype":1,"body":"${escapes}"}`).body.length, 4_000_000)
  assert.equal(open(`{"mtype":1,"extra":["${escapes}"],"serviceMethod":"/p"}`).method, '/p')
  refused(goDocument({ status: escapes }), CloseReason.Status)
  refused(goDocument({ meta: JSON.stringify(keys).slice(1, -1) }), CloseReason.Meta)
  refused(goDocument({ method: '\\x41\\a'.repeat(1_000_000) }), undefined)
  assert.ok(performance.now() - started < 2000, `${performance.now() - started} ms`)
})

test('10,000 damaged documents are refused or read as messages', () => {
  let read = 0
  for (const payload of mutations(
    corpus.json.map((golden) => golden.payload),
    10_000,
    1,
  )) {
    try {
      assert.ok([1, 2, 3].includes(open(payload).type))
      read++
    } catch (error) {
      if (!(error instanceof ProtoError)) throw new Error(payload.toString('hex'), { cause: error })
    }
  }
  assert.ok(read > 100, `${read} were read`)
})

test('damaged documents of our layout are read as any JSON is', () => {
  const status = encodeStatus(7, 'a"b', '\\')
  const samples = [pack({ body: '{"a":"\\n"}' }), pack({ type: 2, method: '', statusText: status, metaText: '{"k":"v"}', body: 'é\0' })]
  let read = 0
  for (const payload of mutations(samples, 10_000, 3)) {
    if (!payload.toString('latin1').startsWith('{"mtype":')) continue
    const parsed = attempt(Buffer.concat([Buffer.from(' '), payload])) // the space makes it another layout
    assert.deepEqual(attempt(payload), parsed, payload.toString('hex'))
    if (parsed !== undefined) read++
  }
  assert.ok(read > 100, `${read} were read`)
})

function attempt(payload: Buffer): Fields | undefined {
  try {
    return open(payload)
  } catch {
    return undefined
  }
}

test('json is recognised by its first brace', () => {
  const match = (payload: string, filters: number[] = []): boolean | undefined => {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(1 + filters.length + 1000)
    return jsonProto.match?.(Buffer.concat([size, Buffer.from([filters.length, ...filters]), Buffer.from(payload)]), defaultLimits)
  }
  assert.equal(match('{"seq"'), true)
  assert.equal(match('\b\x01'), false)
  assert.equal(match(''), undefined)
  assert.equal(match('', [0x7a]), true)
})
