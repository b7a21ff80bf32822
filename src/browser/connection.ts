import { type Clock, type ClockTimer, immediate, realClock } from '../base/time/clock.ts'
import { CloseReason } from '../message/close-reason.ts'
import { Incoming, isReply } from '../message/message.ts'
import { nameBytes } from '../message/names.ts'
import type { Outgoing } from '../message/outgoing.ts'
import type { Address } from '../transports/address.ts'
import { closeCodeOf, peerCloseDetail } from '../transports/close-code.ts'
import { type ConnectionHandler, type ConnectionOptions, SendResult, type TransportConnection } from '../transports/transport.ts'
import { Framing } from '../wire/framing.ts'
import { frameSize, packFrame } from '../wire/raw-pack.ts'
import { unpackFrame } from '../wire/raw-unpack.ts'
import { CloseCode } from '../wire/websocket/close-code.ts'
import { frameOf, jsonOf } from './json-messages.ts'
import { type PageSocket, page, report } from './page.ts'
import { UnsentBytes } from './unsent-bytes.ts'

/** Milliseconds that the browser may take to connect, and the peer to close. Browsers take 240 and 60 seconds. */
const CONNECT_MS = 10_000
const CLOSE_MS = 2_000
/** Milliseconds between two looks at what is unsent: the browser does not tell. */
const SWEEP_MS = 100
/** First of the codes that script may close with, besides 1000: its sums with RFC 6455's codes less 1000 are ours. */
const SCRIPT_CODES = 4000
/** Code of a page that is left, and may return. */
const GOING_AWAY = SCRIPT_CODES + 1

const State = { Connecting: 0, Open: 1, Ending: 2, Closed: 3 } as const
type State = (typeof State)[keyof typeof State]

/** The message that every `onMessage` borrows: messages never nest. */
const message = new Incoming()
/** Memory of frames while the browser copies them. */
let scratch = Buffer.alloc(4096)

/**
 * A connection over the browser's WebSocket.
 *
 * - Nothing that the browser does by itself counts as a sign of life: it answers pings for frozen pages.
 * - The browser reads whether or not script does, so messages wait here while reading is paused.
 * - It reports neither when it cannot connect nor when the peer does not close in useful time, so timers here do.
 */
export class PageConnection implements TransportConnection {
  readonly envelope = undefined
  readonly localAddress = '@'
  readonly remoteAddress: string
  readonly #options: ConnectionOptions
  readonly #clock: Clock
  readonly #secure: boolean
  #handler: ConnectionHandler | undefined
  #socket: PageSocket | undefined
  #framing: Framing = Framing.Peek
  #state: State = State.Connecting
  #endReason: number = CloseReason.Local
  #reason: number = CloseReason.Local
  #detail = ''
  #timer: ClockTimer | undefined
  #unsent: UnsentBytes | undefined
  /** Calls of `pauseReading` that were not followed by `resumeReading`. */
  #pauses = 0
  #waiting: Buffer[] = []
  #delivering = false
  #received = 0
  #needsDrain = false
  #sweeping: ClockTimer | undefined
  #progress = 0
  #progressAt = 0

  /** @param clock default: the system's */
  constructor(address: Address, options: ConnectionOptions, clock: Clock = realClock) {
    if (address.kind !== 'tcp') throw new TypeError('a page dials ws:// and wss:// only')
    const { host, port, scheme } = address
    this.remoteAddress = `${host.includes(':') ? `[${host}]` : host}:${port}`
    this.#secure = scheme === 'wss'
    this.#options = options
    this.#clock = clock
  }

