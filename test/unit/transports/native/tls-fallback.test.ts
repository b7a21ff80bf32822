import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadNative, type NativeAddon } from '../../../../src/transports/native/addon.ts'
import { NativeTransport } from '../../../../src/transports/native.ts'
import { clientTls } from '../../../../src/transports/tls/client-tls.ts'
import { ServerTls } from '../../../../src/transports/tls/server-tls.ts'
import type { Transport } from '../../../../src/transports/transport.ts'
import { certificates } from '../../../support/certificates.ts'
import { options } from '../js-connections.ts'

const loaded = loadNative()

test('where the core has no OpenSSL, TLS goes to the other transport, and nothing else does', { skip: 'reason' in loaded }, async () => {
  const { addon } = loaded as { addon: NativeAddon }
  const seen: string[] = []
  const other = {
    kind: 'js',
    listen: async (address) => {
      seen.push('listen')
      return { address, close: async () => {} }
    },
    dial: async () => {
      seen.push('dial')
      throw new Error('not dialled')
    },
  } as Transport
  const without = Object.assign(Object.create(addon) as NativeAddon, { tlsSupport: () => 'no OpenSSL' })
  const transport = new NativeTransport(without, 0, () => other)
  assert.equal(transport.noTls, 'no OpenSSL')
  const address = { kind: 'tcp', host: '127.0.0.1', port: 0, scheme: 'tls' } as const
  const { signal } = new AbortController()
  await transport.listen(address, { ...options(), serverTls: new ServerTls(certificates().server) }, () => {})
  const target = { tls: clientTls({}), host: 'localhost', port: 1 }
  await assert.rejects(transport.dial(address, { ...options(), tls: target }, signal), /not dialled/)
  assert.deepEqual(seen, ['listen', 'dial'])
  const plain = await transport.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, options(), () => {})
  await plain.close()
  assert.deepEqual(seen, ['listen', 'dial'])
  assert.equal(new NativeTransport(addon, 0, () => other).noTls, addon.tlsSupport())
})
