import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ignoreCase } from '../../src/index.ts'
import { once, onEachTransport, pair } from '../support/helpers.ts'

onEachTransport('plugin ignoreCase', (transport) => {
  it('routes CALLs and PUSHes by their name in lower case', async (t) => {
    const { server, session } = await pair(t, transport, { server: { plugins: [ignoreCase()] } })
    server.routeCall('/math/add', (numbers: number[], ctx) => [ctx.serviceMethod, numbers.length])
    const pushed = once<unknown>()
    server.routePush('/note', (value: unknown) => pushed.resolve(value))
    assert.deepEqual(await session.call('/Math/ADD', [1, 2]), ['/math/add', 2])
    assert.deepEqual(await session.call('/math/add', []), ['/math/add', 0])
    await session.push('/NOTE', 'hi')
    assert.equal(await pushed.promise, 'hi')
    await assert.rejects(session.call('/NONE'), { code: 404 })
    await assert.rejects(session.call(''), { code: 400 })
  })
})
