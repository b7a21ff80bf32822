import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHttpOptions } from '../../../src/protos/http/options.ts'
import { httpWith } from '../../../src/protos/http.ts'
import { Bench, type Seen } from '../../support/protos.ts'

const http = httpWith(readHttpOptions({}))
await http.prepare?.()

function request(seq: string, body = '{"a":1}', more = ''): string {
  return `POST /math/add HTTP/1.1\r\nContent-Length: ${body.length}\r\nContent-Type: application/json\r\nX-Seq: ${seq}\r\n${more}X-MType: 1\r\n\r\n${body}`
}

/** What a connection makes of requests that come in `parts`: messages, or how it refused them. */
function outcome(parts: readonly string[]): { messages: Seen[]; refused: string } {
  const bench = new Bench(http)
  const messages: Seen[] = []
  try {
    for (const part of parts) messages.push(...bench.feed(Buffer.from(part, 'latin1')))
    return { messages, refused: '' }
  } catch (error) {
    return { messages, refused: (error as Error).message }
  } finally {
    bench.session.close?.()
  }
}

test('requests that differ in X-Seq alone are each read with their own', () => {
  const seqs = ['1', '2', '10', '9', '2147483647', '-2147483648', '-1', '0', '7', '00', '123']
  const { messages, refused } = outcome([seqs.map((seq) => request(seq)).join('')])
  assert.equal(refused, '')
  assert.deepEqual(
    messages.map(({ seq }) => seq),
    seqs.map(Number),
  )
  for (const { method, body, codec } of messages) assert.deepEqual([method, body, codec], ['/math/add', '{"a":1}', 106])
})

test('what follows a request is what it would be on a connection of its own', () => {
  const odd = ['', 'x', '1x', '1 2', ' 5', '5 ', '2147483648', '99999999999', '1e3', '+1', '--1', '1\t', '1;', '1,2']
  const others = [
    ...odd.map((seq) => request(seq)),
    request('5', '{"a":1}', 'X-Seq: 6\r\n'),
    request('5', '{"a":1}', 'author: me\r\n'),
    request('5', '{"a":1}', 'Transfer-Encoding: chunked\r\n'),
    request('5', '{"a":1}', 'Connection: close\r\n'),
    request('5', '{"a":12}'),
    request('5').replace('/math/add', '/math/sub'),
    request('5').replace('POST', 'GET'),
    request('5').replace('X-MType: 1', 'X-MType: 9'),
    request('5').replace('\r\nX-MType', '\nX-MType'),
    request('5').replace('X-Seq: 5\r\n', ''),
  ]
  for (const other of others) {
    const alone = outcome([other])
    const after = outcome([request('4'), request('5'), other])
    assert.equal(after.refused, alone.refused, JSON.stringify(other))
    assert.deepEqual(after.messages.slice(2), alone.messages, JSON.stringify(other))
  }
})

test('a repeated request may come in pieces, cut anywhere', () => {
  const next = request('12345')
  for (let at = 0; at <= next.length; at++) {
    const { messages, refused } = outcome([request('1'), request('22'), next.slice(0, at), next.slice(at), request('3')])
    assert.equal(refused, '')
    assert.deepEqual(
      messages.map(({ seq, body }) => [seq, body]),
      [1, 22, 12_345, 3].map((seq) => [seq, '{"a":1}']),
      `cut at ${at}`,
    )
  }
})
