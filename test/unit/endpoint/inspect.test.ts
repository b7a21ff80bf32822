import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { onEachTransport, pair } from '../../support/helpers.ts'

onEachTransport('what console.log shows', (transport) => {
  test('of endpoint, session and context is what users work with, and not the engine', async (t) => {
    const { server, session } = await pair(t, transport)
    let context = ''
    server.routeCall('/a', (_: unknown, ctx) => {
      context = inspect(ctx)
    })
    await session.call('/a', 1, { meta: { k: 'v' } })
    assert.match(context, /^Context \{\n {2}serviceMethod: '\/a',\n {2}seq: -?\d+,\n {2}meta: .*\{ k: 'v' \},\n {2}codec: 'json',\n/)
    assert.match(context, /session: Session \{\n {4}id: '/)
    assert.ok(context.split('\n').length < 20, context)
    assert.match(inspect(session), /^Session \{\n {2}id: '.*',\n {2}state: 'open',\n {2}protocol: 'raw',\n {2}localAddress: '/)
    const shown = inspect(server, { depth: 9 })
    assert.match(shown, /^Endpoint \{\n {2}transport: \{ kind: '/)
    assert.ok(shown.split('\n').length < 20, shown)
    assert.equal(inspect({ a: { b: { session } } }, { depth: 1 }), '{ a: { b: [Object] } }')
    assert.equal(inspect([session], { depth: 0 }), '[ [Session] ]')
  })
})
