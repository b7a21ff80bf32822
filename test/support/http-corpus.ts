import type { Golden } from './proto-corpus.ts'

/** Requests and responses as docs/spec/wire.md#http describes them, then what its rules add to them. */
export const httpCorpus: readonly Golden[] = [
  {
    what: 'HTTP-1, a CALL',
    payload: text(
      'POST /math/add HTTP/1.1\r\nAccept-Encoding: gzip\r\nAuthor: osgochina\r\nContent-Length: 11\r\n' +
        'Content-Type: application/json;charset=utf-8\r\nUser-Agent: drpc-httpproto/1.1\r\nX-Mtype: 1\r\nX-Seq: 1\r\n\r\n[1,2,3,4,5]',
    ),
    ...{ type: 1, seq: 1, method: '/math/add', meta: { author: 'osgochina' }, codec: 106, body: '[1,2,3,4,5]' },
  },
  {
    what: 'HTTP-2, a REPLY',
    payload: text(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json;charset=utf-8\r\nX-Mtype: 2\r\nX-Seq: 1\r\n\r\n15',
    ),
    ...{ type: 2, seq: 1, method: '', meta: {}, codec: 106, body: '15' },
  },
  {
    what: 'HTTP-3, a REPLY that failed',
    payload: text(
      'HTTP/1.1 299 Business Error\r\nContent-Length: 56\r\nContent-Type: application/json\r\nX-Mtype: 2\r\nX-Seq: 1\r\n\r\n' +
        '{"code":1,"msg":"test error","cause":"this is test:110"}',
    ),
    ...{ type: 2, seq: 1, method: '', status: { code: 1, message: 'test error', cause: 'this is test:110' }, meta: {}, codec: 0, body: '' },
  },
  {
    what: 'HTTP-4, a CALL with gzip',
    payload: Buffer.concat([
      text(
        'POST /math/add HTTP/1.1\r\nAccept-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 39\r\n' +
          'Content-Type: application/json;charset=utf-8\r\nUser-Agent: drpc-httpproto/1.1\r\nX-Content-Encoding: gzip\r\nX-Mtype: 1\r\n' +
          'X-Seq: 2\r\n\r\n',
      ),
      Buffer.from('1f8b08000000000000ff000b00f4ff5b312c322c332c342c355d010000ffff5efc33630b000000', 'hex'),
    ]),
    ...{ type: 1, seq: 2, method: '/math/add', meta: {}, codec: 106, body: packed() },
  },
  {
    what: 'a CALL with a query, names in other cases, a negative X-Seq and no body',
    payload: text(
      'POST /a%20b?x=%C3%A4&Y=1+2 HTTP/1.1\r\ncontent-length: 0\r\ncontent-type: text/plain\r\nhB_: 3\r\nx-seq: -5\r\nx-real-ip: ::1\r\n\r\n',
    ),
    ...{ type: 1, seq: -5, method: '/a b', meta: { hb_: '3', 'X-Real-IP': '::1', x: 'ä', Y: '1 2' }, codec: 115, body: '' },
  },
  {
    what: 'a CALL in chunks, with extensions and a trailer',
    payload: text(
      'POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\nX-Seq: 7\r\n\r\n' +
        '3;a=b;c="d"\r\n[1,\r\n2\r\n2]\r\n0\r\nDigest: x\r\n\r\n',
    ),
    ...{ type: 1, seq: 7, method: '/c', meta: {}, codec: 106, body: '[1,2]' },
  },
]

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1')
}

function packed(): string {
  return Buffer.from('1f8b08000000000000ff000b00f4ff5b312c322c332c342c355d010000ffff5efc33630b000000', 'hex').toString()
}
