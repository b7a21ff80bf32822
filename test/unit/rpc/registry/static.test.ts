import assert from 'node:assert/strict'
import { test } from 'node:test'
import { staticRegistry } from '../../../../src/rpc/index.ts'
import { addresses, contract, service } from './contract.ts'

contract('staticRegistry', async (t, services) => {
  const registry = staticRegistry(services)
  t.after(() => registry.close())
  return { registry }
})

test('a list of addresses serves every name', async () => {
  const registry = staticRegistry(['tcp://10.0.0.1:9000', '10.0.0.2:9000'])
  for (const name of ['math', 'text']) {
    const [found] = await registry.getService(name)
    assert.equal(found.name, name)
    assert.deepEqual(addresses([found]), ['10.0.0.2:9000', 'tcp://10.0.0.1:9000'])
  }
  assert.deepEqual(await registry.listServices(), [])
})

test('addresses by name serve that name alone', async () => {
  const registry = staticRegistry({ math: ['10.0.0.1:9000'], text: ['10.0.0.2:9000'] })
  assert.deepEqual(addresses(await registry.getService('math')), ['10.0.0.1:9000'])
  assert.deepEqual(await registry.getService('other'), [])
  assert.equal((await registry.listServices()).length, 2)
})

test('registering changes nothing', async () => {
  const registry = staticRegistry([service('math', [1])])
  await registry.register(service('math', [2]))
  await registry.deregister(service('math', [1]))
  assert.deepEqual(addresses(await registry.getService('math')), ['127.0.0.1:1'])
})

test('a list that is none is refused', () => {
  for (const bad of [undefined, 'tcp://10.0.0.1:9000', [''], [7], { math: 'tcp://10.0.0.1:9000' }, { math: [7] }])
    assert.throws(() => staticRegistry(bad as never), TypeError, JSON.stringify(bad))
})
