import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { addressOfUrl, reachableUrl, urlOfAddress } from '../../../src/rpc/node-address.ts'

const at = (address: string, internal = false): NetworkInterfaceInfo =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo
const host = () => ({
  lo: [at('127.0.0.1', true), at('::1', true)],
  docker0: [at('172.17.0.1')],
  eth0: [at('fe80::1'), at('169.254.1.1'), at('2001:db8::7'), at('10.1.2.3')],
})

test('an unspecified host becomes an address of this host that others reach', () => {
  assert.equal(reachableUrl('tcp://0.0.0.0:80', host), 'tcp://10.1.2.3:80')
  assert.equal(reachableUrl('tls://[::]:80', host), 'tls://10.1.2.3:80')
  assert.equal(reachableUrl('ws://0.0.0.0:80/rpc', host), 'ws://10.1.2.3:80/rpc')
  assert.equal(
    reachableUrl('tcp://[::]:80', () => ({ eth0: [at('2001:db8::7')] })),
    'tcp://[2001:db8::7]:80',
  )
  assert.equal(
    reachableUrl('tcp://0.0.0.0:80', () => ({ lo: [at('127.0.0.1', true)] })),
    'tcp://127.0.0.1:80',
  )
  assert.equal(
    reachableUrl('tcp://[::]:80', () => ({})),
    'tcp://[::1]:80',
  )
  assert.equal(reachableUrl('tcp://192.168.0.1:80', host), 'tcp://192.168.0.1:80')
  assert.equal(reachableUrl('unix://run/math.sock', host), `unix://${resolve('run/math.sock')}`)
})

test('an address in a registry is one that Go dials, and leads back to its url', () => {
  for (const [url, address] of [
    ['tcp://10.1.2.3:80', '10.1.2.3:80'],
    ['tcp://[2001:db8::7]:80', '[2001:db8::7]:80'],
    ['unix:///run/math.sock', '/run/math.sock'],
    ['tls://10.1.2.3:80', 'tls://10.1.2.3:80'],
    ['ws://10.1.2.3:80/rpc', 'ws://10.1.2.3:80/rpc'],
  ]) {
    assert.equal(addressOfUrl(url), address)
    assert.equal(urlOfAddress(address, false), url)
  }
  assert.equal(urlOfAddress('10.1.2.3:80', true), 'tls://10.1.2.3:80')
  assert.equal(urlOfAddress('[::]:80', false), 'tcp://[::1]:80')
  assert.equal(urlOfAddress(':80', false), 'tcp://127.0.0.1:80')
  assert.throws(() => urlOfAddress('no address', false), TypeError)
})

test('a registry cannot take TLS away from clients that dial by it', () => {
  for (const url of ['tls://10.1.2.3:80', 'wss://10.1.2.3:80/rpc', 'kcp://10.1.2.3:80', 'quic://10.1.2.3:80', 'unix:///run/math.sock'])
    assert.equal(urlOfAddress(url, true), url)
  for (const url of ['tcp://10.1.2.3:80', 'TCP://10.1.2.3:80', 'ws://10.1.2.3:80/rpc'])
    assert.throws(() => urlOfAddress(url, true), /without TLS, and option dial\.tls is given/)
})
