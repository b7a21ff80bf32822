import { it } from 'node:test'
import { onEachTransport } from '../support/helpers.ts'
import { compareTransports, feed, type Row } from '../support/hostile.ts'
import { envelope, field, jsonDocument, pbMessage, type Speaker, speakers, varint } from '../support/hostile-protocols.ts'

const META = 'unreadable meta'
const STATUS = 'unreadable status'
const MALFORMED = 'bytes that are not the protocol'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
const keys = (count: number): string => `{${Array.from({ length: count }, (_, n) => `"k${n}":"v"`).join()}}`
const hostileKeys = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":2,"then":3}'

/** An answer that says 400, in whatever form; one that is JSON says the status code, and HTTP its own. */
const bad = /"code\\?":400|HTTP\/1\.1 400|-32602/

/** Bodies in JSON, which reach the codec in frames that are intact: D1, D2, D3, D4, P1, P2. */
function bodies({ name, call }: Speaker): Row[] {
  // jsonrpc has the body in its own text: what is no JSON there is no message.
  const refused = name === 'jsonrpc' ? /-32700|-32602/ : bad
  const row = (id: string, what: string, body: string | Buffer, says?: RegExp): Row => ({
    row: id,
    what,
    bytes: call(body),
    ...(says && { says }),
  })
  return [
    ...[1, 100, 128].map((depth) => row('D1', `nesting of ${depth}`, nested(depth), /\[\]/)),
    ...[129, 1000, 10_000, 100_000].flatMap((depth) => [
      row('D1', `nesting of ${depth}`, nested(depth), refused),
      row('D1', `objects nested ${depth} times`, objects(depth), refused),
    ]),
    row('D1', '100,000 brackets and no end', '['.repeat(100_000), refused),
    row('D2', '1e400', '1e400', /null/),
    row('D2', 'minus zero', '-0', /0/),
    row('D2', 'a million digits', '9'.repeat(1_000_000)),
    row('D2', 'a million digits behind the point', `0.${'3'.repeat(1_000_000)}`, /0\.33333/),
    row('D2', 'a huge exponent', `1e${'9'.repeat(100_000)}`, /null/),
    ...['NaN', 'Infinity', '01', '1.', '+1', '0x1', '1e'].map((number) => row('D2', number, number, refused)),
    row('D3', 'overlong UTF-8', Buffer.from([0x22, 0xc0, 0xaf, 0x22])),
    row('D3', 'invalid UTF-8', Buffer.from([0x22, 0x61, 0xff, 0x62, 0x22])),
    row('D3', 'half a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])),
    row('D3', 'half a surrogate escaped', '"\\ud800"'),
    row('D3', 'cut UTF-8', Buffer.from([0x22, 0xe4, 0xb8, 0x22])),
    row('D4', '100,000 keys', keys(100_000), /k99999/),
    row('P1', 'hostile keys', hostileKeys, /hasOwnProperty/),
    row('P1', 'the same, escaped', hostileKeys.replace('__proto__', '\\u005f_proto__')),
    row('P2', 'something to wait for', '{"then":"x"}'),
    row('P2', 'a list where an object is expected', '[{"length":-1}]'),
  ]
}

/** Meta, for protocols that have it as JSON: D4, P1, P2. */
function metas({ call }: Speaker): Row[] {
  return [
    { row: 'D4', what: '256 keys of meta', bytes: call('1', { meta: keys(256) }) },
    { row: 'D4', what: '257 keys of meta', bytes: call('1', { meta: keys(257) }), closes: META },
    { row: 'D4', what: 'thousands of keys of meta', bytes: call('1', { meta: keys(4000) }), closes: META },
    { row: 'D1', what: 'nested meta', bytes: call('1', { meta: `{"a":${nested(10_000)}}` }), closes: META },
    { row: 'P1', what: 'hostile keys of meta', bytes: call('1', { meta: '{"__proto__":"x","constructor":"y","toString":"z"}' }) },
  ]
}

const post = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
const head = (lines: string, body = ''): string => `${post}${lines}\r\n${body}`
const refuse = (what: string, bytes: string, code = 400, closes = MALFORMED): Row => ({
  row: 'D6',
  what,
  bytes,
  closes,
  says: new RegExp(`^HTTP/1.1 ${code} `),
})

/** RFC 9112; the parser alone has longer tables in test/unit/protos/http-hostile.test.ts. */
const http: Row[] = [
  refuse('Content-Length and Transfer-Encoding', head('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')),
  refuse('Transfer-Encoding and Content-Length', head('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '0\r\n\r\n')),
  refuse('two Content-Lengths', head('Content-Length: 1\r\nContent-Length: 2\r\n', '12')),
  refuse('two equal Content-Lengths', head('Content-Length: 1\r\nContent-Length: 1\r\n', '1')),
  refuse('a folded header', head('A: 1\r\n b\r\n')),
  refuse('a bare LF', head('A: 1\nB: 2\r\n')),
  refuse('a bare CR', head('A: 1\rB: 2\r\n')),
  refuse('NUL in a value', head('A: \0\r\n')),
  refuse('a space before the colon', head('A : 1\r\n')),
  refuse('no Host', 'GET /echo HTTP/1.1\r\n\r\n'),
  refuse('two Hosts', 'GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'),
  refuse('a chunk size with a sign', head('Transfer-Encoding: chunked\r\n', '+1\r\n1\r\n0\r\n\r\n')),
  refuse('a chunk size over 2^64', head('Transfer-Encoding: chunked\r\n', `${'f'.repeat(20)}\r\n`)),
  refuse('a chunk without its line end', head('Transfer-Encoding: chunked\r\n', '1\r\n12\r\n0\r\n\r\n')),
  refuse(
    'a chunk over the limit',
    head('Transfer-Encoding: chunked\r\n', `80000000\r\n${'x'.repeat(17 * 1024 * 1024)}`),
    413,
    'frame larger than the limit',
  ),
  refuse('a header of 1 MB', head(`A: ${'x'.repeat(1_000_000)}\r\n`), 431, 'frame larger than the limit'),
  refuse('10,000 headers', head(Array.from({ length: 10_000 }, (_, n) => `H${n}: 1\r\n`).join('')), 431, META),
  refuse('300 headers', head(Array.from({ length: 300 }, (_, n) => `H${n}: 1\r\n`).join('')), 431, META),
  refuse(
    '300 parameters',
    `GET /echo?${Array.from({ length: 300 }, (_, n) => `p${n}=1`).join('&')} HTTP/1.1\r\nHost: x\r\n\r\n`,
    431,
    META,
  ),
  refuse('CONNECT', 'CONNECT /echo HTTP/1.1\r\nHost: x\r\n\r\n', 501, 'bytes of no protocol, or of several, that is offered here'),
  {
    row: 'D6',
    what: 'pipelined, then nonsense',
    bytes: `${head('Content-Length: 1\r\n', '1')}${head('Content-Length: 1\r\n', '2')}nonsense\r\n\r\n`,
    closes: MALFORMED,
    says: /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n1HTTP\/1\.1 200 [\s\S]*\r\n\r\n2HTTP\/1\.1 400 /,
  },
  {
    row: 'D6',
    what: 'three requests, three answers',
    bytes: head('Content-Length: 1\r\n', '1').repeat(3),
    says: /^(?:HTTP\/1\.1 200 [\s\S]*?\r\n\r\n1){3}HTTP/,
  },
  {
    row: 'D6',
    what: 'chunks with extensions and trailers',
    bytes: head('Transfer-Encoding: chunked\r\n', '1;a=b\r\n1\r\n0\r\nT: x\r\n\r\n'),
    says: /\r\n\r\n1HTTP/,
  },
  { row: 'P1', what: 'hostile header names', bytes: head('__proto__: x\r\nconstructor: y\r\nContent-Length: 1\r\n', '1'), says: /200 OK/ },
  {
    row: 'P1',
    what: 'hostile parameters',
    bytes: 'POST /echo?__proto__=x&constructor=y HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1',
    says: /200 OK/,
  },
]

const answer = (id: string, code: number): RegExp => new RegExp(`"id":${id},"error":\\{"code":${code}`)
const line = (text: string): string => `${text}\n`
const request = (id: string, more = ''): string => `{"jsonrpc":"2.0","id":${id},"method":"/echo","params":["x"]${more}}`

const jsonrpc: Row[] = [
  { row: 'D7', what: 'a batch of nothing', bytes: line('[]'), says: answer('null', -32600) },
  { row: 'D7', what: 'a batch of one', bytes: line(`[${request('1')}]`), says: /^\[\{[^\n]*"id":1[^\n]*\}\]\r\n/ },
  {
    row: 'D7',
    what: 'a batch of 10,000',
    bytes: line(`[${Array.from({ length: 10_000 }, (_, n) => request(String(n))).join()}]`),
    says: answer('null', -32600),
  },
  { row: 'D7', what: 'a batch of nonsense', bytes: line('[1,2,3]'), says: /^\[(?:[^\n]*-32600){3}/ },
  { row: 'D7', what: 'a batch cut short', bytes: line(`[${request('1')},`), says: answer('null', -32700) },
  { row: 'D7', what: 'a batch in a batch', bytes: line(`[[${request('1')}]]`), says: answer('null', -32600) },
  { row: 'D7', what: 'a batch of notifications', bytes: line('[{"jsonrpc":"2.0","method":"/echo"},{"jsonrpc":"2.0","method":"/echo"}]') },
  { row: 'D7', what: 'id null', bytes: line(request('null')), says: /"id":null/ },
  { row: 'D7', what: 'an id with a fraction', bytes: line(request('1.5')), says: /"id":1\.5,/ },
  { row: 'D7', what: 'an id that is an object', bytes: line(request('{}')), says: answer('null', -32600) },
  { row: 'D7', what: 'an id that is a list', bytes: line(request('[1]')), says: answer('null', -32600) },
  { row: 'D7', what: 'an id of 10,000 letters', bytes: line(request(`"${'i'.repeat(10_000)}"`)), says: answer('null', -32600) },
  { row: 'D7', what: 'an id twice', bytes: line(request('7')) + line(request('7')), says: /(?:"id":7[\s\S]*){2}/ },
  { row: 'D7', what: 'an id twice in a batch', bytes: line(`[${request('7')},${request('7')}]`), says: /^\[[^\n]*"id":7[^\n]*"id":7/ },
  { row: 'D7', what: 'a notification', bytes: line('{"jsonrpc":"2.0","method":"/echo","params":[1]}') },
  { row: 'D7', what: 'no version', bytes: line('{"id":1,"method":"/echo"}'), says: answer('1', -32600) },
  { row: 'P2', what: 'a method that is a number', bytes: line('{"jsonrpc":"2.0","id":1,"method":1}'), says: answer('1', -32600) },
  { row: 'P2', what: 'params that are text', bytes: line('{"jsonrpc":"2.0","id":1,"method":"/echo","params":"x"}') },
  ...['1', 'null', '"x"', 'true'].map(
    (text): Row => ({ row: 'P2', what: `a message that is ${text}`, bytes: line(text), says: answer('null', -32600) }),
  ),
]

const json: Row[] = [
  {
    row: 'D1',
    what: 'an unknown member, nested',
    bytes: envelope(`{"x":${nested(10_000)},"mtype":1,"seq":1,"serviceMethod":"/echo","body":"1"}`),
    closes: MALFORMED,
  },
  ...['1', '[]', '{}', 'true'].map(
    (body): Row => ({
      row: 'P2',
      what: `a body that is ${body}`,
      bytes: envelope(`{"mtype":1,"seq":1,"serviceMethod":"/echo","bodyCodec":106,"body":${body}}`),
      closes: MALFORMED,
    }),
  ),
  ...['1', '[]', '{}', 'true'].map(
    (name): Row => ({
      row: 'P2',
      what: `a method that is ${name}`,
      bytes: envelope(`{"mtype":1,"seq":1,"serviceMethod":${name},"bodyCodec":106,"body":"1"}`),
      closes: MALFORMED,
    }),
  ),
  { row: 'P2', what: 'meta that is a list', bytes: envelope(jsonDocument('1', { meta: '[]' })), closes: META },
  { row: 'P2', what: 'a status that is text', bytes: envelope('{"mtype":2,"seq":1,"status":"x","meta":"{}"}'), closes: STATUS },
  {
    row: 'P1',
    what: 'hostile members',
    bytes: envelope('{"__proto__":{"polluted":1},"constructor":1,"mtype":1,"seq":1,"serviceMethod":"/echo","bodyCodec":106,"body":"1"}'),
  },
  { row: 'P2', what: 'a list', bytes: envelope('[1,2]'), closes: MALFORMED },
  { row: 'P2', what: 'text', bytes: envelope('"{}"'), closes: MALFORMED },
]

const good = pbMessage('1')
const pb = (...more: Buffer[]): Buffer => envelope(Buffer.concat([good, ...more]))
const group = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x43), Buffer.alloc(depth, 0x44)])

const protobuf: Row[] = [
  {
    row: 'D8',
    what: 'unknown fields of every kind',
    bytes: pb(Buffer.from([0x40, 1]), field(9, 'x'), Buffer.from([0x49, ...Array<number>(8).fill(1)]), Buffer.from([0x4d, 1, 1, 1, 1])),
  },
  { row: 'D8', what: 'a group', bytes: pb(group(1)) },
  { row: 'D8', what: 'groups nested 100 times', bytes: pb(group(100)) },
  ...[1000, 10_000, 100_000].map(
    (depth): Row => ({ row: 'D1', what: `groups nested ${depth} times`, bytes: pb(group(depth)), closes: MALFORMED }),
  ),
  { row: 'D8', what: 'a group that ends another', bytes: pb(Buffer.from([0x43, 0x4c])), closes: MALFORMED },
  { row: 'D8', what: 'the end of no group', bytes: pb(Buffer.from([0x44])), closes: MALFORMED },
  { row: 'D8', what: 'a cut varint', bytes: pb(Buffer.from([0x08, 0xff])), closes: MALFORMED },
  { row: 'D8', what: 'a varint of ten bytes', bytes: pb(Buffer.from([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])) },
  { row: 'D8', what: 'a varint of eleven bytes', bytes: pb(Buffer.from([0x08, ...Array<number>(10).fill(0xff), 0x01])), closes: MALFORMED },
  { row: 'D8', what: 'a varint over 64 bits', bytes: pb(Buffer.from([0x08, ...Array<number>(9).fill(0xff), 0x02])), closes: MALFORMED },
  { row: 'D8', what: 'field 0', bytes: pb(Buffer.from([0x00, 0x00])), closes: MALFORMED },
  { row: 'D8', what: 'wire types 6 and 7', bytes: pb(Buffer.from([0x46])), closes: MALFORMED },
  { row: 'D8', what: 'a length of 2^32 - 1', bytes: pb(Buffer.from([0x3a]), varint(2 ** 32 - 1)), closes: MALFORMED },
  { row: 'P2', what: 'a number where the body is expected', bytes: pb(Buffer.from([0x38, 1])) },
  { row: 'P2', what: 'numbers packed where one is expected', bytes: pb(field(1, Buffer.from([1, 2]))) },
  { row: 'P2', what: 'meta that is a list', bytes: pb(field(5, '[]')), closes: META },
  { row: 'P2', what: 'a status that is text', bytes: envelope(Buffer.concat([Buffer.from([0x10, 2, 0x08, 1]), field(4, '"x"')])) },
]

const redis: Row[] = [
  { row: 'P1', what: 'hostile words', bytes: '*3\r\n$4\r\necho\r\n$9\r\n__proto__\r\n$11\r\nconstructor\r\n', says: /__proto__/ },
  { row: 'D3', what: 'bytes that are no UTF-8', bytes: Buffer.from('*2\r\n$4\r\necho\r\n$3\r\na\xffb\r\n', 'latin1') },
  { row: 'D4', what: '100,000 words', bytes: `*100001\r\n$4\r\necho\r\n${'$1\r\nx\r\n'.repeat(100_000)}` },
  { row: 'D6', what: 'a browser', bytes: 'POST / HTTP/1.1\r\nHost: x\r\n\r\n', closes: MALFORMED },
  {
    row: 'D6',
    what: 'CR and LF in a command are no reply of their own',
    bytes: '*1\r\n$9\r\nx\r\n+OK\r\ny\r\n',
    says: /^-ERR unknown command 'x {2}\+OK {2}y', with args beginning with: \r\n/,
  },
]

const rows: Record<keyof typeof speakers, readonly Row[]> = {
  json: [...bodies(speakers.json), ...metas(speakers.json), ...json],
  protobuf: [...bodies(speakers.protobuf), ...metas(speakers.protobuf), ...protobuf],
  http: [...bodies(speakers.http), ...http],
  jsonrpc: [...bodies(speakers.jsonrpc), ...metas(speakers.jsonrpc), ...jsonrpc],
  redis,
}

onEachTransport('hostile content', (transport) => {
  for (const { name, call } of Object.values(speakers)) {
    const alive = (token: string): Buffer => call(name === 'redis' ? token : `"${token}"`)

    it(`${name}: what cannot be read is refused or answered, and the rest goes on`, (t) =>
      feed(t, transport, name, rows[name as keyof typeof rows], alive))
  }
})

compareTransports()
