import type { RemoteInfo, Socket } from 'node:dgram'
import { realClock } from '../../../base/time/clock.ts'
import { wheelOf } from '../../../base/time/timer-wheel.ts'
import { segmentsOf } from '../../../wire/kcp/conversation.ts'
import { Command, type Header, MARK, MAX_DATAGRAM, OVERHEAD, readHeader, singleSegment } from '../../../wire/kcp/segment.ts'
import { defaultKcp, type KcpSettings } from '../../../wire/kcp/settings.ts'
import { hostPort } from '../shared.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { bindUdp, udpSocket } from '../udp.ts'
import { KcpCarrier } from './carrier.ts'
import { Cookies } from './cookie.ts'

/** Most conversations of one address and port; a Go peer has one. */
const MAX_CONVERSATIONS = 16
/** Closed connections whose peers are waited for; more are left at once, since no limit of the endpoint counts them. */
const MAX_LINGERING = 256
/** First datagrams that are kept until their senders have proved their addresses. */
const KEPT = 128

/** All conversations of one address and port. */
interface Peer {
  readonly conversations: Map<number, KcpCarrier>
  /** The one that had the last datagram: parity does not say to which conversation it belongs. */
  latest: KcpCarrier | undefined
}

/** Accepts conversations. */
interface KcpAcceptor {
  readonly settings: KcpSettings | undefined
  accept(carrier: KcpCarrier, local: string, remote: string): void
}

/**
 * The socket of a listener and the conversations on it. A peer is known by its address and its `conv`. Nothing is kept
 * of a peer before it has proved its address, except for its first datagram in a ring of a fixed size.
 */
export class KcpServer {
  readonly #socket: Socket
  readonly #turns: TurnScheduler
  readonly #onClosed: () => void
  readonly #cookies = new Cookies()
  readonly #peers = new Map<string, Peer>()
  readonly #kept: ({ peer: string; conv: number; datagram: Buffer } | undefined)[] = new Array(KEPT).fill(undefined)
  #nextKept = 0
  #conversations = 0
  /** Conversations whose connection is not closed. */
  #open = 0
  #acceptor: KcpAcceptor | undefined
  #local = ''
  #closed: Promise<void> | undefined

  /** @param onClosed called when the socket is closed */
  constructor(host: string, turns: TurnScheduler, onClosed: () => void) {
    this.#socket = udpSocket(host)
    this.#turns = turns
    this.#onClosed = onClosed
  }

  /** @throws Error (rejects) the system's error */
  async bind(host: string, port: number): Promise<void> {
    const bound = await bindUdp(this.#socket, host, port, (datagram, from) => this.#onDatagram(datagram, from))
    this.#local = hostPort(bound.address, bound.port)
  }

  get address(): { host: string; port: number } {
    const { address, port } = this.#socket.address()
    return { host: address, port }
  }

  get listening(): boolean {
    return this.#acceptor !== undefined
  }

  /** Accepts new conversations. Requires that nobody does. */
  listen(acceptor: KcpAcceptor): void {
    this.#acceptor = acceptor
    this.#socket.ref()
  }

  /** Accepts no more. The socket closes after the last conversation. */
  async stop(): Promise<void> {
    this.#acceptor = undefined
    this.#kept.fill(undefined)
    await this.#rest()
  }

  /** Closes the socket when it is of no use; undefined while it is. */
  #rest(): Promise<void> | undefined {
    if (this.#acceptor !== undefined) return undefined
    if (this.#open === 0 && this.#closed === undefined) this.#socket.unref()
    if (this.#conversations > 0) return undefined
    this.#closed ??= new Promise((resolve) => {
      this.#onClosed()
      this.#socket.close(resolve)
    })
    return this.#closed
  }

  #onDatagram(datagram: Buffer, { address, port }: RemoteInfo): void {
    if (datagram.length < OVERHEAD || datagram.length > MAX_DATAGRAM) return
    const key = hostPort(address, port)
    const peer = this.#peers.get(key)
    const segments = segmentsOf(datagram)
    if (segments === undefined) {
      peer?.latest?.receive(datagram)
      return
    }
    const carrier = peer?.conversations.get(segments.readUInt32LE(0))
    if (carrier === undefined) {
      this.#onStranger(datagram, readHeader(segments, 0), key, address, port)
      return
    }
    peer!.latest = carrier
    carrier.receive(datagram)
  }

  /** Handles a datagram that belongs to no conversation. */
  #onStranger(datagram: Buffer, header: Header, peer: string, address: string, port: number): void {
    const { conv, cmd, frg, sn, ts, una } = header
    const now = realClock.now()
    const proved = cmd === Command.Ack && this.#acceptor !== undefined && this.#cookies.answers(peer, header, now)
    if (proved && this.#begin(header, datagram, peer, address, port)) return
    const first = sn === 0 && una === 0 && (cmd === Command.Push || cmd === Command.Wask)
    if (first && this.#acceptor !== undefined) {
      if (cmd === Command.Push) this.#keep(peer, conv, datagram)
      const { window } = this.#acceptor.settings ?? defaultKcp
      this.#socket.send(singleSegment(this.#cookies.challenge(peer, conv, window, now)), port, address, ignore)
    } else if (cmd === Command.Push || (frg === MARK && cmd >= Command.Push && cmd <= Command.End)) {
      this.#socket.send(singleSegment({ conv, cmd: Command.Reset, frg: MARK, wnd: 0, ts, sn, una: 0 }), port, address, ignore)
    }
  }

  #keep(peer: string, conv: number, datagram: Buffer): void {
    if (this.#kept.some((each) => each?.peer === peer && each.conv === conv)) return
    this.#kept[this.#nextKept] = { peer, conv, datagram }
    this.#nextKept = (this.#nextKept + 1) % KEPT
  }

  /** Begins a conversation with a peer that has proved its address; false when it has too many. */
  #begin({ conv, frg }: Header, datagram: Buffer, key: string, address: string, port: number): boolean {
    const acceptor = this.#acceptor!
    let peer = this.#peers.get(key)
    if (peer === undefined) this.#peers.set(key, (peer = { conversations: new Map(), latest: undefined }))
    if (peer.conversations.size >= MAX_CONVERSATIONS) return false
    const { conversations } = peer
    let open = true
    const carrier = new KcpCarrier({
      conv,
      settings: acceptor.settings ?? defaultKcp,
      turns: this.#turns,
      wheel: wheelOf(realClock),
      dialled: false,
      marked: frg === MARK,
      send: (datagram) => this.#socket.send(datagram, port, address, ignore),
      onIdle: () => {
        if (open) this.#open--
        open = false
        void this.#rest()
        return this.#conversations - this.#open <= MAX_LINGERING
      },
      onFree: () => {
        conversations.delete(conv)
        if (conversations.size === 0) this.#peers.delete(key)
        else if (peer.latest === carrier) peer.latest = undefined
        this.#conversations--
        void this.#rest()
      },
    })
    conversations.set(conv, carrier)
    peer.latest = carrier
    this.#conversations++
    this.#open++
    acceptor.accept(carrier, this.#local, key)
    if (frg === MARK) carrier.tell()
    // Segments may follow the proof.
    carrier.receive(datagram)
    for (let i = 0; i < KEPT; i++) {
      const kept = this.#kept[i]
      if (kept?.peer !== key || kept.conv !== conv) continue
      this.#kept[i] = undefined
      carrier.receive(kept.datagram)
    }
    return true
  }
}

function ignore(): void {}
