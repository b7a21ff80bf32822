import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket as UdpSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { type Clock, wallTime } from '../../../base/time/clock.ts'
import type { SyslogAddress } from './log-options.ts'

/** LOCAL0, NOTICE. */
const PRIORITY = 16 * 8 + 5
/** Milliseconds after a failure before the next try to connect. Lines in between are lost, as in Go. */
const RETRY_MS = 1_000
/** Most bytes that wait for a server; what comes then is lost. */
const MAX_WAITING = 2 ** 20
/** Longest line; the rest of it is another one. */
const MAX_LINE = 8_192

/** Sends lines to the syslog of this machine (by the program `logger`) or of another one. */
export class Syslog {
  readonly #address: SyslogAddress
  readonly #tag: string
  readonly #clock: Clock
  readonly #onError: (error: Error) => void
  #partial = ''
  #stream: Socket | NodeJS.WritableStream | undefined
  #udp: UdpSocket | undefined
  #program: ChildProcess | undefined
  #retryAt = 0
  #closed = false
  /** Bytes that were lost. */
  dropped = 0

  constructor(address: SyslogAddress, tag: string, clock: Clock, onError: (error: Error) => void) {
    this.#address = address
    this.#tag = tag
    this.#clock = clock
    this.#onError = onError
  }

  write(chunk: Buffer): void {
    const lines = `${this.#partial}${chunk.toString()}`.split('\n')
    this.#partial = lines.pop() as string
    while (this.#partial.length > MAX_LINE) {
      lines.push(this.#partial.slice(0, MAX_LINE))
      this.#partial = this.#partial.slice(MAX_LINE)
    }
    for (const line of lines) if (line !== '') this.#send(line)
  }

  close(): void {
    if (this.#partial !== '') this.#send(this.#partial)
    this.#partial = ''
    this.#closed = true
    this.#stream?.end()
    this.#udp?.close()
    this.#program?.unref()
    this.#udp = undefined
    this.#stream = undefined
  }

  #send(line: string): void {
    if (this.#address.host === '') {
      this.#write(`${line}\n`, () => this.#startProgram())
      return
    }
    const time = new Date(wallTime(this.#clock)).toISOString()
    const text = `<${PRIORITY}>${time} ${hostname()} ${this.#tag}[${process.pid}]: ${line}\n`
    if (this.#address.protocol === 'tcp') this.#write(text, () => this.#connect())
    else this.#sendPacket(Buffer.from(text))
  }

  #write(text: string, open: () => NodeJS.WritableStream): void {
    if (this.#stream === undefined && this.#clock.now() >= this.#retryAt && !this.#closed) this.#stream = open()
    const waiting = (this.#stream as { writableLength?: number } | undefined)?.writableLength ?? 0
    if (this.#stream === undefined || waiting > MAX_WAITING) this.dropped += Buffer.byteLength(text)
    else this.#stream.write(text)
  }

  #connect(): Socket {
    const { host, port } = this.#address
    const socket = connect({ host, port })
    socket.on('error', (error) => this.#failed(error))
    socket.on('close', () => this.#failed())
    socket.resume()
    socket.unref()
    return socket
  }

  #startProgram(): NodeJS.WritableStream {
    const program = spawn('logger', ['-t', this.#tag, '-p', 'local0.notice'], { stdio: ['pipe', 'ignore', 'ignore'] })
    program.on('error', (error) => this.#failed(error))
    program.on('exit', () => this.#failed())
    program.stdin.on('error', () => {})
    program.unref()
    this.#program = program
    return program.stdin
  }

  #sendPacket(packet: Buffer): void {
    if (this.#closed) return
    if (this.#udp === undefined) {
      const { createSocket } = process.getBuiltinModule('node:dgram')
      this.#udp = createSocket(this.#address.host.includes(':') ? 'udp6' : 'udp4')
      this.#udp.on('error', (error) => this.#onError(error))
      this.#udp.unref()
    }
    this.#udp.send(packet, this.#address.port, this.#address.host, (error) => {
      if (error !== null) this.dropped += packet.length
    })
  }

  #failed(error?: Error): void {
    if (error !== undefined && this.#stream !== undefined) this.#onError(error)
    this.#stream = undefined
    this.#retryAt = this.#clock.now() + RETRY_MS
  }
}
