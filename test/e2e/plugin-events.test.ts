import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { it } from 'node:test'
import { events, StatusError } from '../../src/index.ts'
import { endpoint, onEachTransport, pair, recorder } from '../support/helpers.ts'

/** Publishes to listeners of all events, as an emitter with wildcards does. */
class Recording extends EventEmitter {
  readonly seen: [string, Record<string, unknown>][] = []

  override emit(name: string, event: Record<string, unknown>): boolean {
    this.seen.push([name, event])
    return super.emit(name, event)
  }

  names(): string[] {
    return this.seen.splice(0).map(([name]) => name)
  }
}

onEachTransport('plugin events', (transport) => {
  it('publishes what happens, whether or not anybody listens', async (t) => {
    const [mine, theirs] = [new Recording(), new Recording()]
    const { server, client, session, listener } = await pair(t, transport, {
      server: { plugins: [events(theirs)] },
      client: { plugins: [events(mine)] },
    })
    server.routeCall('/echo', (value: unknown) => value)
    assert.deepEqual(theirs.names(), ['endpoint_accept'])
    const [[name, connected]] = mine.seen.splice(0)
    assert.deepEqual([name, connected], ['endpoint_connect', { session, isSuccess: true, error: undefined, isRedial: false }])
    const received = new Promise<unknown>((resolve) =>
      theirs.once('endpoint_receive', ({ message }) => resolve([message.kind, message.serviceMethod, message.body, message.size])),
    )
    assert.equal(await session.call('/echo', 'x'), 'x')
    assert.deepEqual(await received, ['call', '/echo', 'x', 3])
    assert.deepEqual(mine.names(), ['endpoint_receive'])
    await assert.rejects(session.call('/none'), { code: 404 })
    assert.deepEqual(mine.names(), [])
    await client.close()
    await server.close()
    assert.deepEqual([...mine.names(), ...theirs.names()], ['endpoint_close', 'endpoint_receive', 'endpoint_close'])
    const nobody = new Recording()
    await assert.rejects(endpoint(t, { transport, plugins: [events(nobody)] }).dial(listener.url), { code: 105 })
    const [[failed, event]] = nobody.seen
    assert.deepEqual(
      [failed, event.isSuccess, (event.error as StatusError).code, event.session],
      ['endpoint_connect', false, 105, undefined],
    )
  })

  it('a listener that throws is logged and changes nothing', async (t) => {
    const emitter = new EventEmitter()
    const names = ['endpoint_accept', 'endpoint_connect', 'endpoint_receive', 'endpoint_close']
    for (const each of names)
      emitter.on(each, () => {
        throw new StatusError(403, `no ${each}`)
      })
    const log = recorder()
    const options = { plugins: [events(emitter)], log }
    const { server, client, session } = await pair(t, transport, { server: options, client: { plugins: [events(emitter)], log } })
    server.routeCall('/echo', (value: unknown) => value)
    assert.equal(await session.call('/echo', 'x'), 'x')
    await client.close()
    await server.close()
    assert.deepEqual(
      new Set(log.lines.map(({ text, fields }) => `${text}: ${fields.event} ${fields.error}`)),
      new Set(names.map((each) => `an event listener threw: ${each} no ${each}`)),
    )
    assert.throws(() => events(undefined as never), /needs an EventEmitter/)
  })
})