  get handler(): ConnectionHandler {
    if (this.#handler === undefined) throw new Error('the connection has no handler yet')
    return this.#handler
  }

  set handler(handler: ConnectionHandler) {
    const first = this.#handler === undefined
    this.#handler = handler
    if (first && this.#state === State.Closed) immediate(() => this.#reportClosed())
    else this.#deliverLater()
  }

  /** Opens the WebSocket; see `openWebSocket`. */
  open(authority: string, path: string, subprotocol: string, framing: Framing, signal: AbortSignal): Promise<void> {
    this.#framing = framing
    this.#pauses = 1
    const url = `${this.#secure ? 'wss' : 'ws'}://${authority}${path}`
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        this.#clock.clearTimeout(this.#timer)
        signal.removeEventListener('abort', onAbort)
        if (error === undefined) {
          resolve()
          return
        }
        this.#close(CloseReason.Io, '')
        reject(error)
      }
      const onAbort = (): void => settle(signal.reason)
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort)
      this.#timer = this.#clock.setTimeout(() => settle(new Error(`no connection to ${url} within ${CONNECT_MS} ms`)), CONNECT_MS)
      try {
        this.#socket = new page.WebSocket(url, subprotocol === '' ? [] : [subprotocol])
      } catch (error) {
        settle(error)
        return
      }
      this.#unsent = new UnsentBytes(this.#socket)
      this.#socket.binaryType = 'arraybuffer'
      this.#socket.onopen = () => {
        if (this.#state !== State.Connecting) return
        this.#state = State.Open
        page.addEventListener?.('pagehide', this.#onHidden)
        settle()
      }
      this.#socket.onerror = () => {} // 'close' follows, or comes alone
      this.#socket.onmessage = ({ data }) => this.#onData(data)
      this.#socket.onclose = ({ code }) => {
        if (this.#state === State.Connecting) settle(new Error(`the browser could not connect to ${url}${hintFor(authority)}`))
        else this.#onClosed(code)
      }
    })
  }

  /** A page in the back/forward cache keeps its socket open and reads nothing: the peer must know. */
  readonly #onHidden = (): void => {
    if (this.#state !== State.Open) return
    this.#socket?.close(GOING_AWAY)
    this.#close(CloseReason.Io, 'the page was left')
  }

  send(outgoing: Outgoing): SendResult {
    if (this.#state !== State.Open) return SendResult.Closed
    const { type, seq, route, method, statusText, metaText, codec, body, writer } = outgoing
    if (writer !== undefined) return this.send(outgoing.encoded())
    if (this.#framing === Framing.Message) return this.sendBytes(jsonOf(outgoing), false, isReply(type))
    const name = route >= 0 ? nameBytes(route) : Buffer.from(method)
    const size = frameSize(seq, name, statusText, metaText, body)
    if (size === -1 || size > this.#options.maxMessage) return SendResult.TooLarge
    const reply = isReply(type)
    if (!this.#hasRoom(size, reply)) return SendResult.Unsent
    // Texts are written with room for three bytes each unit.
    const room = size + 16
    if (room > scratch.length) scratch = Buffer.alloc(Math.min(room * 2, Math.max(room, 1 << 20)))
    const end = packFrame(scratch, 0, seq, type, name, statusText, metaText, codec, body)
    return this.#write(scratch.subarray(0, end), end, reply)
  }

  sendFrame(frame: Uint8Array | string, reply: boolean): SendResult {
    return this.sendBytes(frame, false, reply)
  }

  sendBytes(bytes: Uint8Array | string, _addEnvelope: boolean, reply: boolean): SendResult {
    if (this.#state !== State.Open) return SendResult.Closed
    const size = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length
    if (size > this.#options.maxMessage) return SendResult.TooLarge
    if (!this.#hasRoom(size, reply)) return SendResult.Unsent
    return this.#write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, size, reply)
  }

  sendInPlace(): undefined {
    return undefined
  }

  setFraming(framing: Framing): void {
    this.#framing = framing
  }

  get needsDrain(): boolean {
    return this.#needsDrain
  }

  get activity(): number {
    return this.#pauses > 0 ? Number.NaN : this.#received + (this.#unsent?.taken ?? 0)
  }

  pauseReading(): void {
    this.#pauses++
  }

  resumeReading(): void {
    if (--this.#pauses === 0) this.#deliverLater()
  }

  end(): void {
    this.#end(CloseReason.Local, CloseCode.Normal)
  }

  destroy(reason: number): void {
    this.#shut(closeCodeOf(reason))
    this.#close(reason, '')
  }

  #hasRoom(size: number, reply: boolean): boolean {
    const unsent = this.#unsent!.count(reply)
    return unsent === 0 || unsent + size <= this.#options.maxUnsent
  }

  #write(bytes: Uint8Array, size: number, reply: boolean): SendResult {
    this.#socket!.send(bytes)
    this.#unsent!.add(size, reply)
    if (!this.#needsDrain && this.#unsent!.count(true) > this.#options.maxUnsent / 2) {
      this.#needsDrain = true
      this.#handler?.onNeedsDrain?.()
    }
    if (this.#sweeping === undefined) this.#sweepLater()
    return SendResult.Ok
  }

  #sweepLater(): void {
    this.#sweeping = this.#clock.setTimeout(this.#sweep, SWEEP_MS)
  }

  /** Looks at what is unsent: whether the peer reads, and whether its requests may be started again. */
  readonly #sweep = (): void => {
    this.#sweeping = undefined
    const unsent = this.#unsent!
    if (this.#state !== State.Open) return
    const now = this.#clock.now()
    const left = unsent.count(false)
    if (unsent.taken !== this.#progress || left === 0) {
      this.#progress = unsent.taken
      this.#progressAt = now
    } else if (now - this.#progressAt > this.#options.writeTimeout) {
      this.destroy(CloseReason.WriteTimeout)
      return
    }
    if (this.#needsDrain && unsent.count(true) < this.#options.maxUnsent / 4) {
      this.#needsDrain = false
      this.#run(() => this.#handler?.onDrained?.())
    }
    if (left > 0 || this.#needsDrain) this.#sweepLater()
  }

  #onData(data: ArrayBuffer | string): void {
    if (this.#state !== State.Open) return
    const bytes = Buffer.from(data as ArrayBuffer) // also of text
    this.#received += bytes.length + 1
    if (bytes.length > this.#options.maxMessage) this.#refuse(CloseReason.TooLarge)
    else if (this.#waiting.push(bytes) === 1) this.#deliver()
  }

  #deliverLater(): void {
    if (this.#waiting.length > 0) immediate(() => this.#deliver())
  }

  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    this.#run(() => {
      while (this.#state === State.Open && this.#pauses === 0 && this.#handler !== undefined && this.#waiting.length > 0) {
        this.#take(this.#waiting.shift()!)
      }
    })
    this.#delivering = false
  }

  #take(bytes: Buffer): void {
    const frame = this.#framing === Framing.Raw ? bytes : frameOf(bytes)
    const size = frame === undefined ? -CloseReason.Malformed : unpackFrame(frame, 0, frame.length, this.#options, message)
    if (size === frame?.length) this.handler.onMessage(message)
    else this.#refuse(size < 0 ? -size : CloseReason.Malformed)
  }

  /** Runs code of the layer above; an exception costs the connection, since the state cannot be trusted then. */
  #run(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#shut(CloseCode.ProtocolError)
      this.#close(CloseReason.Local, 'handler threw')
      report(error)
    }
  }

  /** The peer is told why its connection ends. */
  #refuse(reason: number): void {
    this.#end(reason, closeCodeOf(reason))
  }

  #end(reason: number, code: number): void {
    if (this.#state !== State.Open) return
    this.#state = State.Ending
    this.#endReason = reason
    this.#waiting = []
    this.#shut(code)
    this.#timer = this.#clock.setTimeout(() => this.#close(reason, ''), CLOSE_MS)
  }

  #shut(code: number): void {
    this.#socket?.close(code === CloseCode.Normal ? code : SCRIPT_CODES + code - CloseCode.Normal)
  }

  #onClosed(code: number): void {
    if (this.#state === State.Ending) this.#close(this.#endReason, '')
    // 1006 is an end without a close frame.
    else this.#close(CloseReason.Peer, code === 1006 ? '' : peerCloseDetail(code))
  }

  #close(reason: number, detail: string): void {
    if (this.#state === State.Closed) return
    this.#state = State.Closed
    this.#reason = reason
    this.#detail = detail
    this.#waiting = []
    this.#clock.clearTimeout(this.#timer)
    this.#clock.clearTimeout(this.#sweeping)
    page.removeEventListener?.('pagehide', this.#onHidden)
    const socket = this.#socket
    if (socket !== undefined) {
      socket.onopen = socket.onmessage = socket.onclose = null // of what is left no event is wanted
      if (socket.readyState <= 1) socket.close()
    }
    immediate(() => this.#reportClosed())
  }

  #reportClosed(): void {
    try {
      this.#handler?.onClose(this.#reason, this.#detail)
    } catch (error) {
      report(error)
    }
  }
}

/** Browsers refuse pages of the internet what lies in the network of the user, and do not tell script. */
function hintFor(authority: string): string {
  const hostname = page.location?.hostname ?? ''
  const local = /^(?:localhost|127\.|\[::1\])/
  return local.test(authority) && hostname !== '' && !local.test(hostname) && !hostname.endsWith('.localhost')
    ? ': pages of other hosts need the permission for local network access'
    : ''
}
