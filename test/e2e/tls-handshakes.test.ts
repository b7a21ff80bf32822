import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import type { DialOptions, Endpoint, ListenOptions, Session } from '../../src/index.ts'
import { Authority, certificates } from '../support/certificates.ts'
import { endpoint, once, onEachTransport, recorder, status } from '../support/helpers.ts'

// Handshakes: what is refused, by whom and with what words, and what is agreed upon.

const { authority, server: own, client: clientOwn } = certificates()
const trusted: DialOptions = { tls: { ca: authority.cert } }
const DAY = 86_400_000

/** Resolves with the reason that the server logs about a handshake. */
function failedHandshake(server: { log: ReturnType<typeof recorder> }): Promise<string> {
  const logged = once<string>()
  const { warn } = server.log
  server.log.warn = (text, fields) => {
    warn(text, fields)
    if (text === 'handshake failed') logged.resolve(String(fields?.reason))
  }
  return logged.promise
}

onEachTransport('tls handshakes', (transport) => {
  async function serve(
    t: Parameters<typeof endpoint>[0],
    options: ListenOptions['tls'] = own,
    limits = {},
  ): Promise<{ server: Endpoint; url: string; log: ReturnType<typeof recorder> }> {
    const log = recorder()
    const server = endpoint(t, { transport, log, limits })
    server.routeCall('/hello', () => 'hello')
    const { url } = await server.listen('tls://127.0.0.1:0', { tls: options })
    return { server, url, log }
  }

  const refusals: [string, ListenOptions['tls'], DialOptions['tls'], RegExp][] = [
    ['no trust in its authority', own, undefined, /unable to (get local issuer|verify the first) certificate/],
    [
      'an expired certificate',
      authority.issue('late', { from: new Date(Date.now() - 2 * DAY), until: new Date(Date.now() - DAY) }),
      { ca: authority.cert },
      /certificate has expired/,
    ],
    [
      'a certificate of the future',
      authority.issue('early', { from: new Date(Date.now() + DAY), until: new Date(Date.now() + 2 * DAY) }),
      { ca: authority.cert },
      /certificate is not yet valid/,
    ],
    ['another host', authority.issue('other', { names: ['example.org'] }), { ca: authority.cert }, /does not match certificate's altnames/],
    [
      'another authority',
      new Authority('stranger').issue('server'),
      { ca: authority.cert },
      /unable to (get local issuer|verify the first) certificate/,
    ],
    ['a name that its certificate lacks', own, { ca: authority.cert, servername: 'example.org' }, /does not match certificate's altnames/],
    ['a check of our own', own, { ca: authority.cert, checkServerIdentity: () => new Error('not this one') }, /not this one/],
    [
      'a check that throws',
      own,
      {
        ca: authority.cert,
        checkServerIdentity: () => {
          throw new Error('cannot check')
        },
      },
      /cannot check/,
    ],
    [
      'no common version',
      { ...own, maxVersion: 'TLSv1.2' },
      { ca: authority.cert, minVersion: 'TLSv1.3' },
      /TLS handshake failed: .*(alert|version)/,
    ],
    [
      'no common cipher',
      { ...own, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { ca: authority.cert, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
      /TLS handshake failed: .*handshake failure/,
    ],
    [
      'no common protocol',
      { ...own, ALPNProtocols: ['a'] },
      { ca: authority.cert, ALPNProtocols: ['b'] },
      /TLS handshake failed: .*no application protocol/,
    ],
  ]
  for (const [why, listen, dial, cause] of refusals) {
    test(`a server is refused because of ${why}, and no call is served`, async (t) => {
      const { url } = await serve(t, listen)
      const [code, , text] = await status(endpoint(t, { transport }).dial(url, { tls: dial }))
      assert.equal(code, 105)
      assert.match(text, cause)
    })
  }

  test('a certificate that is not verified is accepted only when that is asked for, and the session says so', async (t) => {
    const { url } = await serve(t, new Authority('stranger').issue('server', { names: ['example.org'] }))
    const session = await endpoint(t, { transport }).dial(url, { tls: { rejectUnauthorized: false } })
    assert.equal(await session.call('/hello'), 'hello')
    assert.deepEqual([session.authorized, session.peerCertificate?.subject], [false, 'CN=server'])
  })

  test('TLS 1.2 and 1.3 are spoken, older versions are not', async (t) => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { url } = await serve(t)
      const session = await endpoint(t, { transport }).dial(url, { tls: { ca: authority.cert, minVersion: version, maxVersion: version } })
      assert.equal(await session.call('/hello'), 'hello')
    }
    const made = await serve(t)
    const failed = failedHandshake(made)
    const old = tls.connect({
      port: Number(new URL(made.url).port),
      ca: authority.cert,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    old.on('error', () => {})
    assert.match(await failed, /unsupported protocol/)
    for (const minVersion of ['TLSv1', 'TLSv1.1', 'SSLv3'] as const)
      await assert.rejects(made.server.listen('tls://127.0.0.1:0', { tls: { ...own, minVersion: minVersion as 'TLSv1.1' } }), TypeError)
  })

  test('a client without certificate, or with one of another authority, is not served', async (t) => {
    const { url, server } = await serve(t, { ...own, ca: authority.cert, requestCert: true })
    for (const mine of [{}, new Authority('stranger').issue('client')]) {
      // With TLS 1.3 the client is told only after its handshake.
      const session = await endpoint(t, { transport })
        .dial(url, { tls: { ...mine, ca: authority.cert } })
        .catch(() => undefined)
      if (session !== undefined) assert.equal((await status(session.call('/hello')))[0], 102)
    }
    assert.equal(server.stats.accepted, 0)
    const session = await endpoint(t, { transport }).dial(url, { tls: { ...clientOwn, ca: authority.cert } })
    assert.equal(await session.call('/hello'), 'hello')
  })

  test('with rejectUnauthorized false a client is served, and its session says what was verified', async (t) => {
    const seen: string[] = []
    const server = endpoint(t, {
      transport,
      plugins: [{ name: 'who', afterAccept: (s) => void seen.push(`${s.peerCertificate?.subject} ${s.authorized}`) }],
    })
    server.routeCall('/hello', () => 'hello')
    const { url } = await server.listen('tls://127.0.0.1:0', {
      tls: { ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: false },
    })
    for (const mine of [{}, new Authority('stranger').issue('client'), clientOwn]) {
      const session = await endpoint(t, { transport }).dial(url, { tls: { ...mine, ca: authority.cert } })
      assert.equal(await session.call('/hello'), 'hello')
    }
    assert.deepEqual(seen, ['undefined false', 'CN=client false', 'CN=client true'])
  })

  test('SNICallback chooses the certificate, ALPNCallback the protocol', async (t) => {
    const other = tls.createSecureContext(authority.issue('other', { names: ['other.example'] }))
    const asked: string[] = []
    const { url } = await serve(t, {
      ...own,
      SNICallback: (name, done) => {
        asked.push(name)
        setImmediate(done, null, name === 'other.example' ? other : undefined)
      },
      ALPNCallback: ({ servername, protocols }) => {
        asked.push(`${servername} ${protocols}`)
        return protocols.at(-1)
      },
    })
    const dial = (servername: string) =>
      endpoint(t, { transport }).dial(url, { tls: { ca: authority.cert, servername, ALPNProtocols: ['one', 'two'] } })
    const [first, second] = [await dial('other.example'), await dial('localhost')]
    assert.deepEqual([first.peerCertificate?.subject, first.alpn], ['CN=other', 'two'])
    assert.deepEqual([second.peerCertificate?.subject, second.alpn], ['CN=server', 'two'])
    assert.deepEqual(asked.sort(), ['localhost', 'localhost one,two', 'other.example', 'other.example one,two'])
    // A context that is in use elsewhere in the process too.
    const elsewhere = tls.createServer({ SNICallback: (_, done) => done(null, other) }, (socket) => socket.end('elsewhere')).listen(0)
    t.after(() => elsewhere.close())
    const socket = tls.connect({ port: (elsewhere.address() as net.AddressInfo).port, servername: 'other.example', ca: authority.cert })
    assert.equal(await new Promise((resolve) => socket.once('data', (bytes) => resolve(String(bytes)))), 'elsewhere')
    assert.equal((await dial('other.example')).peerCertificate?.subject, 'CN=other')
  })

  const bad: [string, ListenOptions['tls']][] = [
    [
      'SNICallback throws',
      {
        ...own,
        SNICallback: () => {
          throw new Error('broken')
        },
      },
    ],
    [
      'SNICallback rejects',
      {
        ...own,
        SNICallback: (async () => {
          throw new Error('broken')
        }) as never,
      },
    ],
    ['SNICallback gives an error', { ...own, SNICallback: (_, done) => done(new Error('unknown')) }],
    ['SNICallback gives no context', { ...own, SNICallback: (_, done) => done(null, 'context' as never) }],
    [
      'ALPNCallback throws',
      {
        ...own,
        ALPNCallback: () => {
          throw new Error('broken')
        },
      },
    ],
    ['ALPNCallback chooses nothing', { ...own, ALPNCallback: () => undefined }],
    ['ALPNCallback chooses what was not offered', { ...own, ALPNCallback: () => 'three' }],
  ]
  for (const [what, options] of bad) {
    test(`when ${what} the client is refused, and others are served`, async (t) => {
      const made = await serve(t, options)
      const failed = failedHandshake(made)
      const tlsOptions = { ca: authority.cert, servername: 'localhost', ALPNProtocols: ['one', 'two'] }
      assert.equal((await status(endpoint(t, { transport }).dial(made.url, { tls: tlsOptions })))[0], 105)
      assert.notEqual(await failed, '')
      // Without a name and protocols neither is asked.
      const session = await endpoint(t, { transport }).dial(made.url, trusted)
      assert.equal(await session.call('/hello'), 'hello')
    })
  }

  test('certificates are replaced while sessions live', async (t) => {
    const server = endpoint(t, { transport })
    server.routeCall('/hello', () => 'hello')
    const listener = await server.listen('tls://127.0.0.1:0', { tls: own })
    const client = endpoint(t, { transport })
    const before = await client.dial(listener.url, trusted)
    listener.setSecureContext(authority.issue('renewed'))
    const after = await client.dial(listener.url, trusted)
    assert.deepEqual([before.peerCertificate?.subject, after.peerCertificate?.subject], ['CN=server', 'CN=renewed'])
    assert.equal(await before.call('/hello'), 'hello')
    assert.equal(await after.call('/hello'), 'hello')
    assert.throws(() => listener.setSecureContext({ key: own.key, cert: 'none' }))
    assert.throws(() => listener.setSecureContext({ requestCert: true } as never), TypeError)
    assert.equal((await client.dial(listener.url, trusted)).peerCertificate?.subject, 'CN=renewed')
  })

  test('a second connection with the same options resumes the session of the first, certificates included', async (t) => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const resumed: boolean[] = []
      const { url, server } = await serve(t, { ...own, ca: authority.cert, requestCert: true, maxVersion: version })
      const client = endpoint(t, { transport })
      const options: DialOptions = { tls: { ca: authority.cert, ...clientOwn } }
      for (let i = 0; i < 3; i++) {
        const session = await client.dial(url, options)
        assert.equal(await session.call('/hello'), 'hello') // a ticket has come by now
        assert.equal(session.peerCertificate?.subject, 'CN=server')
        const [peer] = [...server.sessions()].slice(-1)
        assert.equal(peer.peerCertificate?.subject, 'CN=client')
        resumed.push(isResumed(session))
      }
      assert.deepEqual(resumed, [false, true, true], version)
    }
  })

  test('handshakes that do nothing are ended in time, and count against the sessions until then', async (t) => {
    const made = await serve(t, { ...own, handshakeTimeout: 150 }, { maxSessions: 2 })
    const { port } = new URL(made.url)
    const failed = failedHandshake(made)
    const silent = [net.connect(Number(port)), net.connect(Number(port))]
    for (const socket of silent) socket.on('error', () => {})
    silent[0].write(Buffer.from([0x16, 0x03, 0x01, 0x02])) // part of a record
    const closed = silent.map((socket) => new Promise((resolve) => socket.once('close', resolve).resume()))
    while (made.server.stats.refused === 0)
      await endpoint(t, { transport })
        .dial(made.url, trusted)
        .then(
          (session) => session.close(),
          () => {},
        )
    assert.equal(await failed, 'not done in time')
    await Promise.all(closed)
    const session = await endpoint(t, { transport }).dial(made.url, trusted)
    assert.equal(await session.call('/hello'), 'hello')
  })

  test('handshakes count against the connect rate', async (t) => {
    const { url, server } = await serve(t, own, { maxConnectRate: 2 })
    const client = endpoint(t, { transport })
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => client.dial(url, trusted)))
    assert.ok(results.filter((result) => result.status === 'rejected').length >= 3)
    assert.ok(server.stats.refused >= 3)
  })

  test('dialling stops at its time limit, and when it is cancelled, while the server says nothing', async (t) => {
    const quiet = net.createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1')
    t.after(() => quiet.close())
    await new Promise((resolve) => quiet.once('listening', resolve))
    const url = `tls://127.0.0.1:${(quiet.address() as net.AddressInfo).port}`
    const client = endpoint(t, { transport })
    const [code, , cause] = await status(client.dial(url, { ...trusted, timeout: 100 }))
    assert.deepEqual([code, cause], [105, `no connection to ${url} within 100 ms`])
    const abort = new AbortController()
    const dial = status(client.dial(url, { ...trusted, signal: abort.signal }))
    quiet.once('connection', () => abort.abort())
    assert.equal((await dial)[0], 499)
  })

  test('bad options are refused by name', async (t) => {
    const client = endpoint(t, { transport })
    const dials: [DialOptions['tls'], RegExp][] = [
      [{ key: 1 as never }, /key/],
      [{ servername: 1 as never }, /tls\.servername/],
      [{ rejectUnauthorized: 'no' as never }, /tls\.rejectUnauthorized/],
      [{ checkServerIdentity: true as never }, /tls\.checkServerIdentity/],
      [{ ALPNProtocols: [''] }, /tls\.ALPNProtocols/],
      [{ serverName: 'x' } as never, /"tls\.serverName"/],
      [{ minVersion: 'TLSv1' }, /tls\.minVersion/],
    ]
    for (const [options, message] of dials)
      await assert.rejects(client.dial('tls://127.0.0.1:1', { tls: options }), { name: 'TypeError', message })
    await assert.rejects(client.dial('tcp://127.0.0.1:1', { tls: {} }), { name: 'TypeError', message: /needs a URL/ })
    const listens: [ListenOptions['tls'], RegExp][] = [
      [undefined, /tls/],
      [{}, /tls\.key/],
      [{ ...own, requestCert: 1 as never }, /tls\.requestCert/],
      [{ ...own, ALPNProtocols: ['a'], ALPNCallback: () => 'a' }, /exclude/],
      [{ ...own, SNICallback: {} as never }, /tls\.SNICallback/],
      [{ ...own, servername: 'x' } as never, /"tls\.servername"/],
    ]
    for (const [options, message] of listens)
      await assert.rejects(client.listen('tls://127.0.0.1:0', { tls: options }), { name: 'TypeError', message })
    await assert.rejects(client.listen('tls://127.0.0.1:0', { tls: { ...own, handshakeTimeout: 0 } }), RangeError)
    for (const maxHandshakes of [0, 1.5, Number.POSITIVE_INFINITY, '1' as never])
      await assert.rejects(client.listen('tls://127.0.0.1:0', { tls: { ...own, maxHandshakes } }), /tls\.maxHandshakes/)
    await assert.rejects(client.listen('tls://127.0.0.1:0', { tls: { key: own.key, cert: 'nothing' } }))
  })
})

/** Whether TLS resumed a session, which only the connection knows. */
function isResumed(session: Session): boolean {
  const [mark] = Object.getOwnPropertySymbols(Object.getPrototypeOf(session)).filter((symbol) => String(symbol).includes('engine'))
  return (session as unknown as Record<symbol, { link: { connection: { tls: { resumed: boolean } } } }>)[mark].link.connection.tls.resumed
}
