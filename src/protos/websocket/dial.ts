import { nodeCrypto } from '../../base/builtin.ts'
import { CloseReason, closeReasonText } from '../../message/close-reason.ts'
import type { Incoming } from '../../message/message.ts'
import type { ConnectionHandler, TransportConnection } from '../../transports/transport.ts'
import { Framing } from '../../wire/framing.ts'
import { acceptOf, DEFLATE, settingsOf } from './handshake.ts'
import { HeadReader, HeadStep } from './head.ts'
import type { WebSocketDial } from './options.ts'
import { hasToken, headersOf, listOf } from './upgrade-request.ts'

/**
 * Makes a WebSocket of a connection that was dialled with framing Peek. Reading is paused afterwards, so that nothing
 * is lost before the session is there: it must call `resumeReading`.
 *
 * @param authority value of `Host`
 * @param framing how messages lie in the payload
 * @throws Error (rejects) when the server refuses; the signal's reason when that fires first. The connection is closed
 *   then
 */
export function beginWebSocket(
  connection: TransportConnection,
  dial: WebSocketDial,
  authority: string,
  framing: Framing,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => handshake.fail(signal.reason)
    const settle = (error?: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    const handshake = new DialHandshake(connection, dial, framing, settle)
    signal.addEventListener('abort', onAbort)
    handshake.begin(authority)
    if (signal.aborted) onAbort()
  })
}

class DialHandshake implements ConnectionHandler {
  readonly #connection: TransportConnection
  readonly #dial: WebSocketDial
  readonly #framing: Framing
  readonly #settle: (error?: unknown) => void
  readonly #head = new HeadReader(true)
  readonly #key = nodeCrypto().randomBytes(16).toString('base64')
  #over = false

  constructor(connection: TransportConnection, dial: WebSocketDial, framing: Framing, settle: (error?: unknown) => void) {
    this.#connection = connection
    this.#dial = dial
    this.#framing = framing
    this.#settle = settle
  }

  begin(authority: string): void {
    const { path, lines, subprotocol, perMessageDeflate } = this.#dial
    const protocol = subprotocol === '' ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`
    const extensions = perMessageDeflate ? `Sec-WebSocket-Extensions: ${DEFLATE}\r\n` : ''
    const request = `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${this.#key}\r\nSec-WebSocket-Version: 13\r\n${protocol}${extensions}${lines}\r\n`
    this.#connection.handler = this
    this.#connection.sendBytes(request, false, false)
  }

  onMessage({ buffer, bodyStart, bodyEnd }: Incoming): void {
    if (this.#over) return
    const head = this.#head
    const step = head.add(buffer, bodyStart, bodyEnd)
    if (step === HeadStep.More) {
      this.#connection.setFraming(Framing.Peek, head.used)
      return
    }
    const compression = step === HeadStep.Done ? this.#check() : new Error('the answer is no HTTP/1.1 response')
    if (compression instanceof Error) {
      this.fail(compression)
      return
    }
    this.#over = true
    head.free()
    this.#connection.setFraming(this.#framing, head.used, settingsOf(this.#dial, true, compression))
    this.#connection.pauseReading()
    this.#settle()
  }

  /** Checks the response (RFC 6455 §4.1). Returns whether messages may be compressed, or what is wrong. */
  #check(): boolean | Error {
    const { status, fields } = this.#head
    if (status !== 101) return new Error(`the server answered ${status} in place of 101`)
    const headers = headersOf(fields)
    if (headers === undefined || !hasToken(headers.upgrade, 'websocket') || !hasToken(headers.connection, 'upgrade'))
      return new Error('missing or bad Upgrade or Connection')
    if (headers['sec-websocket-accept'] !== acceptOf(this.#key)) return new Error('missing or bad Sec-WebSocket-Accept')
    const protocol = headers['sec-websocket-protocol']
    // A server that knows no sub-protocols leaves them out.
    if (protocol !== undefined && protocol !== this.#dial.subprotocol) return new Error('bad Sec-WebSocket-Protocol')
    const extensions = listOf(headers['sec-websocket-extensions'])
    if (extensions.length === 0) return false
    const [name, ...parameters] = extensions[0].split(';').map((part) => part.trim().toLowerCase())
    const expected = ['client_no_context_takeover', 'server_no_context_takeover']
    const agreed = extensions.length === 1 && name === 'permessage-deflate' && parameters.includes('server_no_context_takeover')
    if (!this.#dial.perMessageDeflate || !agreed || !parameters.every((each) => expected.includes(each)))
      return new Error('bad Sec-WebSocket-Extensions')
    return true
  }

  fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#head.free()
    this.#connection.destroy(CloseReason.Local)
    this.#settle(error)
  }

  onClose(reason: number, detail: string): void {
    if (this.#over) return
    this.#over = true
    this.#head.free()
    const text = closeReasonText[reason] ?? ''
    this.#settle(new Error(`WebSocket handshake: ${detail === '' ? text : `${text}: ${detail}`}`))
  }
}
