import { randomBytes } from 'node:crypto'
import type { RemoteInfo, Socket } from 'node:dgram'
import { type ClockTimer, realClock } from '../../../base/time/clock.ts'
import { wheelOf } from '../../../base/time/timer-wheel.ts'
import type { QuicSettings } from '../../quic-options.ts'
import type { ServerTls } from '../../tls/server-tls.ts'
import { HANDSHAKE_TIMED_OUT } from '../../tls/tls-facts.ts'
import type { HandshakeGate } from '../../transport.ts'
import { hostPort } from '../shared.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { bindUdp, udpSocket } from '../udp.ts'
import { QuicCarrier } from './carrier.ts'
import { type HostPort, type QuicheConfig, type QuicheConnection, type QuicheHeader, quiche } from './quiche.ts'
import { RetryTokens } from './retry-token.ts'
import { checkClient, hasPreamble } from './tls.ts'

/** Milliseconds in which handshakes may end after their listener has closed. */
const LINGER_MS = 1000
/** Most bytes of the packets that answer a client without a connection. */
const MAX_ANSWER = 1200

/** Settings of a listener, and its connections' way up. */
interface QuicAcceptor {
  readonly tls: ServerTls
  readonly settings: QuicSettings
  readonly gate: HandshakeGate | undefined
  accept(carrier: QuicCarrier, connection: QuicheConnection, local: string, remote: string): void
}

/** The socket of a listener and the connections on it, which are known by their ids. */
export class QuicServer {
  readonly #socket: Socket
  readonly #turns: TurnScheduler
  readonly #acceptor: QuicAcceptor
  readonly #tokens = new RetryTokens()
  readonly #carriers = new Map<string, QuicCarrier>()
  /** Carriers that have no connection above yet. */
  readonly #beginning = new Set<QuicCarrier>()
  /** For the handshakes that begin from now on. */
  config: QuicheConfig
  #local: HostPort = { host: '', port: 0 }
  #listening = true
  #closed = false

  constructor(host: string, config: QuicheConfig, turns: TurnScheduler, acceptor: QuicAcceptor) {
    this.#socket = udpSocket(host)
    this.config = config
    this.#turns = turns
    this.#acceptor = acceptor
  }

  /** @throws Error (rejects) the system's error */
  async bind(host: string, port: number): Promise<HostPort> {
    const bound = await bindUdp(this.#socket, host, port, (datagram, from) => this.#onDatagram(datagram, from))
    this.#local = { host: bound.address, port: bound.port }
    return this.#local
  }

  /** Accepts no more. The socket closes with the last connection. */
  stop(): void {
    this.#listening = false
    const abandon = (): void => {
      for (const carrier of this.#beginning) carrier.abandon()
    }
    // A client may be done with its handshake already, and its last packet on the way.
    if (this.#beginning.size > 0) realClock.setTimeout(abandon, LINGER_MS).unref()
    this.#rest()
  }

  #rest(): void {
    if (this.#listening || this.#carriers.size > 0 || this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #onDatagram(datagram: Buffer, { address: host, port }: RemoteInfo): void {
    const { Header, Type, MAX_CONN_ID_LEN } = quiche()
    let header: QuicheHeader
    try {
      header = Header.fromSlice(datagram, MAX_CONN_ID_LEN)
    } catch {
      return
    }
    const from = { host, port }
    const carrier = this.#carriers.get(keyOf(header.dcid))
    if (carrier !== undefined) carrier.receive(datagram, from)
    // A client fills its first datagram, so that answers to spoofed addresses are no longer than what caused them.
    else if (!this.#listening || header.ty !== Type.Initial || datagram.length < MAX_ANSWER) return
    else this.#onStranger(datagram, header, from)
  }

  #onStranger(datagram: Buffer, header: QuicheHeader, from: HostPort): void {
    try {
      if (quiche().versionIsSupported(header.version)) this.#onInitial(datagram, header, from)
      else this.#negotiate(header, from)
    } catch {
      // A field has a value that quiche does not take, and nothing is kept of the client.
    }
  }

  #negotiate({ scid, dcid }: QuicheHeader, from: HostPort): void {
    const answer = Buffer.allocUnsafe(MAX_ANSWER)
    this.#send(answer.subarray(0, quiche().negotiateVersion(scid, dcid, answer)), from)
  }

  #onInitial(datagram: Buffer, { scid, dcid, token, version }: QuicheHeader, from: HostPort): void {
    const { retry, MAX_CONN_ID_LEN } = quiche()
    const peer = hostPort(from.host, from.port)
    if (token === undefined || token.length === 0) {
      const own = randomBytes(MAX_CONN_ID_LEN)
      const made = this.#tokens.make(peer, dcid, own, realClock.now())
      const answer = Buffer.allocUnsafe(MAX_ANSWER)
      this.#send(answer.subarray(0, retry(scid, dcid, own, made, version, answer)), from)
      return
    }
    const odcid = this.#tokens.read(token, peer, dcid, realClock.now())
    if (odcid !== undefined) this.#begin(datagram, odcid, Buffer.from(dcid), from, peer)
  }

  /** Begins a handshake with a client that has proved its address. */
  #begin(datagram: Buffer, odcid: Buffer, scid: Buffer, from: HostPort, peer: string): void {
    const { gate, tls, settings, accept } = this.#acceptor
    const key = keyOf(scid)
    const connection = quiche().Connection.accept(scid, odcid, this.#local, from, this.config)
    if (gate?.begin(peer) === false) return
    let timer: ClockTimer | undefined
    let settled = false
    const fail = (reason: string): void => {
      if (settled) return
      settled = true
      realClock.clearTimeout(timer)
      gate?.fail(peer, reason)
    }
    const carrier: QuicCarrier = new QuicCarrier({
      connection,
      local: this.#local,
      turns: this.#turns,
      wheel: wheelOf(realClock),
      keepAlive: settings.keepAlive,
      dialled: false,
      send: (sent, to) => this.#send(sent, to),
      hasPreamble: () => hasPreamble(connection),
      onHandshake: () => {
        const refusal = checkClient(connection, tls)
        if (refusal !== undefined || settled) return refusal
        // A Go client opens its stream with its first message, which may come late.
        realClock.clearTimeout(timer)
        timer = realClock.setTimeout(expire, settings.idleTimeout)
        timer.unref()
        return undefined
      },
      onOpen: () => {
        settled = true
        this.#beginning.delete(carrier)
        realClock.clearTimeout(timer)
        accept(carrier, connection, hostPort(this.#local.host, this.#local.port), peer)
      },
      onFailed: (error) => fail(error.message),
      onFree: () => {
        fail(HANDSHAKE_TIMED_OUT)
        this.#carriers.delete(key)
        this.#beginning.delete(carrier)
        this.#rest()
      },
    })
    const expire = (): void => carrier.abandon()
    timer = realClock.setTimeout(expire, tls.handshakeTimeout)
    timer.unref()
    this.#carriers.set(key, carrier)
    this.#beginning.add(carrier)
    carrier.receive(datagram, from)
  }

  #send(datagram: Buffer, { host, port }: HostPort): void {
    if (!this.#closed) this.#socket.send(datagram, port, host, ignore)
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}

function ignore(): void {}
