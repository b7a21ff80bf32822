import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { it } from 'node:test'
import { StatusError } from '../../src/index.ts'
import { endpoint, once, onEachTransport, pair } from '../support/helpers.ts'

/** Code of a failure, and whether nothing was sent. */
async function failure(call: Promise<unknown>): Promise<[code: number, unsent: boolean]> {
  try {
    await call
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return [error.code, error.unsent === true]
  }
  throw new Error('expected a failure')
}

onEachTransport('errors of what was not sent', (transport) => {
  it('a call or push on a closed session was not sent', async (t) => {
    const { session } = await pair(t, transport)
    await session.close()
    assert.deepEqual(await failure(session.call('/a')), [102, true])
    assert.deepEqual(await failure(session.push('/a')), [102, true])
  })

  it('a call whose connection is lost before its reply may have been sent', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/die', (_: unknown, ctx) => {
      ctx.session.destroy()
      return new Promise(() => {})
    })
    assert.deepEqual(await failure(session.call('/die')), [102, false])
  })

  it('a call that found nobody to connect to was not sent', async (t) => {
    const client = endpoint(t, { transport })
    const free = createServer()
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
    const { port } = free.address() as { port: number }
    await new Promise((resolve) => free.close(resolve))
    assert.deepEqual(await failure(client.dial(`tcp://127.0.0.1:${port}`)), [105, true])
  })

  it('a call to a peer that does not read was not sent, one that no peer could be sent is not marked', async (t) => {
    const sockets: Socket[] = []
    const deaf = createServer((socket) => sockets.push(socket.pause()))
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      deaf.close()
    })
    const client = endpoint(t, { transport, protocol: 'raw', limits: { maxUnsent: 100_000, maxMessage: 60_000 } })
    const session = await client.dial(`tcp://127.0.0.1:${(deaf.address() as { port: number }).port}`)
    const first = once<[number, boolean]>()
    const arg = 'x'.repeat(50_000)
    let refused = false
    for (let n = 0; n < 1000 && !refused; n++) {
      failure(session.call('/a', arg)).then((what) => {
        refused = true
        first.resolve(what)
      }, first.reject)
      await new Promise(setImmediate)
    }
    assert.deepEqual(await first.promise, [104, true])
    assert.deepEqual(await failure(session.call('/a', 'x'.repeat(70_000))), [104, false])
    assert.deepEqual(await failure(session.call('/a', 1n)), [104, false])
    session.destroy()
  })

  it('a call refused by a draining peer was not sent, and a mark is not passed on to a caller', async (t) => {
    const { server, session } = await pair(t, transport)
    server.routeCall('/pass', () => {
      throw new StatusError(105, 'of a call of mine', '', { unsent: true })
    })
    assert.deepEqual(await failure(session.call('/pass')), [105, false])
    const gate = once()
    const begun = once()
    server.routeCall('/wait', () => {
      begun.resolve()
      return gate.promise
    })
    const waits = session.call('/wait')
    await begun.promise
    const draining = once()
    session.once('draining', () => draining.resolve())
    const closed = server.close({ timeout: 5000 })
    await draining.promise
    assert.deepEqual(await failure(session.call('/pass')), [503, true])
    gate.resolve()
    await Promise.all([waits, closed])
  })
})
