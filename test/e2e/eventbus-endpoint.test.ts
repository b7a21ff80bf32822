import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type EndpointBusEvents, EventBus, endpointEvents } from '../../src/dserver/eventbus/index.ts'
import { StatusError } from '../../src/index.ts'
import { endpoint, onEachTransport, pair, recorder } from '../support/helpers.ts'

/** A bus, and the names under which listeners of patterns and of Go's names got events since the last look. */
function listened(pattern: keyof EndpointBusEvents | '*' | 'endpoint.*'): { bus: EventBus<EndpointBusEvents>; names: () => string[] } {
  const bus = new EventBus<EndpointBusEvents>()
  const seen: string[] = []
  bus.on(pattern, ({ name }) => seen.push(name))
  return { bus, names: () => seen.splice(0) }
}

onEachTransport('endpoint events on a bus', (transport) => {
  it('reach a listener of * alone, of endpoint.*, and of names as Go has them (E10)', async (t) => {
    const [all, group, go] = [listened('*'), listened('endpoint.*'), listened('endpoint_receive')]
    const { server, client, session, listener } = await pair(t, transport, {
      server: { plugins: [endpointEvents(all.bus)] },
      client: { plugins: [endpointEvents(group.bus)] },
    })
    server.routeCall('/echo', (value: unknown) => value)
    assert.deepEqual([all.names(), group.names()], [['endpoint.accept'], ['endpoint.connect']])
    const received = new Promise((resolve) =>
      all.bus.once('endpoint.receive', ({ data: { message } }) => resolve([message.kind, message.serviceMethod, message.body])),
    )
    assert.equal(await session.call('/echo', 'x'), 'x')
    assert.deepEqual(await received, ['call', '/echo', 'x'])
    const other = endpoint(t, { transport, plugins: [endpointEvents(go.bus)] })
    assert.equal(await (await other.dial(listener.url)).call('/echo', 'y'), 'y')
    assert.deepEqual(go.names(), ['endpoint_receive'])
    await other.close()
    await client.close()
    await server.close()
    assert.deepEqual(group.names(), ['endpoint.receive', 'endpoint.close'])
    const names = all.names()
    assert.deepEqual(names.sort(), ['endpoint.accept', 'endpoint.close', 'endpoint.close', 'endpoint.receive', 'endpoint.receive'])
    const failed = new Promise((resolve) => go.bus.on('endpoint_connect', resolve))
    await assert.rejects(endpoint(t, { transport, plugins: [endpointEvents(go.bus)] }).dial(listener.url), { code: 105 })
    const { name, data } = (await failed) as { name: string; data: EndpointBusEvents['endpoint_connect'] }
    assert.deepEqual([name, data.isSuccess, (data.error as StatusError).code, data.session], ['endpoint_connect', false, 105, undefined])
  })

  it('a listener that throws or rejects is reported and changes nothing', async (t) => {
    const reported: string[] = []
    const bus = new EventBus<EndpointBusEvents>({ onError: (error, { name }) => reported.push(`${name}: ${error}`) })
    bus.on('*', async () => {
      throw 'rejected'
    })
    bus.on('*', ({ name }) => {
      throw new StatusError(403, `no ${name}`)
    })
    const log = recorder()
    const options = { plugins: [endpointEvents(bus)], log }
    const { server, client, session } = await pair(t, transport, { server: options, client: { plugins: [endpointEvents(bus)], log } })
    server.routeCall('/echo', (value: unknown) => value)
    assert.equal(await session.call('/echo', 'x'), 'x')
    await client.close()
    await server.close()
    const names = ['accept', 'connect', 'receive', 'close']
    assert.deepEqual(
      new Set(log.lines.map(({ text, fields }) => `${text}: ${fields.event} ${fields.error}`)),
      new Set(names.map((each) => `an event listener threw: endpoint_${each} no endpoint.${each}`)),
    )
    assert.deepEqual(new Set(reported), new Set(names.map((each) => `endpoint.${each}: rejected`)))
    for (const bad of [undefined, {}, { publish() {} }]) assert.throws(() => endpointEvents(bad as never), /needs an EventBus/)
    assert.throws(() => endpointEvents(bus, { logs: 1 } as never), /unknown option/)
  })
})
