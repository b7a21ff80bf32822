import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { CloseReason } from '../../../src/message/close-reason.ts'
import { MessageType } from '../../../src/message/message.ts'
import { internName } from '../../../src/message/names.ts'
import { encodeStatus } from '../../../src/message/status-json.ts'
import { jsonrpcProto } from '../../../src/protos/jsonrpc.ts'
import { ProtoError } from '../../../src/protos/proto.ts'
import { Bench, type Seen } from '../../support/protos.ts'

const JSON_ID = 106
const parseError = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}\r\n'
const invalid = (id: string) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32600,"message":"Invalid Request"}}\r\n`

const open = (limits = {}) => new Bench(jsonrpcProto, { limits })
const feed = (bench: Bench, text: string) => bench.feed(Buffer.from(text))
const answers = (bench: Bench) => bench.written.map(String).join('')

/** A reply packed as the dispatcher has it packed. */
const ok = (bench: Bench, seq: number, body: string | Uint8Array | null, metaText = '') =>
  String(bench.pack({ type: MessageType.Reply, seq, codec: JSON_ID, body, metaText }))
const failed = (bench: Bench, seq: number, code: number, message: string, cause = '') =>
  String(bench.pack({ type: MessageType.Reply, seq, statusText: encodeStatus(code, message, cause) }))

const call = (fields: Partial<Seen>): Seen => ({ type: 1, seq: 1, method: '', status: '', meta: '', codec: JSON_ID, body: '', ...fields })
const request = (id: string, more = '') => `{"jsonrpc":"2.0","method":"/m","params":[1],"id":${id}${more}}\r\n`

describe("vectors: Go's dialect of JSON-RPC", () => {
  const JR1 = '{"jsonrpc":"2.0","method":"/math/add","params":[1,2,3,4,5],"id":1,"context":{"author":"osgochina"}}\r\n'
  const JR2 = '{"jsonrpc":"2.0","id":1,"result":15,"context":{}}\r\n'
  const JR3 = '{"jsonrpc":"2.0","id":1,"context":{},"error":{"code":404,"message":"Not Found","data":null}}\r\n'
  const meta = Object.assign(Object.create(null), { author: 'osgochina' })
  const expected: [string, Seen][] = [
    [JR1, call({ method: '/math/add', body: '[1,2,3,4,5]', meta })],
    [JR2, call({ type: 2, body: '15' })],
    [JR3, call({ type: 2, codec: 0, status: { code: 404, message: 'Not Found', cause: '' } })],
  ]

  test('JR-1 to JR-3 are read, cut at every byte', () => {
    for (const [text, seen] of expected) {
      for (let cut = 0; cut <= text.length; cut++) {
        const bench = open()
        assert.deepEqual([...feed(bench, text.slice(0, cut)), ...feed(bench, text.slice(cut))], [seen], `${text} at ${cut}`)
        assert.equal(answers(bench), '')
      }
    }
  })

  test('all of them in one chunk', () => {
    assert.deepEqual(
      feed(open(), JR1 + JR2 + JR3),
      expected.map(([, seen]) => seen),
    )
  })

  test('JR-1 to JR-3 are written', () => {
    const bench = open()
    const metaText = '{"author":"osgochina"}'
    const packed = bench.pack({ type: 1, seq: 1, method: '/math/add', codec: JSON_ID, body: '[1,2,3,4,5]', metaText })
    assert.equal(String(packed), JR1)
    assert.equal(ok(bench, 1, '15'), JR2)
    assert.equal(failed(bench, 1, 404, 'Not Found', 'lost here'), JR3)
  })

  test('the cause stands in for an empty message', () => {
    assert.match(failed(open(), 1, 1001, '', 'why'), /"code":1001,"message":"why","data":null/)
  })

  test('a request with a context is answered with one, and with codes of DMicro', () => {
    const bench = open()
    const [message] = feed(bench, request('7', ',"context":{}'))
    assert.equal(ok(bench, message.seq, '2'), '{"jsonrpc":"2.0","id":7,"result":2,"context":{}}\r\n')
    assert.match(
      failed(bench, message.seq, 400, 'Bad Message', 'x'),
      /"context":\{\},"error":\{"code":400,"message":"Bad Message","data":null\}/,
    )
  })
})

describe('the standard', () => {
  test('ids of every kind come back as they were', () => {
    for (const id of [
      '1',
      '-2147483648',
      '0',
      '2147483648',
      '1.5',
      '1.0',
      '-0',
      '1e2',
      'null',
      '"a"',
      '"\\u0061\\"é"',
      '""',
      '12345678901234567890',
    ]) {
      const bench = open()
      const [message] = feed(bench, request(id))
      assert.equal(message.type, MessageType.Call)
      assert.equal(ok(bench, message.seq, '[1]'), `{"jsonrpc":"2.0","id":${id},"result":[1]}\r\n`, id)
    }
  })

  test('equal ids in flight are answered each', () => {
    const bench = open()
    const [a, b] = feed(bench, request('"x"') + request('"x"'))
    assert.notEqual(a.seq, b.seq)
    assert.equal(ok(bench, b.seq, '1'), ok(bench, a.seq, '1'))
  })

  test('a request is answered once', () => {
    const bench = open()
    const [message] = feed(bench, request('"once"'))
    assert.notEqual(ok(bench, message.seq, '1'), '')
    assert.equal(ok(bench, message.seq, '1'), '')
  })

  for (const [code, rpc] of [
    [404, -32601],
    [400, -32602],
    [500, -32603],
    [1001, 1001],
  ])
    test(`status ${code} is ${rpc}, and all of it is data`, () => {
      const bench = open()
      const [message] = feed(bench, request('1'))
      const data = `{"code":${code},"msg":"no \\"x\\"","cause":"why"}`
      const error = `{"code":${rpc},"message":"no \\"x\\"","data":${data}}`
      assert.equal(failed(bench, message.seq, code, 'no "x"', 'why'), `{"jsonrpc":"2.0","id":1,"error":${error}}\r\n`)
    })

  for (const [rpc, code] of [
    ['-32700', 400],
    ['-32600', 400],
    ['-32601', 404],
    ['-32602', 400],
    ['-32603', 500],
    ['-32000', -32000],
    ['1001', 1001],
    ['0', -1],
    ['"1"', -1],
    ['1.5', -1],
  ] as const)
    test(`a received error ${rpc} is status ${code}`, () => {
      const [message] = feed(open(), `{"jsonrpc":"2.0","id":1,"error":{"code":${rpc},"message":"m","data":{"x":[]}}}\n`)
      assert.deepEqual(message.status, { code, message: 'm', cause: '' })
    })

  test('meta of a reply to a plain peer is a context only when there is some', () => {
    const bench = open()
    const [message] = feed(bench, request('1'))
    assert.equal(ok(bench, message.seq, null, '{"a":"b"}'), '{"jsonrpc":"2.0","id":1,"result":null,"context":{"a":"b"}}\r\n')
  })

  test('members in any order, with white space, unknown and repeated ones and escapes in names', () => {
    const odd =
      ' { "extra" : [ { } , "\\u00e9\\\\" ] , "id" : 5 , "id":6, "p\\u0061rams" : { "b" : 12345678901234567890 } , "METHOD":1,\t"method" : "/\\u006d" ,"jsonrpc" : "2.0" } \r\n'
    assert.deepEqual(feed(open(), odd), [call({ seq: 6, method: '/m', body: '{ "b" : 12345678901234567890 }' })])
  })

  test('a name that this process uses is found, with escapes or without', () => {
    internName('/known<name>')
    for (const name of ['/known<name>', '/known\\u003cname\\u003e'])
      assert.equal(feed(open(), `{"jsonrpc":"2.0","method":"${name}","id":1}\n`)[0].method, '/known<name>')
  })

  test('params of nothing or null are an empty body, everything else is passed as it is', () => {
    for (const [params, body] of [
      ['', ''],
      [',"params":null', ''],
      [',"params":"né\\n"', '"né\\n"'],
      [',"params":{}', '{}'],
      [',"params":0.10', '0.10'],
    ])
      assert.equal(feed(open(), `{"jsonrpc":"2.0","method":"m"${params},"id":1}\n`)[0].body, body)
  })

  test('replies: null is a result unless there is an error; what answers nothing of ours is passed over', () => {
    const bench = open()
    assert.equal(feed(bench, '{"jsonrpc":"2.0","id":1,"result":null}\n')[0].body, 'null')
    assert.equal(feed(bench, '{"jsonrpc":"2.0","id":1,"result":null,"error":null}\n')[0].body, 'null')
    assert.equal(feed(bench, '{"id":5.0,"method":"","result":[1],"error":{"code":3}}\n')[0].body, '[1]')
    assert.deepEqual(feed(bench, '{"jsonrpc":"2.0","id":1,"result":null,"error":"no"}\n')[0].status, { code: -1, message: 'no', cause: '' })
    for (const id of ['null', '"1"', '1.5', '[1]', '2147483648', 'true']) assert.deepEqual(feed(bench, `{"id":${id},"result":1}\n`), [])
    assert.deepEqual(feed(bench, parseError), [])
    assert.equal(answers(bench), '')
  })
})

describe('what is no request (D7)', () => {
  const rows: [name: string, line: string, answer: string][] = [
    ['bare line end', '\n', ''],
    ['blank line', '  \r\n', ''],
    ['cut JSON', '{"jsonrpc":"2.0","method":"foobar, "params":"bar","baz]\n', parseError],
    ['words', 'GET me\r\n', parseError],
    ['words that speak of HTTP', 'is HTTP/1.1 spoken\r\n', parseError],
    ['two values', `${request('1').trim()} 1\n`, parseError],
    ['a number with a leading zero', '{"jsonrpc":"2.0","method":"m","params":[01],"id":1}\n', parseError],
    ['a comma too many', '{"jsonrpc":"2.0","method":"m","id":1,}\n', parseError],
    ['a control character', '{"jsonrpc":"2.0","method":"m\t","id":1}\n', parseError],
    ['brackets that do not match', '{"jsonrpc":"2.0","method":"m","params":[1},"id":1}\n', parseError],
    ['a bad escape', '{"jsonrpc":"2.0","method":"m","params":"\\x41","id":1}\n', parseError],
    ['a scalar', '1\n', invalid('null')],
    ['nothing known', '{"foo":"boo"}\n', invalid('null')],
    ['no version', '{"method":"m","id":3}\n', invalid('3')],
    ['another version', '{"jsonrpc":"1.0","method":"m","id":"a"}\n', invalid('"a"')],
    ['method no string', '{"jsonrpc":"2.0","method":1,"params":"bar"}\n', invalid('null')],
    ['method empty', '{"jsonrpc":"2.0","method":"","id":1}\n', invalid('1')],
    ['id true', request('true'), invalid('null')],
    ['id object', request('{}'), invalid('null')],
    ['id array', request('[1]'), invalid('null')],
    ['id too long', request(`"${'x'.repeat(1024)}"`), invalid('null')],
    ['batch of 0', '[]\n', invalid('null')],
    ['cut batch', '[{"jsonrpc":"2.0","method":"m","id":1},{"jsonrpc":"2.0","method"]\n', parseError],
    ['batch of 1 that is nothing', '[1]\n', `[${invalid('null').trim()}]\r\n`],
    ['batch of 3', '[1,[],{}]\n', `[${[1, 2, 3].map(() => invalid('null').trim()).join()}]\r\n`],
    ['batch of 1,001', `[${new Array(1001).fill(1).join()}]\n`, invalid('null')],
    ['batch of 10,000', `[${new Array(10_000).fill(1).join()}]\n`, invalid('null')],
  ]
  for (const [name, line, answer] of rows)
    test(name, () => {
      const bench = open()
      assert.equal(feed(bench, request('0')).length, 1)
      assert.deepEqual(feed(bench, line), [])
      assert.equal(answers(bench), answer)
      assert.equal(feed(bench, request('1')).length, 1, 'the session goes on')
    })

  test('a first line that is no JSON ends an accepted connection, and not one that we dialled', () => {
    const dialled = new Bench(jsonrpcProto, { accepted: false })
    for (const line of ['USER x\n', '\0\x01\n', '1 2\n']) {
      assert.throws(
        () => feed(open(), line),
        (error) => error instanceof ProtoError && error.reason === CloseReason.Malformed && error.finalResponse === parseError,
      )
      assert.deepEqual(feed(dialled, line), [])
    }
    for (const first of ['1\n', '{}\n', '[]\n', request('1')]) {
      const bench = open()
      feed(bench, `${first}{"cut\nUSER x\n`)
      assert.ok(answers(bench).endsWith(parseError + parseError), first)
    }
  })

  test('id null is a request', () => {
    assert.equal(feed(open(), request('null'))[0].type, MessageType.Call)
  })

  test('without an id it is a notification, which is a PUSH or else a CALL', () => {
    const bench = open()
    assert.deepEqual(feed(bench, '{"jsonrpc":"2.0","method":"/n","params":[1]}\n'), [call({ type: 3, seq: 0, method: '/n', body: '[1]' })])
  })

  test('too deep a body is the codec’s to refuse, so that the caller is told', () => {
    for (const depth of [100, 1000, 10_000, 100_000]) {
      const deep = '['.repeat(depth) + ']'.repeat(depth)
      assert.equal(feed(open(), `{"jsonrpc":"2.0","method":"m","params":${deep},"id":1}\n`)[0].body, deep)
      assert.equal(feed(open(), `[{"jsonrpc":"2.0","method":"m","params":${deep},"id":1}]\n`)[0].body, deep)
    }
  })

  test('a context over the limits closes the session', () => {
    const keys = Array.from({ length: 257 }, (_, i) => `"${i}":""`).join()
    assert.throws(() => feed(open(), request('1', `,"context":{${keys}}`)), matches(CloseReason.Meta))
  })

  test('a line over the limit closes the session, complete or not', () => {
    for (const text of ['x'.repeat(101), `${'x'.repeat(100)}\n`])
      assert.throws(() => feed(open({ maxMessage: 100 }), text), matches(CloseReason.TooLarge))
    feed(open({ maxMessage: 100 }), `${'1'.repeat(99)}\n`)
  })

  test('keys of prototypes are keys like any other (P1)', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const bench = open()
      const [message] = feed(bench, `{"${key}":{"polluted":1},"jsonrpc":"2.0","method":"${key}","id":"${key}","context":{"${key}":"1"}}\n`)
      assert.equal(message.method, key)
      assert.deepEqual(Object.keys(message.meta as object), [key])
      assert.ok(ok(bench, message.seq, '1').includes(`"id":"${key}"`))
      assert.equal(feed(bench, `{"id":1,"error":{"${key}":{"polluted":1}}}\n`)[0].type, 2)
    }
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
  })
})

