import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import type { DialOptions, ListenOptions, Session } from '../../src/index.ts'
import { certificates } from '../support/certificates.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'

const { authority, server: own, client: clientOwn } = certificates()
const listen: ListenOptions = { tls: own }
const dial: DialOptions = { tls: { ca: authority.cert } }

onEachTransport('tls', (transport) => {
  test('calls pass in both directions, of every size', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/size', (text: string) => text.length)
    const { url } = await server.listen('tls://127.0.0.1:0', listen)
    assert.match(url, /^tls:\/\/127\.0\.0\.1:[0-9]+$/)
    const client = endpoint(t, { transport })
    client.routeCall('/back', (text: string) => text)
    const accepted = once<Session>()
    server.once('session', accepted.resolve)
    const session = await client.dial(url, dial)
    for (const size of [0, 100, 20_000, 300_000, 3_000_000]) assert.equal(await session.call('/size', 'x'.repeat(size)), size)
    const peer = await accepted.promise
    assert.equal(await peer.call('/back', 'b'.repeat(100_000)), 'b'.repeat(100_000))
    const many = Array.from({ length: 500 }, (_, i) => session.call('/size', 'y'.repeat(i)))
    assert.deepEqual(
      await Promise.all(many),
      many.map((_, i) => i),
    )
  })

  test('a session knows certificate and protocol of its peer before it serves the first call', async (t) => {
    const seen = once<string>()
    const server = endpoint(t, {
      transport,
      plugins: [
        {
          name: 'identity',
          afterAccept(session) {
            seen.resolve(`${session.peerCertificate?.subject} ${session.alpn} ${session.authorized}`)
          },
        },
      ],
    })
    const { url } = await server.listen('tls://127.0.0.1:0', {
      tls: { ...own, ca: authority.cert, requestCert: true, ALPNProtocols: ['dmicro', 'other'] },
    })
    const session = await endpoint(t, { transport }).dial(url, {
      tls: { ...clientOwn, ca: authority.cert, ALPNProtocols: ['other', 'dmicro'] },
    })
    assert.equal(await seen.promise, 'CN=client dmicro true')
    assert.equal(session.peerCertificate?.subject, 'CN=server')
    assert.equal(session.alpn, 'dmicro')
    assert.equal(session.authorized, true)
  })

  test('a peer that ends in order is at an end, one that ends by FIN alone is lost', async (t) => {
    for (const truncated of [false, true]) {
      const server = endpoint(t, { transport })
      const { url } = await server.listen('tls://127.0.0.1:0', listen)
      const accepted = once<Session>()
      server.once('session', accepted.resolve)
      const raw = net.connect(Number(new URL(url).port))
      const socket = tls.connect({ socket: raw, ca: authority.cert, servername: 'localhost' })
      socket.on('error', () => {})
      const session = await accepted.promise
      const closed = once<string>()
      session.once('close', (error) => closed.resolve(String(error?.cause)))
      if (truncated)
        (socket as unknown as { _parent: { end(): void }; _handle: { _parent: { shutdown(req: object): void } } })._parent.end()
      else socket.end()
      assert.equal(await closed.promise, truncated ? 'connection error: TLS ended without close_notify' : 'closed by the peer')
      socket.destroy()
    }
  })
})
