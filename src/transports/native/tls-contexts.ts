import type { SecureContext, SecureContextOptions } from 'node:tls'
import { nodeCrypto, nodeTls } from '../../base/builtin.ts'
import type { ClientTls } from '../tls/client-tls.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import type { TlsAddon, TlsHandle } from './tls-addon.ts'

// Contexts of TLS in the core. Node.js reads keys, certificates and all other options into an SSL_CTX of OpenSSL, whose
// address its object gives away; the core uses that, and sets callbacks of its own on it.

/** Node's 48 bytes of `ticketKeys` become what OpenSSL takes. */
const TICKET_NAME_BYTES = 16

const servers = new WeakMap<SecureContextOptions, TlsHandle>()
const clients = new WeakMap<ClientTls, TlsHandle>()
const identities = new WeakMap<SecureContext, TlsHandle>()

/** The context of a listener, as its options are now. */
export function serverContext(addon: TlsAddon, tls: ServerTls): TlsHandle {
  const { contextOptions: options, requestCert, rejectUnauthorized, choosesContext, choosesProtocol } = tls
  return kept(servers, options, () => {
    const { ticketKeys, ...others } = options
    const context = nodeTls().createSecureContext(others)
    const asks = choosesContext || choosesProtocol
    return addon.tlsContext(
      externalOf(context),
      true,
      requestCert,
      rejectUnauthorized,
      asks,
      nameList(tls.protocols),
      spreadKeys(ticketKeys),
    )
  })
}

/** The context of dials with the same options. */
export function clientContext(addon: TlsAddon, tls: ClientTls): TlsHandle {
  return kept(clients, tls, () =>
    addon.tlsContext(
      externalOf(tls.context('native')),
      false,
      true,
      tls.rejectUnauthorized,
      false,
      nameList(tls.protocols),
      new Uint8Array(0),
    ),
  )
}

/** The certificates of a context that a user's callback chose. */
export function identityOf(addon: TlsAddon, context: SecureContext): TlsHandle {
  return kept(identities, context, () => addon.tlsIdentity(externalOf(context)))
}

function kept<Key extends object>(table: WeakMap<Key, TlsHandle>, key: Key, make: () => TlsHandle): TlsHandle {
  let handle = table.get(key)
  if (handle === undefined) table.set(key, (handle = make()))
  return handle
}

function externalOf(context: SecureContext): unknown {
  return (context.context as { _external?: unknown })._external
}

function nameList(names: readonly string[]): Uint8Array {
  return Buffer.concat(names.flatMap((name) => [Buffer.from([Buffer.byteLength(name, 'latin1')]), Buffer.from(name, 'latin1')]))
}

/** Name and two keys of 32 bytes for tickets, of Node's keys. */
function spreadKeys(keys: Buffer | undefined): Uint8Array {
  if (keys === undefined) return new Uint8Array(0)
  const secrets = nodeCrypto().createHash('sha512').update(keys).digest()
  return Buffer.concat([keys.subarray(0, TICKET_NAME_BYTES), secrets])
}