describe('batches', () => {
  const member = (id: string) => request(id).trim()

  test('are answered together, when the last answer is there, in any order', () => {
    const bench = open()
    const seen = feed(bench, `[${member('1')}, ${member('"b"')},{"jsonrpc":"2.0","method":"n"},7,${member('1')}]\r\n`)
    assert.deepEqual(
      seen.map(({ type }) => type),
      [1, 1, 3, 1],
    )
    assert.equal(ok(bench, seen[1].seq, '"b"'), '')
    assert.equal(ok(bench, seen[0].seq, '1'), '')
    const refused = invalid('null').trim()
    const text = ok(bench, seen[3].seq, '3')
    assert.equal(
      text,
      `[${refused},{"jsonrpc":"2.0","id":"b","result":"b"},{"jsonrpc":"2.0","id":1,"result":1},{"jsonrpc":"2.0","id":1,"result":3}]\r\n`,
    )
    assert.equal(answers(bench), '')
    assert.equal(ok(bench, seen[3].seq, '3'), '', 'once')
  })

  test('are not answered when all are notifications', () => {
    const bench = open()
    assert.equal(feed(bench, '[{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","method":"n"}]\n').length, 2)
    assert.equal(answers(bench), '')
  })

  test('whose answers were ready before its last member was read go out then', () => {
    const bench = open()
    const message = { type: 0, seq: 0 }
    const line = Buffer.from(`[${member('1')},5]\n`)
    const used = bench.session.unpack(line, 0, line.length, message as never)
    assert.deepEqual([used, message.type], [0, 1])
    assert.equal(ok(bench, message.seq, '1'), '')
    assert.deepEqual(bench.session.unpack(line, 0, line.length, { type: 0 } as never), line.length)
    assert.match(answers(bench), /^\[\{"jsonrpc":"2.0","id":1,"result":1\},.*-32600.*\]\r\n$/)
  })

  test('cut at every byte give the same', () => {
    const line = `[${member('1')},2,{"jsonrpc":"2.0","method":"n"},${member('3')}]\r\n${request('4')}`
    const whole = open()
    const seen = feed(whole, line)
    for (let cut = 0; cut <= line.length; cut++) {
      const bench = open()
      assert.deepEqual([...feed(bench, line.slice(0, cut)), ...feed(bench, line.slice(cut))], seen)
      assert.deepEqual(bench.written, whole.written)
    }
  })

  test('an answer that makes it too large is refused, and its error takes the place', () => {
    const bench = open({ maxMessage: 500 })
    const seen = feed(bench, `[${member('1')},${member('2')}]\n`)
    assert.throws(() => ok(bench, seen[0].seq, `"${'x'.repeat(500)}"`), RangeError)
    assert.equal(failed(bench, seen[0].seq, 500, 'Internal Server Error'), '')
    assert.match(ok(bench, seen[1].seq, '2'), /^\[.*-32603.*"result":2\}\]\r\n$/)
  })

  test('more held answers than may be unsent close the session; given back when a batch is done', () => {
    const bench = open({ maxUnsent: 1000 })
    for (let i = 0; i < 10; i++) {
      const [a, b] = feed(bench, `[${member('1')},${member('2')}]\n`)
      ok(bench, a.seq, `"${'x'.repeat(400)}"`)
      ok(bench, b.seq, '2')
    }
    const open2 = feed(bench, `[${member('1')},${member('2')}]\n[${member('1')},${member('2')}]\n[${member('1')},${member('2')}]\n`)
    ok(bench, open2[0].seq, `"${'x'.repeat(400)}"`)
    ok(bench, open2[2].seq, `"${'x'.repeat(400)}"`)
    assert.throws(() => ok(bench, open2[4].seq, `"${'x'.repeat(400)}"`), matches(CloseReason.Unsent))
  })
})

