import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { runInRoot } from '../../../base/async/root-context.ts'
import { type ClockTimer, realClock } from '../../../base/time/clock.ts'
import { wheelOf } from '../../../base/time/timer-wheel.ts'
import { segmentsOf } from '../../../wire/kcp/conversation.ts'
import { Command, type Header, MARK, MAX_DATAGRAM, OVERHEAD, readHeader, singleSegment } from '../../../wire/kcp/segment.ts'
import { defaultKcp } from '../../../wire/kcp/settings.ts'
import type { Address } from '../../address.ts'
import type { ConnectionOptions } from '../../transport.ts'
import { hostPort } from '../shared.ts'
import type { TurnScheduler } from '../turn-scheduler.ts'
import { enlargeBuffer, udpSocket } from '../udp.ts'
import { KcpCarrier } from './carrier.ts'
import { isChallenge } from './cookie.ts'

/** Milliseconds after which the first question is repeated, and between repetitions at most. */
const FIRST_WAIT = 200
const LONGEST_WAIT = 1000
/** Answers to a challenge before the dial begins anew: the listener may have another key by then. */
const MAX_ANSWERS = 5
/** Refusals of the system, without a datagram between them, that end a connection. */
const MAX_REFUSALS = 3

export interface Dialled {
  readonly carrier: KcpCarrier
  readonly local: string
  readonly remote: string
}

/**
 * Dials: asks for the window of the peer until it answers, which a listener of Go does as well as one of dmicro. The
 * latter first demands a proof of the address. Resolves when the listener has a session.
 *
 * @throws Error (rejects) of the system; the reason of `signal`
 */
export function dialKcp(address: Address, options: ConnectionOptions, signal: AbortSignal, turns: TurnScheduler): Promise<Dialled> {
  if (address.kind === 'unix') throw new TypeError('KCP has no Unix sockets')
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = runInRoot(udpSocket, undefined, address.host)
    new Dial(socket, address.host, address.port, options, signal, turns, resolve, reject)
  })
}

/** One dial, and the socket of the connection that it makes. */
class Dial {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #signal: AbortSignal
  readonly #turns: TurnScheduler
  readonly #resolve: (dialled: Dialled) => void
  readonly #reject: (error: unknown) => void
  readonly #conv = randomBytes(4).readUInt32LE()
  readonly #onAbort = (): void => this.#fail(this.#signal.reason)
  #carrier: KcpCarrier | undefined
  /** The last one of the listener; undefined for a Go peer, which sends none. */
  #challenge: Header | undefined
  #answers = 0
  /** Whether there was a challenge. */
  #marked = false
  #timer: ClockTimer | undefined
  #wait = FIRST_WAIT
  #refusals = 0
  #closed = false

  constructor(
    socket: Socket,
    host: string,
    port: number,
    options: ConnectionOptions,
    signal: AbortSignal,
    turns: TurnScheduler,
    resolve: (dialled: Dialled) => void,
    reject: (error: unknown) => void,
  ) {
    this.#socket = socket
    this.#options = options
    this.#signal = signal
    this.#turns = turns
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this.#onAbort, { once: true })
    socket.on('error', (error) => runInRoot(this.#onError, this, error))
    socket.on('message', (datagram) => runInRoot(this.#onDatagram, this, datagram))
    // A connected socket takes datagrams of its peer alone, and learns of refusals.
    socket.connect(port, host, () => {
      if (this.#closed) return
      enlargeBuffer(socket)
      runInRoot(this.#ask, this)
    })
  }

  readonly #ask = (): void => {
    const challenge = this.#challenge
    if (challenge === undefined) {
      this.#send(this.#segment(Command.Wask, 0, 0))
    } else {
      // The answer makes the session, which answers the question. Both again in one, in case the first is lost.
      const answer = this.#segment(Command.Ack, challenge.sn, challenge.ts)
      this.#send(answer)
      this.#send(Buffer.concat([answer, this.#segment(Command.Wask, 1, 0)]))
      if (++this.#answers === MAX_ANSWERS) this.#challenge = undefined
    }
    this.#timer = realClock.setTimeout(this.#ask, this.#wait)
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT)
  }

  #segment(cmd: number, sn: number, ts: number): Buffer {
    return singleSegment({ conv: this.#conv, cmd, frg: MARK, wnd: this.#settings.window, ts, sn, una: 0 })
  }

  get #settings() {
    return this.#options.kcp ?? defaultKcp
  }

  #send(datagram: Buffer): void {
    if (!this.#closed) this.#socket.send(datagram, ignore)
  }

  #onDatagram(datagram: Buffer): void {
    this.#refusals = 0
    if (this.#carrier !== undefined) this.#carrier.receive(datagram)
    else if (datagram.length >= OVERHEAD && datagram.length <= MAX_DATAGRAM) this.#onFirst(datagram)
  }

  #onFirst(datagram: Buffer): void {
    const segments = segmentsOf(datagram)
    if (segments === undefined) return
    const header = readHeader(segments, 0)
    if (header.conv !== this.#conv || header.cmd < Command.Push || header.cmd > Command.Reset) return
    if (header.cmd === Command.Reset) {
      this.#fail(refusal())
      return
    }
    if (isChallenge(header)) {
      const first = this.#challenge === undefined
      this.#challenge = header
      if (!first) return
      this.#marked = true
      this.#answers = 0
      realClock.clearTimeout(this.#timer)
      this.#wait = FIRST_WAIT
      this.#ask()
      return
    }
    this.#settle()
    const carrier = new KcpCarrier({
      conv: this.#conv,
      settings: this.#settings,
      turns: this.#turns,
      wheel: wheelOf(realClock),
      dialled: true,
      marked: this.#marked || (header.frg === MARK && header.cmd === Command.Wins),
      send: (sent) => this.#send(sent),
      onFree: () => this.#close(),
      onIdle: () => {
        this.#socket.unref()
        return true
      },
    })
    this.#carrier = carrier
    const { address: host, port } = this.#socket.address()
    const { address: remoteHost, port: remotePort } = this.#socket.remoteAddress()
    this.#resolve({ carrier, local: hostPort(host, port), remote: hostPort(remoteHost, remotePort) })
    carrier.receive(datagram)
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#closed) return
    const carrier = this.#carrier
    if (carrier === undefined) {
      this.#fail(error)
    } else if (error.code === 'ECONNREFUSED') {
      // Anybody on the way can say so: only a peer that does not answer either is gone.
      if (++this.#refusals >= MAX_REFUSALS) carrier.refused()
      else carrier.ask()
    }
  }

  #fail(error: unknown): void {
    if (this.#carrier !== undefined || this.#closed) return
    this.#settle()
    this.#close()
    this.#reject(error)
  }

  #settle(): void {
    realClock.clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }
}

function refusal(): Error {
  return Object.assign(new Error('connect ECONNREFUSED: the peer refused the conversation'), { code: 'ECONNREFUSED' })
}

/** Errors of sending are those of the socket, or losses like any other. */
function ignore(): void {}
