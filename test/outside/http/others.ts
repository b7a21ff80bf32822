import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Session } from '../../../src/index.ts'
import { endpoint, type Kind, status } from '../../support/helpers.ts'

/** What a server of somebody else does, of which not all can be said. */
export interface Ability {
  /** It has `/chunked`, whose answer comes in chunks. */
  chunks: boolean
  /** It speaks HTTP/1.0: an answer ends with its connection, which serves one call. */
  old: boolean
}

/** Calls of ours to a server that is not: each must give what its answer says. */
export async function callServer(t: TestContext, transport: Kind, url: string, { chunks, old }: Ability): Promise<void> {
  const client = endpoint(t, { transport, protocol: 'http' })
  const dial = (): Promise<Session> => client.dial(url)
  const one = await dial()
  const call = async (path: string, value: unknown = 1): Promise<unknown> => (old ? await dial() : one).call(path, value)

  assert.deepEqual(await call('/echo', { a: [1, 'ä水'] }), { a: [1, 'ä水'] })
  assert.equal(await call('/host'), url.startsWith('tcp:') ? new URL(url).host : 'localhost')
  assert.equal(((await call('/big')) as string).length, 2_000_000)
  assert.equal(((await call('/echo', 'y'.repeat(1_000_000))) as string).length, 1_000_000)
  assert.deepEqual(await call('/suffix'), { a: 1 })
  assert.equal(await call('/empty'), undefined)
  assert.deepEqual(await status(call('/fail')), [500, 'Internal Server Error', 'broken'])
  // Some close the connection with such an answer.
  assert.deepEqual((await status((await dial()).call('/missing'))).slice(0, 2), [404, 'Not Found'])
  if (chunks) assert.deepEqual(await call('/chunked'), [1, 2, 3])
  const values = Array.from({ length: 20 }, (_, i) => i)
  assert.deepEqual(await Promise.all(values.map((i) => call('/echo', i))), values)
  if (!old) assert.equal(one.state, 'open')

  const last = await dial()
  const closed = new Promise((resolve) => last.once('close', resolve))
  assert.equal(await last.call('/last', 1), true)
  await closed
}

/** A server of node:http that has all of it. @returns its port */
export async function nodeServer(t: TestContext): Promise<number> {
  const answers: Record<string, [status: number, type: string, body: string]> = {
    '/big': [200, 'application/json', `"${'z'.repeat(2_000_000)}"`],
    '/suffix': [200, 'application/problem+json; charset=utf-8', '{"a":1}'],
    '/fail': [500, 'text/plain', 'broken'],
    '/empty': [204, 'application/json', ''],
    '/last': [200, 'application/json', 'true'],
  }
  const server = createServer((request, response) => {
    const { url = '', headers } = request
    const [status, type, body] = answers[url] ?? [404, 'text/plain', 'nothing here']
    if (url === '/echo') {
      response.setHeader('Content-Type', headers['content-type'] ?? 'application/json')
      request.pipe(response)
    } else if (url === '/chunked') {
      response.setHeader('Content-Type', 'application/json')
      for (const part of ['[1,', '2,', '3]']) response.write(part)
      response.end()
    } else {
      if (url === '/last') response.setHeader('Connection', 'close')
      response.writeHead(url === '/host' ? 200 : status, { 'Content-Type': url === '/host' ? 'application/json' : type })
      response.end(url === '/host' ? JSON.stringify(headers.host) : body)
    }
  })
  t.after(() => server.close().closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