describe('what we write', () => {
  test('a push is a notification', () => {
    const bench = open()
    const push = { type: 3, seq: 9, method: '/n"é', codec: JSON_ID }
    assert.equal(String(bench.pack({ ...push, body: '[1]' })), '{"jsonrpc":"2.0","method":"/n\\"é","params":[1]}\r\n')
    assert.equal(
      String(bench.pack({ ...push, body: null, metaText: '{"a":"b"}' })),
      '{"jsonrpc":"2.0","method":"/n\\"é","context":{"a":"b"}}\r\n',
    )
  })

  test('a call without a body has null params', () => {
    assert.match(
      String(open().pack({ type: 1, seq: -5, method: 'm', codec: JSON_ID, body: null })),
      /"params":null,"id":-5,"context":\{\}\}\r\n$/,
    )
  })

  test('bodies of other codecs are refused, without bytes they pass', () => {
    for (const type of [1, 2, 3]) {
      assert.throws(() => open().pack({ type, seq: 1, method: 'm', codec: 115, body: 'x' }), /^TypeError: .*json \(106\) only/)
      assert.ok(open().pack({ type, seq: 1, method: 'm', codec: 115, body: '' }).length > 0)
    }
    assert.throws(() => open().pack({ type: 4 }), TypeError)
  })

  test('bytes of the application must be JSON, and stay on one line', () => {
    const bench = open()
    assert.match(ok(bench, 1, Buffer.from('{\r\n  "a": "é\\n"\n}')), /"result":\{\r {3}"a": "é\\n" \},/)
    for (const bad of ['', ' ', '1,"id":5', '1}\r\n{', '"\n"', '[1', 'nul']) {
      if (bad !== '') assert.throws(() => ok(bench, 1, Buffer.from(bad)), /not JSON/, bad)
    }
  })

  test('what this side writes, the other side reads', () => {
    const bench = open()
    const line = bench.pack({ type: 1, seq: 5, method: '/é\n"', codec: JSON_ID, body: '{"x":"\u2028"}', metaText: '{"k":"v"}' })
    const meta = Object.assign(Object.create(null), { k: 'v' })
    assert.deepEqual(open().feed(line), [call({ seq: 5, method: '/é\n"', body: '{"x":"\u2028"}', meta })])
  })
})

