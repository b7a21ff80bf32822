import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { ConnectionOptions, PeerCertificate, SecureContextOptions, TLSSocket } from 'node:tls'
import { runInRoot } from '../../base/async/root-context.ts'
import { nodeCrypto, nodeTls } from '../../base/builtin.ts'
import { hostPort } from '../host-port.ts'
import type { TlsTarget } from '../tls/client-tls.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import { CONNECTION_LOST, HANDSHAKE_TIMED_OUT, handshakeError, REFUSED, type TlsFacts, textOfTlsError } from '../tls/tls-facts.ts'
import type { HandshakeGate } from '../transport.ts'

/** A socket whose handshake is done. */
export interface SecureSocket {
  readonly socket: TLSSocket
  /** The TCP socket below. */
  readonly raw: Socket
  readonly facts: TlsFacts
}

/** Handshakes of one listener, by `node:tls`. */
export class TlsAcceptor {
  readonly #server
  readonly #tls: ServerTls
  readonly #gate: HandshakeGate | undefined
  readonly #onSecure: (secure: SecureSocket) => void
  /** TCP sockets whose handshake runs, by remote address. */
  readonly #running = new Map<string, { raw: Socket; failure: string }>()

  constructor(tls: ServerTls, gate: HandshakeGate | undefined, onSecure: (secure: SecureSocket) => void) {
    this.#tls = tls
    this.#gate = gate
    this.#onSecure = onSecure
    const { requestCert, rejectUnauthorized, handshakeTimeout, protocols } = tls
    this.#server = nodeTls().createServer({
      ...withTicketKeys(tls.contextOptions),
      requestCert,
      rejectUnauthorized,
      handshakeTimeout,
      allowHalfOpen: true,
      ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
      ...(tls.choosesProtocol && { ALPNCallback: (hello: { servername: string; protocols: string[] }) => this.#chooseProtocol(hello) }),
      ...(tls.choosesContext && { SNICallback: (name: string, done: (error: Error | null) => void) => this.#chooseContext(name, done) }),
    })
    this.#server.on('secureConnection', (socket) => runInRoot(this.#finish, this, socket))
    this.#server.on('tlsClientError', (error, socket) => {
      const running = this.#running.get(addressOf(socket))
      if (running !== undefined && running.failure === '') running.failure = failureOf(error)
      socket.destroy()
    })
  }

  setSecureContext(): void {
    this.#server.setSecureContext(withTicketKeys(this.#tls.contextOptions))
  }

  /** Begins the handshake on an accepted socket, unless the gate refuses it. */
  accept(raw: Socket): void {
    const remote = hostPort(raw.remoteAddress, raw.remotePort)
    if (remote === '' || this.#gate?.begin(remote) === false) {
      raw.on('error', () => {})
      raw.destroy()
      return
    }
    const running = { raw, failure: '' }
    this.#running.set(remote, running)
    raw.once('close', () => {
      if (this.#running.get(remote) !== running) return
      this.#running.delete(remote)
      this.#gate?.fail(remote, running.failure || CONNECTION_LOST)
    })
    // Until it is secure, a connection ends with its client: half of it would hold a place until the time limit.
    raw.allowHalfOpen = false
    this.#server.emit('connection', raw)
  }

  #finish(socket: TLSSocket): void {
    const remote = addressOf(socket)
    const running = this.#running.get(remote)
    if (running === undefined) {
      socket.destroy()
      return
    }
    this.#running.delete(remote)
    socket.allowHalfOpen = true
    running.raw.allowHalfOpen = true
    // From here on the carrier hears of errors.
    this.#onSecure({ socket, raw: running.raw, facts: factsOf(socket, this.#tls.requestCert) })
  }

  #chooseContext(name: string, done: (error: Error | null, context?: never) => void): void {
    this.#tls.chooseContext(name, (error, context) => {
      // Node.js takes an error as such only when it is truthy.
      if (error !== undefined && error !== null) done(error instanceof Error ? error : new Error(String(error)))
      else done(null, context as never)
    })
  }

  #chooseProtocol(hello: { servername: string; protocols: string[] }): string | undefined {
    try {
      return this.#tls.chooseProtocol(hello)
    } catch {
      return undefined // refuses the client
    }
  }
}

