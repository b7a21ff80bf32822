import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EtcdOptions, settingsOf } from '../../../../../src/rpc/registry/etcd/options.ts'

function endpoints(options: EtcdOptions, environment: NodeJS.ProcessEnv = {}): string[] {
  return settingsOf(options, environment).endpoints.map(({ host, port }) => `${host} ${port}`)
}

test('endpoints have a port by default, and may be of IPv6', () => {
  assert.deepEqual(endpoints({}), ['127.0.0.1 2379'])
  const given = ['a', 'b:1', '[::1]', '[fe80::1]:65535', ' http://c:2/ ', 'http://d']
  assert.deepEqual(endpoints({ endpoints: given }), ['a 2379', 'b 1', '::1 2379', 'fe80::1 65535', 'c 2', 'd 2379'])
  for (const bad of ['', ':1', 'a:', 'a:0', 'a:65536', 'a:b', '::1', 'ftp://a', 'http://u@a', 'a/b', 'a b'])
    assert.throws(() => endpoints({ endpoints: [bad] }), { name: 'TypeError', message: /option endpoints/ }, bad)
  assert.throws(() => endpoints({ endpoints: [] }), TypeError)
  assert.throws(() => endpoints({ endpoints: ['http://a', 'https://b'] }), TypeError)
})

test('the environment fills in what options leave open', () => {
  const environment = { DMICRO_REGISTRY_ADDRESS: 'a:1, b', ETCD_USERNAME: 'u', ETCD_PASSWORD: 'p' }
  assert.deepEqual(endpoints({}, environment), ['a 1', 'b 2379'])
  assert.deepEqual(endpoints({ endpoints: ['c'] }, environment), ['c 2379'])
  assert.deepEqual(settingsOf({}, environment).user, { name: 'u', password: 'p' })
  assert.deepEqual(settingsOf({ user: 'x', password: '' }, environment).user, { name: 'x', password: '' })
  assert.equal(settingsOf({}, { ETCD_USERNAME: 'u' }).user, undefined)
})

test('TLS is a wish of its own, or that of https', () => {
  assert.equal(settingsOf({}, {}).tls, undefined)
  assert.deepEqual(settingsOf({ tls: true }, {}).tls, {})
  assert.deepEqual(settingsOf({ endpoints: ['https://a'] }, {}).tls, {})
  assert.deepEqual(settingsOf({ tls: { servername: 'a' } }, {}).tls, { servername: 'a' })
})

test('options that are wrong are named', () => {
  const bad: object[] = [
    { endpoint: 'a' },
    { user: 'a' },
    { password: 'a' },
    { user: 1, password: 'a' },
    { timeout: 0 },
    { attemptTimeout: -1 },
    { tls: 7 },
    { tls: { secure: true } },
    { prefix: 1 },
    { log: {} },
  ]
  for (const options of bad) {
    const name = Object.keys(options)[0]
    assert.throws(() => settingsOf(options as EtcdOptions, {}), new RegExp(name), JSON.stringify(options))
  }
  assert.equal(settingsOf({ timeout: 500 }, {}).attemptTimeout, 500)
})
