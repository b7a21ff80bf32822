// TLS, WebSocket, KCP and QUIC.
import { createServer } from 'node:http'
import {
  Endpoint,
  type KcpChoice,
  type KcpOptions,
  type Listener,
  type QuicOptions,
  type TlsContextOptions,
  type TlsDialOptions,
  type TlsListenOptions,
  type UpgradeOptions,
  type UpgradeRequest,
  type WebSocketDialOptions,
  type WebSocketListenOptions,
} from 'dmicro'

export async function main(key: Buffer, cert: string): Promise<void> {
  const endpoint = new Endpoint()
  const context: TlsContextOptions = { key, cert, minVersion: 'TLSv1.3' }
  const tls: TlsListenOptions = { ...context, requestCert: true, ALPNProtocols: ['dmicro'], handshakeTimeout: 1000 }
  const websocket: WebSocketListenOptions = {
    origins: ['https://a.example'],
    authorize: ({ path, query, headers, subprotocols, remoteAddress }: UpgradeRequest) =>
      `${path}${query.get('user') ?? ''}${headers.authorization ?? ''}${subprotocols.length}${remoteAddress}`,
  }
  const listener: Listener = await endpoint.listen('wss://127.0.0.1:0/rpc', { tls, websocket })
  listener.setSecureContext(context)
  const trust: TlsDialOptions = { ca: cert, servername: 'a.example', checkServerIdentity: () => undefined }
  const dial: WebSocketDialOptions = { headers: { authorization: 'Bearer x' }, subprotocol: 'dmicro.raw' }
  const session = await endpoint.dial(listener.url, { tls: trust, websocket: dial })
  const identity: string | undefined = session.peerCertificate?.subject
  const alpn: string | undefined = session.alpn
  const upgrade: UpgradeOptions = { protocols: ['json'], websocket: { path: '/rpc' } }
  createServer().on('upgrade', (request, socket, head) => void endpoint.upgrade(request, socket, head, upgrade))
  const kcp: KcpOptions = { fec: [10, 3], noDelay: true, interval: 10, mtu: 1200 }
  const choices: KcpChoice[] = ['fast', kcp]
  for (const choice of choices) await endpoint.listen('kcp://127.0.0.1:0', { kcp: choice })
  const quic: QuicOptions = { idleTimeout: 30_000, keepAlive: 10_000 }
  await endpoint.listen('quic://127.0.0.1:0', { tls: context, quic })
  void [identity, alpn]
}
