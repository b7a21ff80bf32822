import { immediate } from '../../base/time/clock.ts'
import { CloseCode } from '../../wire/websocket/close-code.ts'
import { closeFrame, headerSize, Opcode, writeHeader } from '../../wire/websocket/frame.ts'
import { Carrier } from './carrier.ts'

/** The parts of uWebSockets.js that are used here. */
export interface UwsResponse {
  cork(run: () => void): void
  writeStatus(status: string): void
  writeHeader(name: string, value: string): void
  end(body: string, close: boolean): void
  close(): void
  onAborted(run: () => void): void
  upgrade(data: { carrier: UwsCarrier }, key: string, protocol: string, extensions: string, context: unknown): void
  getRemoteAddressAsText(): ArrayBuffer
}
export interface UwsSocket {
  getUserData(): { carrier: UwsCarrier }
  send(bytes: Uint8Array, binary: boolean): number
  getBufferedAmount(): number
  end(code: number): void
  close(): void
}

/** Most bytes of pongs that may wait for a peer: uWebSockets.js answers each ping, also of one that reads nothing. */
const MAX_PONGS = 64 * 1024
const empty = Buffer.alloc(0)
const END_OF_HEAD = Buffer.from('\r\n\r\n')

/**
 * A WebSocket of uWebSockets.js, which reads and writes its HTTP and its frames, as the bytes that a socket would
 * carry: the connection above stays the same. Frames of the peer get a mask of zeros.
 */
export class UwsCarrier extends Carrier {
  bytesRead = 0
  ended = false
  readonly descriptor = -1
  readonly #head: Buffer
  readonly #key: string
  readonly #context: unknown
  readonly #maxHeld: number
  #response: UwsResponse | undefined
  #socket: UwsSocket | undefined
  /** Bytes written that are no whole head or frame yet. */
  #rest = empty
  #paused = true
  /** Bytes that came while reading was paused: uWebSockets.js cannot stop reading. */
  #held: Buffer[] = []
  #heldSize = 0
  #closed = false
  #reported = false
  #waits = false
  /** Bytes of the last write, at most so many of which wait for the peer. */
  #written = 0

  /**
   * @param head the request
   * @param maxHeld bytes that may come while reading is paused; more close the connection
   */
  constructor(response: UwsResponse, head: string, key: string, context: unknown, maxHeld: number) {
    super()
    this.#response = response
    this.#head = Buffer.from(head, 'latin1')
    this.#key = key
    this.#context = context
    this.#maxHeld = maxHeld
    response.onAborted(() => {
      this.#response = undefined
      this.onClosed(1006)
    })
  }

  get unwritten(): number | undefined {
    return this.#closed ? 0 : this.#socket?.getBufferedAmount()
  }

  start(): void {
    this.#held.unshift(this.#head)
    immediate(() => this.resume())
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    while (!this.#paused && this.#held.length > 0) {
      const bytes = this.#held.shift() as Buffer
      this.#heldSize -= bytes.length
      this.#pass(bytes)
    }
    if (this.#closed && this.#held.length === 0) this.#report()
  }

  /** @internal */
  onOpen(socket: UwsSocket): void {
    this.#socket = socket
  }

  /** @internal */
  onMessage(message: ArrayBuffer, binary: boolean): void {
    const header = Buffer.alloc(headerSize(message.byteLength, true))
    writeHeader(header, 0, binary ? Opcode.Binary : Opcode.Text, message.byteLength, 0)
    this.#receive(header, false)
    if (message.byteLength > 0) this.#receive(Buffer.from(message), true)
  }

  /** @internal Called when a ping was answered. */
  onPing(): void {
    if ((this.unwritten ?? 0) > this.#written + MAX_PONGS) this.#fail('reads no pongs')
  }

  #fail(why: string): void {
    this.owner.onError(Object.assign(new Error(why), { code: 'ENOBUFS' }))
  }

  /** @internal */
  onDrain(): void {
    if (!this.#waits || (this.unwritten ?? 0) > 0) return
    this.#waits = false
    this.owner.onWritten()
  }

  /** @internal */
  /** @param code that the peer closed with; 1006 for none */
  onClosed(code: number): void {
    if (this.#closed) return
    this.#socket = undefined
    // Everything after 1006 is a close frame of the peer, which uWebSockets.js has answered.
    if (code !== 1006 && !this.ended) this.#receive(closeFrame(code, 0), false)
    this.#closed = true
    immediate(() => {
      if (this.#held.length === 0) this.#report()
    })
  }

  #report(): void {
    if (this.#reported) return
    this.#reported = true
    if (!this.ended) this.owner.onEnd()
    this.owner.onClosed()
  }

  /** @param borrowed whether the bytes are gone when this returns */
  #receive(bytes: Buffer, borrowed: boolean): void {
    if (this.#closed) return
    if (!this.#paused && this.#held.length === 0) {
      this.#pass(bytes)
      return
    }
    this.#held.push(borrowed ? Buffer.from(bytes) : bytes)
    this.#heldSize += bytes.length
    if (this.#heldSize <= this.#maxHeld) return
    this.#held = []
    this.#fail('sends while it must wait')
  }

  #pass(bytes: Buffer): void {
    this.bytesRead += bytes.length
    this.owner.onData(bytes.length, bytes)
  }

  write(views: readonly Buffer[]): boolean {
    if (this.#closed) return true
    this.#rest = Buffer.concat([this.#rest, ...views])
    this.#written = this.#rest.length
    if (this.#response !== undefined) this.#answer(this.#response)
    while (this.#socket !== undefined && this.#sendFrame(this.#socket));
    this.#waits = (this.unwritten ?? 0) > 0
    return !this.#waits
  }

  /** Sends the response that was written. */
  #answer(response: UwsResponse): void {
    const size = this.#rest.indexOf(END_OF_HEAD)
    if (size < 0) return
    const [first, ...lines] = this.#rest.toString('latin1', 0, size).split('\r\n')
    const status = first.slice('HTTP/1.1 '.length)
    const fields = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
    const body = this.#rest.subarray(size + END_OF_HEAD.length)
    this.#response = undefined
    response.cork(() => {
      if (status.startsWith('101 ')) {
        this.#rest = body
        const protocol = fields.find(([name]) => name === 'Sec-WebSocket-Protocol')?.[1] ?? ''
        response.upgrade({ carrier: this }, this.#key, protocol, '', this.#context)
        return
      }
      response.writeStatus(status)
      for (const [name, value] of fields) if (!/^(content-length|connection)$/i.test(name)) response.writeHeader(name, value)
      response.end(body.toString(), true)
      this.ended = true
      this.onClosed(1006)
    })
  }

  /** Sends the first frame that was written; false when none is whole. */
  #sendFrame(socket: UwsSocket): boolean {
    const bytes = this.#rest
    if (bytes.length < 2) return false
    const short = bytes[1] & 0x7f
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < start) return false
    const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : bytes.readUInt32BE(2) * 2 ** 32 + bytes.readUInt32BE(6)
    if (bytes.length < start + size) return false
    const payload = bytes.subarray(start, start + size)
    this.#rest = bytes.subarray(start + size)
    const opcode = bytes[0] & 0x0f
    if (opcode === Opcode.Close) {
      this.ended = true
      socket.end(size < 2 ? CloseCode.Normal : payload.readUInt16BE(0))
    } else if (opcode <= Opcode.Binary) {
      socket.send(payload, opcode === Opcode.Binary)
    }
    return true
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    if (this.#closed) return
    this.ended = true
    this.#held = []
    this.#response?.close()
    this.#socket?.close()
    this.onClosed(1006)
  }
}