test('match: the first byte that is not white space opens an object or an array', () => {
  const match = (text: string) => jsonrpcProto.match?.(Buffer.from(text), defaultLimits)
  for (const text of ['{', ' \r\n[', '\t{}']) assert.equal(match(text), true)
  for (const text of ['', ' ', '\r\n']) assert.equal(match(text), undefined)
  for (const text of ['G', ' 1', '"', ' '.repeat(65)]) assert.equal(match(text), false)
})

test('a line ends at its first line break, wherever that stands and whatever follows', () => {
  const deep = '['.repeat(200) + ']'.repeat(200)
  for (const params of ['{"a":[1,"x"],"b":{}}', deep]) {
    const line = `{"jsonrpc":"2.0","method":"/m","params":${params},"id":7,"context":{}}\r\n`
    for (let at = 0; at < line.length; at++) {
      const text = `${request('1')}${line.slice(0, at)}\n${line.slice(at)}${request('2')}`
      const whole = open()
      const apart = open()
      const seen = feed(whole, text)
      assert.deepEqual(
        seen,
        text.split(/(?<=\n)/).flatMap((each) => feed(apart, each)),
        `broken at ${at}`,
      )
      assert.equal(answers(whole), answers(apart), `broken at ${at}`)
      assert.equal(seen[0].seq, 1)
      assert.equal(seen.at(-1)?.seq, 2)
    }
  }
})

test('1 MiB of one line in single bytes is searched once', () => {
  const line = Buffer.from(`{"jsonrpc":"2.0","method":"m","params":"${'x'.repeat(1 << 20)}","id":1}\n`)
  const { session } = open()
  const begun = performance.now()
  for (let end = 1; end < line.length; end++) assert.equal(session.unpack(line, 0, end, { type: 0 } as never), 0)
  assert.equal(session.unpack(line, 0, line.length, { type: 0 } as never), line.length)
  assert.ok(performance.now() - begun < 3000)
})

function matches(reason: CloseReason) {
  return (error: unknown): boolean => error instanceof ProtoError && error.reason === reason
}
