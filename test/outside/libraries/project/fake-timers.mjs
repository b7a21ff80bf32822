// sinon replaces every timer of the process, here before the package is loaded and again after.
import assert from 'node:assert/strict'
import sinon from 'sinon'

// By default everything, nextTick too, for which sockets of Node itself would wait for ever: on the JavaScript transport it stays real.
const fakes = (transport) => (transport === 'native' ? {} : { toFake: Object.keys(sinon.timers) })

const before = sinon.useFakeTimers()
const { Endpoint } = await import('dmicro')
before.restore()

async function pair(transport) {
  const server = new Endpoint({ transport, log: false })
  server.routeCall('/echo', (value) => value)
  server.routeCall('/never', () => new Promise(() => {}))
  const client = new Endpoint({ transport, log: false })
  const session = await client.dial((await server.listen('tcp://127.0.0.1:0')).url, { redial: { minDelay: 1 } })
  return { server, client, session }
}

async function underFakes(transport, work) {
  const clock = sinon.useFakeTimers(fakes(transport))
  try {
    return await work(clock)
  } finally {
    clock.restore()
  }
}

export const checks = {
  'endpoints live and close under fake timers': (transport) =>
    underFakes(transport, async () => {
      const { server, client, session } = await pair(transport)
      assert.deepEqual(await Promise.all([1, 2, 3].map((i) => session.call('/echo', i))), [1, 2, 3])
      await client.close()
      await server.close()
    }),
  async 'timers that become fake while calls are on their way'(transport) {
    const { server, client, session } = await pair(transport)
    for (let i = 1; i <= 20; i++) {
      const first = session.call('/echo', i)
      assert.deepEqual(await underFakes(transport, () => Promise.all([first, session.call('/echo', -i)])), [i, -i])
      assert.equal(await session.call('/echo', i), i)
    }
    await client.close()
    await server.close()
  },
  async 'deadlines pass in real time'(transport) {
    const { server, client, session } = await pair(transport)
    const code = await underFakes(transport, () => session.call('/never', null, { timeout: 30 }).catch((error) => error.code))
    assert.equal(code, 408)
    await client.close({ timeout: 10 })
    await server.close({ timeout: 10 })
  },
  async 'moving the fake clock ends no call'(transport) {
    const { server, client, session } = await pair(transport)
    await underFakes(transport, async (clock) => {
      const call = session.call('/echo', 1, { timeout: 5000 })
      clock.tick(3_600_000)
      assert.equal(await call, 1)
    })
    await client.close()
    await server.close()
  },
}
