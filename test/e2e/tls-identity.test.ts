import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import tls from 'node:tls'
import type { DialOptions, ListenOptions, Session } from '../../src/index.ts'
import { Authority, certificates } from '../support/certificates.ts'
import { endpoint, once, onEachTransport, status } from '../support/helpers.ts'

// Who the other side is must be proved on each connection, also where TLS resumes a session.

const { authority, server: own, client: clientOwn } = certificates()

onEachTransport('identity of tls peers', (transport) => {
  async function serve(t: TestContext, options: ListenOptions['tls']) {
    const server = endpoint(t, { transport, log: false })
    server.routeCall('/hello', () => 'hello')
    return { server, listener: await server.listen('tls://127.0.0.1:0', { tls: options }) }
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const ioThreads of transport === 'native' ? [0, 1] : [0])
      test(`a server that was refused is refused again, ${version}, ${ioThreads} IO threads`, async (t) => {
        const other = authority.issue('other', { names: ['example.org'] })
        const { listener } = await serve(t, { ...other, maxVersion: version })
        const client = endpoint(t, { transport, ioThreads })
        const pinned: DialOptions = {
          tls: { ca: authority.cert, servername: 'example.org', checkServerIdentity: () => new Error('not the pin') },
        }
        const named: DialOptions = { tls: { ca: authority.cert } }
        for (const options of [named, pinned])
          for (let i = 0; i < 3; i++) assert.deepEqual((await status(client.dial(listener.url, options))).slice(0, 2), [105, 'Dial Failed'])
      })

  test('a redialled session does not go on with a server of another name', async (t) => {
    const { server, listener } = await serve(t, { ...own, maxVersion: 'TLSv1.2' })
    const client = endpoint(t, { transport, log: false, redial: { times: 3, minDelay: 1, maxDelay: 5 } })
    const session = await client.dial(listener.url, { tls: { ca: authority.cert } })
    assert.equal(await session.call('/hello'), 'hello')
    const lost = once()
    session.once('close', () => lost.resolve())
    await listener.close()
    const other = endpoint(t, { transport, log: false })
    other.once('session', () => assert.fail('the other server has a session'))
    await other.listen(listener.url, { tls: { ...authority.issue('other', { names: ['example.org'] }), maxVersion: 'TLSv1.2' } })
    for (const each of server.sessions()) each.destroy()
    await lost.promise
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    test(`a client's certificate counts for no other name of a listener, ${version}`, async (t) => {
      const strangers = new Authority('strangers')
      const contexts = {
        'a.example': tls.createSecureContext({ ...own, ca: authority.cert }),
        'b.example': tls.createSecureContext({ ...own, ca: strangers.cert }),
      }
      const { server, listener } = await serve(t, {
        ...own,
        ca: authority.cert,
        requestCert: true,
        maxVersion: version,
        SNICallback: (name, done) => done(null, contexts[name as keyof typeof contexts]),
      })
      const port = Number(new URL(listener.url).port)
      const connect = (servername: string, session?: Buffer) =>
        tls.connect({
          host: '127.0.0.1',
          port,
          servername,
          ...clientOwn,
          ca: authority.cert,
          session,
          maxVersion: version,
          checkServerIdentity: () => undefined,
        })
      const accepted = once<Session>()
      server.once('session', accepted.resolve)
      const first = connect('a.example')
      const kept: Buffer[] = []
      first.on('session', (session: Buffer) => kept.push(session))
      await accepted.promise
      assert.equal(first.isSessionReused(), false)
      first.destroy()
      server.once('session', () => assert.fail('served by the certificate of another name'))
      const second = connect('b.example', kept.at(-1) ?? first.getSession())
      const closed = once()
      second.on('error', () => {})
      second.on('close', () => closed.resolve())
      second.resume()
      await closed.promise
    })

  test('new certificates leave the other options of a listener as they are', async (t) => {
    const { server, listener } = await serve(t, { ...own, ca: authority.cert, requestCert: true, minVersion: 'TLSv1.3' })
    listener.setSecureContext(authority.issue('renewed'))
    const client = endpoint(t, { transport, log: false })
    const session = await client.dial(listener.url, { tls: { ca: authority.cert, ...clientOwn } })
    assert.equal(session.peerCertificate?.subject, 'CN=renewed')
    assert.equal(await session.call('/hello'), 'hello')
    assert.equal([...server.sessions()][0].peerCertificate?.subject, 'CN=client')
    const old = await status(client.dial(listener.url, { tls: { ca: authority.cert, ...clientOwn, maxVersion: 'TLSv1.2' } }))
    assert.equal(old[0], 105)
    assert.throws(() => listener.setSecureContext({ maxVersion: 'TLSv1.2' }), /^RangeError: option tls.maxVersion must not be below/)
  })
})
