import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, formatAddress, isSecure, parseAddress } from '../../../src/transports/address.ts'

const good: [url: string, address: Address][] = [
  ['tcp://127.0.0.1:0', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
  ['tcp://localhost:65535', { kind: 'tcp', host: 'localhost', port: 65535 }],
  ['tcp://my_host-1.example.com:80', { kind: 'tcp', host: 'my_host-1.example.com', port: 80 }],
  ['tcp://[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
  ['tcp://[fe80::1%eth0]:9', { kind: 'tcp', host: 'fe80::1%eth0', port: 9 }],
  ['tcp://[::ffff:1.2.3.4]:9', { kind: 'tcp', host: '::ffff:1.2.3.4', port: 9 }],
  ['tls://127.0.0.1:9443', { kind: 'tcp', host: '127.0.0.1', port: 9443, scheme: 'tls' }],
  ['ws://127.0.0.1:0/', { kind: 'tcp', host: '127.0.0.1', port: 0, scheme: 'ws', path: '/' }],
  ['ws://localhost:8080/rpc/v1?token=a%20b', { kind: 'tcp', host: 'localhost', port: 8080, scheme: 'ws', path: '/rpc/v1?token=a%20b' }],
  ['kcp://127.0.0.1:9090', { kind: 'udp', host: '127.0.0.1', port: 9090, scheme: 'kcp' }],
  ['kcp://[::1]:0', { kind: 'udp', host: '::1', port: 0, scheme: 'kcp' }],
  ['wss://[::1]:8443/ws', { kind: 'tcp', host: '::1', port: 8443, scheme: 'wss', path: '/ws' }],
  ['unix:///run/app.sock', { kind: 'unix', path: '/run/app.sock' }],
  ['unix://rel/app.sock', { kind: 'unix', path: 'rel/app.sock' }],
  ['unix://./@name', { kind: 'unix', path: './@name' }],
  ['unix:///tmp/a b%20?x#y:z', { kind: 'unix', path: '/tmp/a b%20?x#y:z' }],
  ['unix:///é', { kind: 'unix', path: '/é' }],
]
for (const [url, address] of good) {
  test(`${url} is understood and written back`, () => {
    assert.deepEqual(parseAddress(url), address)
    assert.equal(formatAddress(address), url)
  })
}

test('a missing host means all interfaces', () => {
  assert.deepEqual(parseAddress('tcp://:8080'), { kind: 'tcp', host: '0.0.0.0', port: 8080 })
})

test('a WebSocket without path has the path /, without port that of its scheme, as in browsers', () => {
  const ws = { kind: 'tcp', scheme: 'ws', path: '/' } as const
  assert.deepEqual(parseAddress('ws://h'), { ...ws, host: 'h', port: 80 })
  assert.deepEqual(parseAddress('ws://h:81'), { ...ws, host: 'h', port: 81 })
  assert.deepEqual(parseAddress('ws://[::1]/'), { ...ws, host: '::1', port: 80 })
  assert.deepEqual(parseAddress('ws://[::1]:81'), { ...ws, host: '::1', port: 81 })
  assert.deepEqual(parseAddress('wss://h?x=1'), { kind: 'tcp', scheme: 'wss', host: 'h', port: 443, path: '/?x=1' })
  assert.deepEqual(parseAddress('ws://:8080/rpc'), { ...ws, host: '0.0.0.0', port: 8080, path: '/rpc' })
})

test('the scheme may be in capitals', () => {
  assert.deepEqual(parseAddress('TCP://h:1'), { kind: 'tcp', host: 'h', port: 1 })
})

test('a quic: URL is an address of UDP, which always has TLS', () => {
  const address = parseAddress('quic://[::1]:81')
  assert.deepEqual(address, { kind: 'udp', scheme: 'quic', host: '::1', port: 81 })
  assert.equal(formatAddress(address), 'quic://[::1]:81')
  assert.equal(isSecure(address), true)
})

const bad: [url: string, expected: RegExp][] = [
  ['', /: expected tcp:/],
  ['localhost:80', /: expected tcp:/],
  ['://h:1', /: expected tcp:/],
  ['http://h:1', /unknown scheme, expected tcp:\/\/, tls:\/\/, ws:\/\/, wss:\/\/, kcp:\/\/ or quic:\/\/host:port, or unix:\/\/\/path$/],
  ['9000', /expected tcp:\/\/, tls:\/\/, ws:\/\/, wss:\/\/, kcp:\/\/ or quic:\/\/host:port, or unix:\/\/\/path$/],
  ['tcp:h:1', /: expected tcp:/],
  ['tcp://', /expected a port, as in/],
  ['tcp://h', /expected a port, as in/],
  ['tcp://[::1]', /expected a port, as in/],
  ['tcp://h:', /port of 0 to 65535/],
  ['tcp://h:65536', /port of 0 to 65535/],
  ['tcp://h:-1', /port of 0 to 65535/],
  ['tcp://h:1e3', /port of 0 to 65535/],
  ['tcp://h:000001', /port of 0 to 65535/],
  ['tcp://h: 1', /port of 0 to 65535/],
  ['tcp://h:80/', /port of 0 to 65535/],
  ['tcp://::1:80', /IPv6 address in brackets/],
  ['tls://h', /expected a port, as in/],
  ['tls://h:1/', /port of 0 to 65535/],
  ['ws://', /expected a port, as in/],
  ['ws://h:x/', /port of 0 to 65535/],
  ['ws://h/a#b', /no fragment/],
  ['ws://h/a b', /visible ASCII/],
  ['ws://h/\u00e9', /visible ASCII/],
  ['ws://user:pass@h/', /no user and password/],
  [`ws://h/${'p'.repeat(2048)}`, /at most 2048 bytes/],
  ['tcp://[h]:80', /IPv6 address between/],
  ['tcp://[]:80', /IPv6 address between/],
  ['tcp://[::1:80', /IPv6 address in brackets/],
  ['tcp://a b:80', /host name/],
  ['tcp://user@h:80', /host name/],
  ['tcp://h/p:80', /host name/],
  ['tcp://h\0:80', /host name/],
  ['tcp://\u043d:80', /host name/],
  [`tcp://${'a'.repeat(254)}:80`, /host name/],
  ['unix://', /expected a path/],
  ['unix://@name', /abstract Unix sockets are not supported/],
  ['unix:///a\0b', /without NUL/],
  ['unix:///\ud800', /well-formed/],
]
for (const [url, expected] of bad) {
  test(`${JSON.stringify(url.slice(0, 40))} is refused with a reason`, () => {
    assert.throws(() => parseAddress(url), { name: 'TypeError', message: expected })
  })
}

test('a Unix path has at most 107 bytes', () => {
  assert.ok(parseAddress(`unix:///${'a'.repeat(106)}`))
  assert.throws(() => parseAddress(`unix:///${'a'.repeat(107)}`), /at most 107 bytes, got 108/)
  assert.throws(() => parseAddress(`unix:///${'é'.repeat(54)}`), /at most 107 bytes, got 109/)
})

test('what is no string is refused', () => {
  for (const url of [undefined, null, 5, new URL('tcp://h:1')])
    assert.throws(() => parseAddress(url as unknown as string), /^TypeError: an address must be a string/)
})

test('an error shows the url quoted and not in full length', () => {
  assert.throws(
    () => parseAddress(`bad\u001b[31m${'x'.repeat(10_000)}`),
    (error: Error) => error.message.length < 400 && error.message.includes('bad\\u001b[31m'),
  )
})
