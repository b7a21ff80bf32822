import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { NetworkInterfaceInfo } from 'node:os'
import { test } from 'node:test'
import { Interfaces } from '../../../../../src/rpc/registry/mdns/interfaces.ts'

function v4(address: string, cidr: string, internal = false): NetworkInterfaceInfo {
  return { address, cidr: `${address}/${cidr}`, family: 'IPv4', internal, mac: '', netmask: '' }
}

function v6(address: string, cidr: string, internal = false): NetworkInterfaceInfo {
  return { address, cidr: `${address}/${cidr}`, family: 'IPv6', internal, mac: '', netmask: '', scopeid: 2 }
}

const lo = [v4('127.0.0.1', '8', true), v6('::1', '128', true)]
const eth0 = [v4('10.0.0.5', '24'), v6('fe80::5', '64'), v6('fd00::5', '64')]

test('packets leave on all interfaces that lead to others, on loopback only when there is no other', () => {
  const ids = (interfaces: Interfaces, family: 4 | 6): string[] => interfaces.senders(family).map(({ id }) => id)
  const both = new Interfaces({ lo, eth0, wlan0: [v4('192.168.1.5', '24')] })
  assert.deepEqual(ids(both, 4), ['10.0.0.5', '192.168.1.5'])
  assert.deepEqual(ids(new Interfaces({ lo }), 4), ['127.0.0.1'])
  assert.deepEqual(ids(new Interfaces({}), 4), [])
  if (process.platform !== 'win32') {
    assert.deepEqual(ids(both, 6), ['::%eth0'])
    assert.deepEqual(ids(new Interfaces({ lo }), 6), ['::%lo'])
  }
})

test('others reach this host by an address of IPv4, or one of IPv6 that needs no scope', () => {
  assert.equal(new Interfaces({ lo, eth0 }).ownAddress(), '10.0.0.5')
  assert.equal(new Interfaces({ lo, eth0: eth0.slice(1) }).ownAddress(), 'fd00::5')
  assert.equal(new Interfaces({ lo, eth0: eth0.slice(1, 2) }).ownAddress(), '127.0.0.1')
})

test('senders outside of our networks are not near', () => {
  const interfaces = new Interfaces({ lo, eth0 })
  for (const near of ['127.0.0.1', '10.0.0.77', 'fd00::77', '::1', 'fe80::77%eth0']) assert.equal(interfaces.isNear(near), true, near)
  for (const far of ['10.0.1.1', '8.8.8.8', 'fd01::1', '2001:db8::1', '', 'x']) assert.equal(interfaces.isNear(far), false, far)
})

/** Runs a shell command in a network of its own, where nothing but loopback is; undefined where that is not allowed. */
function alone(command: string): { status: number | null; stdout: string } | undefined {
  const run = (line: string) => spawnSync('unshare', ['--net', '--map-root-user', 'sh', '-c', line], { encoding: 'utf8', timeout: 60_000 })
  return run('ip link set lo up').status === 0 ? run(command) : undefined
}

test('registries on a host with nothing but loopback find each other', (t) => {
  const file = new URL('mdns.test.ts', import.meta.url).pathname
  const node = `${process.execPath} --import tsx --test-reporter=tap --test-name-pattern='real sockets' ${file}`
  const result = alone(`ip link set lo up && NODE_TEST_CONTEXT= ${node}`)
  if (result === undefined) return t.skip('no network namespaces here')
  assert.equal(result.status, 0, result.stdout)
  assert.match(result.stdout, /^ok \d+ - two registries on real sockets find each other$/m)
})
