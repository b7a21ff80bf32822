import type { DecodedStatus } from '../../src/message/status-json.ts'
import { httpCorpus } from './http-corpus.ts'
import { jsonrpcCorpus, redisCorpus } from './line-corpus.ts'

/** Bytes that a protocol reads as one message, and that message. In an envelope they are the payload. */
export interface Golden {
  readonly what: string
  readonly payload: Buffer
  readonly type: number
  readonly seq: number
  readonly method: string
  /** Undefined when OK. */
  readonly status?: DecodedStatus | undefined
  readonly meta: Readonly<Record<string, string>>
  readonly codec: number
  readonly body: string
}

const OK = String.raw`"{\"code\":0,\"msg\":\"\",\"cause\":\"\"}"`
/** What a panic in Go may say; the escapes for it are no JSON. */
const COLOURED: DecodedStatus = { code: 500, message: '\x1b[31m\x07"漢\u{e0001}', cause: '\ufffd\\ \u2028' }
const NOT_FOUND: DecodedStatus = { code: 404, message: 'Not Found', cause: '' }

/** By name of the protocol: the vectors of the wire specification, then what its rules add to them. */
export const corpus: Record<string, readonly Golden[]> = {
  http: httpCorpus,
  jsonrpc: jsonrpcCorpus,
  redis: redisCorpus,
  json: [
    {
      what: 'JSON-1, a CALL',
      payload: text(
        String.raw`{"seq":1,"mtype":1,"serviceMethod":"/math/add","status":${OK},"meta":"{\"author\":\"osgochina\"}","bodyCodec":106,"body":"[1,2,3,4,5]"}`,
      ),
      ...{ type: 1, seq: 1, method: '/math/add', meta: { author: 'osgochina' }, codec: 106, body: '[1,2,3,4,5]' },
    },
    {
      what: 'JSON-2, a REPLY',
      payload: text(String.raw`{"seq":1,"mtype":2,"serviceMethod":"","status":${OK},"meta":"{}","bodyCodec":106,"body":"\"pong\""}`),
      ...{ type: 2, seq: 1, method: '', meta: {}, codec: 106, body: '"pong"' },
    },
    {
      what: 'JSON-3, a REPLY that failed',
      payload: text(
        String.raw`{"seq":1,"mtype":2,"serviceMethod":"","status":"{\"code\":404,\"msg\":\"Not Found\",\"cause\":\"\"}","meta":"{}","bodyCodec":0,"body":""}`,
      ),
      ...{ type: 2, seq: 1, method: '', status: NOT_FOUND, meta: {}, codec: 0, body: '' },
    },
    {
      what: 'JSON-4, a PUSH',
      payload: text(
        String.raw`{"seq":2,"mtype":3,"serviceMethod":"/push/status","status":${OK},"meta":"{}","bodyCodec":106,"body":"\"hi\""}`,
      ),
      ...{ type: 3, seq: 2, method: '/push/status', meta: {}, codec: 106, body: '"hi"' },
    },
    {
      what: 'backslashes in a body of Go',
      payload: text(
        String.raw`{"seq":-7,"mtype":1,"serviceMethod":"/p","status":${OK},"meta":"{}","bodyCodec":106,"body":"{\"p\":\"C:\\new\\\"x\\\"\"}"}`,
      ),
      ...{ type: 1, seq: -7, method: '/p', meta: {}, codec: 106, body: String.raw`{"p":"C:\\new\\"x\\""}` },
    },
    {
      what: 'escapes of Go, captured',
      payload: text(
        String.raw`{"seq":-12345,"mtype":2,"serviceMethod":"","status":"{\"code\":500,\"msg\":\"\\x1b[31m\\a\\\"漢\\U000e0001\",\"cause\":\"\\xff\\\\ \\u2028\"}","meta":"{\"k\x7f\":\"\u00a0\\u0001\\u003c\U000e0001\\\"\"}","bodyCodec":0,"body":""}`,
      ),
      ...{ type: 2, seq: -12345, method: '', status: COLOURED, meta: { 'k\x7f': '\u00a0\x01<\u{e0001}"' }, codec: 0, body: '' },
    },
    {
      what: 'our own layout',
      payload: text(
        String.raw`{"mtype":1,"seq":3,"serviceMethod":"/p","status":${OK},"meta":"{}","bodyCodec":106,"body":"{\"p\":\"C:\\\\new\\n\"}"}`,
      ),
      ...{ type: 1, seq: 3, method: '/p', meta: {}, codec: 106, body: String.raw`{"p":"C:\\new\n"}` },
    },
    {
      what: 'another layout, objects in place of text',
      payload: text(
        `{ "body": "{}", "extra": [{}], "meta": {"k": "v", "n": 1.0}, "status": {"code": 404, "msg": "Not Found"}, "mtype": "2", "seq": "-9" }`,
      ),
      ...{ type: 2, seq: -9, method: '', status: NOT_FOUND, meta: { k: 'v', n: '1.0' }, codec: 0, body: '{}' },
    },
  ],
  protobuf: [
    {
      what: 'PB-1, a CALL',
      payload: hex(
        '080110011a092f6d6174682f616464221e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d2a167b22617574686f72223a226f73676f6368696e61227d306a3a0b5b312c322c332c342c355d',
      ),
      ...{ type: 1, seq: 1, method: '/math/add', meta: { author: 'osgochina' }, codec: 106, body: '[1,2,3,4,5]' },
    },
    {
      what: 'PB-2, a REPLY',
      payload: hex('08011002221e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d2a027b7d30703a0708641203616263'),
      ...{ type: 2, seq: 1, method: '', meta: {}, codec: 112, body: '\bd\x12\x03abc' },
    },
    {
      what: 'PB-3, a REPLY that failed',
      payload: hex('0801100222297b22636f6465223a3430342c226d7367223a224e6f7420466f756e64222c226361757365223a22227d2a027b7d'),
      ...{ type: 2, seq: 1, method: '', status: NOT_FOUND, meta: {}, codec: 0, body: '' },
    },
    {
      what: 'PB-4, a PUSH',
      payload: hex(
        '080210031a0c2f707573682f737461747573221e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d2a027b7d306a3a0422686922',
      ),
      ...{ type: 3, seq: 2, method: '/push/status', meta: {}, codec: 106, body: '"hi"' },
    },
    {
      what: 'escapes of Go, captured',
      payload: hex(
        '08c79fffffffffffffff01 1002 22467b22636f6465223a3530302c226d7367223a225c7831625b33316d5c615c22e6bca25c553030306530303031222c226361757365223a225c7866665c5c205c7532303238227d 2a1d7b226b7f223a22c2a05c75303030315c7530303363f3a080815c22227d',
      ),
      ...{ type: 2, seq: -12345, method: '', status: COLOURED, meta: { 'k\x7f': '\u00a0\x01<\u{e0001}"' }, codec: 0, body: '' },
    },
    {
      what: 'a negative seq, fields that are absent, repeated, unknown or out of order',
      payload: hex('3a0178 3a026869 4801 53 0807 54 5a020102 1003 08f7ffffffffffffffff01'),
      ...{ type: 3, seq: -9, method: '', meta: {}, codec: 0, body: 'hi' },
    },
    {
      what: 'the body first, the service method last',
      payload: hex(
        '3a0178 306a 2a097b226b223a2276227d 22297b22636f6465223a3430342c226d7367223a224e6f7420466f756e64222c226361757365223a22227d 1a022f70 1002 0801',
      ),
      ...{ type: 2, seq: 1, method: '/p', status: NOT_FOUND, meta: { k: 'v' }, codec: 106, body: 'x' },
    },
  ],
}

function text(document: string): Buffer {
  return Buffer.from(document)
}

/** @param digits with spaces where they help */
function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex')
}
