import type { Golden } from './proto-corpus.ts'

const call = { type: 1, seq: 1, meta: {}, codec: 106 }
const reply = { type: 2, seq: 1, method: '', meta: {}, codec: 106 }

/** Lines as docs/spec/wire.md#jsonrpc describes them, then what the standard adds to them. */
export const jsonrpcCorpus: readonly Golden[] = [
  {
    what: 'JR-1, a CALL',
    payload: line('{"jsonrpc":"2.0","method":"/math/add","params":[1,2,3,4,5],"id":1,"context":{"author":"osgochina"}}'),
    ...{ ...call, method: '/math/add', meta: { author: 'osgochina' }, body: '[1,2,3,4,5]' },
  },
  { what: 'JR-2, a REPLY', payload: line('{"jsonrpc":"2.0","id":1,"result":15,"context":{}}'), ...reply, body: '15' },
  {
    what: 'JR-3, a REPLY that failed',
    payload: line('{"jsonrpc":"2.0","id":1,"context":{},"error":{"code":404,"message":"Not Found","data":null}}'),
    ...{ ...reply, codec: 0, status: { code: 404, message: 'Not Found', cause: '' }, body: '' },
  },
  {
    what: 'a CALL of the standard',
    payload: line('{"jsonrpc":"2.0","method":"subtract","params":{"minuend":42,"subtrahend":23},"id":3}'),
    ...{ ...call, seq: 3, method: 'subtract', body: '{"minuend":42,"subtrahend":23}' },
  },
  {
    what: 'a CALL with an id of its own kind',
    payload: line('{"id":"4b1a-é","method":"\\u002fm","jsonrpc":"2.0"}'),
    ...{ ...call, seq: 2 ** 32, method: '/m', body: '' },
  },
  {
    what: 'a notification',
    payload: line('{"jsonrpc": "2.0", "method": "update", "params": [1,"a\\n",null,true,-1.5e3]}'),
    ...{ ...call, type: 3, seq: 0, method: 'update', body: '[1,"a\\n",null,true,-1.5e3]' },
  },
  {
    what: 'an error of the standard',
    payload: line('{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": -7}'),
    ...{ ...reply, seq: -7, codec: 0, status: { code: 404, message: 'Method not found', cause: '' }, body: '' },
  },
  {
    what: 'a batch of one',
    payload: line('[{"jsonrpc":"2.0","method":"m","params":[[]],"id":1}]'),
    ...{ ...call, seq: 2 ** 32, method: 'm', body: '[[]]' },
  },
]

const command = { type: 1, seq: 1, meta: {}, codec: 0x72 }

/** Requests as docs/spec/wire.md#redis describes them, then what Go gets wrong (docs/spec/go-defects.md W21). */
export const redisCorpus: readonly Golden[] = [
  {
    what: 'RD-1, GET foo',
    payload: Buffer.from('*2\r\n$3\r\nGET\r\n$3\r\nfoo\r\n'),
    ...{ ...command, method: '/redis/get', body: '$3\r\nfoo\r\n' },
  },
  { what: 'RD-4, a line', payload: Buffer.from('PING\r\n'), ...command, method: '/redis/ping', body: '*0\r\n' },
  {
    what: 'words on a line',
    payload: Buffer.from('set a  b\n'),
    ...{ ...command, method: '/redis/set', body: '$1\r\na\r\n$1\r\nb\r\n' },
  },
  {
    what: 'arguments that are empty, or look like RESP',
    payload: Buffer.from('*3\r\n$3\r\nSET\r\n$0\r\n\r\n$8\r\n$1\r\nx\r\n*\r\n'),
    ...{ ...command, method: '/redis/set', body: '$0\r\n\r\n$8\r\n$1\r\nx\r\n*\r\n' },
  },
]

function line(text: string): Buffer {
  return Buffer.from(`${text}\r\n`)
}
