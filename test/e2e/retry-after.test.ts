import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { it } from 'node:test'
import { StatusError } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair } from '../support/helpers.ts'

async function failure(call: Promise<unknown>): Promise<StatusError> {
  try {
    await call
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return error
  }
  throw new Error('expected a failure')
}

const post = ['-X', 'POST', '-H', 'Content-Type: application/json']

/** What curl printed. */
async function curl(...args: string[]): Promise<string> {
  const process = spawn('curl', ['--silent', '--show-error', '--max-time', '10', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  process.stdout.on('data', (bytes) => {
    out += bytes
  })
  const ended = once()
  process.once('close', () => ended.resolve())
  await ended.promise
  return out
}

onEachTransport('when to try again', (transport) => {
  for (const protocol of ['raw', 'json', 'protobuf', 'http', 'jsonrpc']) {
    it(`${protocol}: the hint of a refusal, a handler’s or ours, reaches the caller`, async (t) => {
      const both = { protocol }
      const { server, session } = await pair(t, transport, { server: { ...both, limits: { maxRunning: 1 } }, client: both })
      const gate = once()
      const begun = once()
      server.routeCall('/wait', () => {
        begun.resolve()
        return gate.promise
      })
      server.routeCall('/busy', (_: unknown, ctx) => {
        ctx.setMeta('mine', '1')
        throw new StatusError(503, 'later', '', { retryAfter: 1234.2 })
      })
      server.routeCall('/fails', () => {
        throw new StatusError(503, 'no')
      })
      const told = await failure(session.call('/busy'))
      assert.deepEqual([told.code, told.retryAfter], [503, 1235])
      assert.equal((await failure(session.callReply('/busy'))).retryAfter, 1235)
      assert.equal((await failure(session.call('/fails'))).retryAfter, undefined)
      const waits = session.call('/wait')
      await begun.promise
      const refused = await failure(session.call('/fails'))
      assert.deepEqual([refused.code, refused.retryAfter], [429, 1000])
      gate.resolve()
      await waits
    })
  }

  it('redis has no place for it', async (t) => {
    const both = { protocol: 'redis' }
    const { server, session } = await pair(t, transport, { server: both, client: both })
    server.routeCall('/busy', () => {
      throw new StatusError(503, 'later', '', { retryAfter: 1234 })
    })
    assert.equal((await failure(session.call('/busy'))).retryAfter, undefined)
  })

  it('curl sees it in milliseconds, and as Retry-After in whole seconds', async (t) => {
    const server = endpoint(t, { transport, protocol: 'http', limits: { maxRunning: 1 } })
    const refuses = (retryAfter: number | undefined, meta: Record<string, string> = {}) => {
      return (_: unknown, ctx: { setMeta(key: string, value: string): void }) => {
        for (const [key, value] of Object.entries(meta)) ctx.setMeta(key, value)
        throw new StatusError(503, 'later', '', { retryAfter })
      }
    }
    server.routeCall('/soon', refuses(1))
    server.routeCall('/later', refuses(1001))
    server.routeCall('/now', refuses(0))
    server.routeCall('/never', refuses(undefined))
    server.routeCall('/own', refuses(5000, { 'retry-after': '77' }))
    server.routeCall('/odd', refuses(undefined, { 'X-Retry-After': 'soon' }))
    server.routeCall('/fine', (_: unknown, ctx) => ctx.setMeta('X-Retry-After', '5000'))
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const hints = async (path: string): Promise<string[]> => {
      const [head] = (await curl('-i', ...post, `${url.replace('tcp:', 'http:')}${path}`)).split('\r\n\r\n')
      return head.split('\r\n').filter((line) => /^(http|(x-)?retry-after)/i.test(line))
    }
    const unavailable = 'HTTP/1.1 503 Service Unavailable'
    assert.deepEqual(await hints('/soon'), [unavailable, 'Retry-After: 1', 'X-Retry-After: 1'])
    assert.deepEqual(await hints('/later'), [unavailable, 'Retry-After: 2', 'X-Retry-After: 1001'])
    assert.deepEqual(await hints('/now'), [unavailable, 'Retry-After: 0', 'X-Retry-After: 0'])
    assert.deepEqual(await hints('/never'), [unavailable])
    assert.deepEqual(await hints('/own'), [unavailable, 'X-Retry-After: 5000', 'retry-after: 77'])
    assert.deepEqual(await hints('/odd'), [unavailable, 'X-Retry-After: soon'])
    assert.deepEqual(await hints('/fine'), ['HTTP/1.1 200 OK', 'X-Retry-After: 5000'])
  })

  it('curl is told when what it called was refused for load', async (t) => {
    const server = endpoint(t, { transport, protocol: 'http', limits: { maxEndpointRunning: 1 } })
    const gate = once()
    const begun = once()
    server.routeCall('/wait', () => {
      begun.resolve()
      return gate.promise.then(() => 'done')
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const target = `${url.replace('tcp:', 'http:')}/wait`
    const first = curl(...post, target)
    await begun.promise
    assert.match(await curl('-i', ...post, target), /^HTTP\/1.1 503 [\s\S]*\r\nRetry-After: 1\r\nX-Retry-After: 1000\r\n/)
    gate.resolve()
    assert.equal(await first, '"done"')
  })
})