/**
 * Makes the handshake of the dialling side.
 *
 * @param raw connected and paused
 * @throws Error (rejects) when the handshake fails or the certificate is refused, and the reason of `signal`
 */
export function secureDialled(raw: Socket, { tls, host, port }: TlsTarget, signal: AbortSignal): Promise<SecureSocket> {
  return new Promise((resolve, reject) => {
    const { connect } = nodeTls()
    const server = `${tls.nameOf(host)} ${host}:${port}`
    const kept = tls.sessions.get(server)
    const servername = tls.servernameOf(host)
    const socket = runInRoot(connect as (options: ConnectionOptions) => TLSSocket, undefined, {
      socket: raw,
      secureContext: tls.context('js'),
      rejectUnauthorized: tls.rejectUnauthorized,
      checkServerIdentity: (_name: string, certificate: PeerCertificate) => tls.check(host, certificate),
      ...(servername !== undefined && { servername }),
      ...(tls.protocols.length > 0 && { ALPNProtocols: [...tls.protocols] }),
      ...(kept !== undefined && { session: kept.session }),
    })
    let certificate: X509Certificate | undefined
    /** The session of a server that is not checked yet: with TLS 1.2 it comes before the end of the handshake. */
    let early: Buffer | undefined
    let secure = false
    const keep = (session: Buffer): void => tls.keepSession(server, { session, certificate })
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      socket.off('close', onClose)
      socket.off('secureConnect', onSecure)
    }
    const fail = (error: unknown): void => {
      settle()
      tls.sessions.delete(server)
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const onAbort = (): void => fail(signal.reason)
    const onError = (error: NodeJS.ErrnoException): void => fail(handshakeError(textOfTlsError(error), error.code))
    const onClose = (): void => fail(handshakeError(CONNECTION_LOST))
    const onSecure = (): void => {
      settle()
      const facts = factsOf(socket, true)
      // A resumed session comes without certificates.
      certificate = facts.peerCertificate ?? (facts.resumed ? kept?.certificate : undefined)
      secure = true
      if (early !== undefined) keep(early)
      resolve({ socket, raw, facts: { ...facts, peerCertificate: certificate } })
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.on('secureConnect', onSecure)
    // Node.js does not check the server of a resumed session again, so only one that was checked is kept.
    socket.on('session', (session: Buffer) => {
      if (secure) keep(session)
      else early = session
    })
  })
}

/** @param asked whether the peer was asked for a certificate */
export function factsOf(socket: TLSSocket, asked: boolean): TlsFacts {
  return {
    peerCertificate: asked ? socket.getPeerX509Certificate() : undefined,
    authorized: socket.authorized,
    alpn: socket.alpnProtocol || undefined,
    version: socket.getProtocol() ?? '',
    resumed: socket.isSessionReused(),
  }
}

/** Random keys for tickets if there are none. Node.js would keep the old ones, which vouch for the old certificates. */
function withTicketKeys(options: SecureContextOptions): SecureContextOptions {
  return { ...options, ticketKeys: options.ticketKeys ?? nodeCrypto().randomBytes(48) }
}

/** One of a fixed set of texts: what callbacks of users say may hold names that a client has chosen. */
function failureOf(error: Error & { code?: string; library?: string }): string {
  if (error.library !== undefined) return textOfTlsError(error)
  if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return HANDSHAKE_TIMED_OUT
  return error.code === 'ECONNRESET' ? CONNECTION_LOST : REFUSED
}

/** The address of a TLS socket's peer, or that of the stream below where this is no socket. */
function addressOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket.remoteAddress === undefined ? streamOf(socket) : socket
  return hostPort(remoteAddress, remotePort)
}

/** The stream below a TLS socket that is not over a socket, kept in fields without a public way to it. */
function streamOf(socket: Socket): Partial<Pick<Socket, 'remoteAddress' | 'remotePort'>> {
  const { _handle: handle } = socket as Socket & { _handle?: { _parentWrap?: { stream?: object } } | null }
  return handle?._parentWrap?.stream ?? {}
}
