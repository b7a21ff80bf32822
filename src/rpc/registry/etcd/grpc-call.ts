import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { FrameReader, frame } from './frames.ts'
import { EtcdError, GrpcCode, unavailable } from './grpc-status.ts'

/** Receives what a call brings. Neither may throw. */
export interface CallHandler {
  /** A message; its bytes may be kept. */
  onMessage(bytes: Buffer): void
  /** Called once, last: undefined for success. */
  onEnd(error: EtcdError | undefined): void
}

/** Headers of a call. */
export interface CallHeaders {
  readonly token: string | undefined
  /** A server that knows no leader refuses at once, and ends a stream when it loses the leader. */
  readonly needsLeader: boolean
}

/** Longest message that is taken. etcd has no values above 1.5 MiB by default, and ranges are read in parts. */
const MAX_MESSAGE = 16 * 1024 * 1024
const HTTP2_CANCEL = 8

/** One call of gRPC on a connection of HTTP/2: messages both ways, then a status. */
export class GrpcCall {
  readonly #stream: ClientHttp2Stream
  readonly #handler: CallHandler
  readonly #frames = new FrameReader(MAX_MESSAGE)
  #headers: IncomingHttpHeaders = {}
  #trailers: IncomingHttpHeaders = {}
  #failure: EtcdError | undefined
  #ended = false

  /** @throws what `session.request` throws when it takes no new calls */
  constructor(session: ClientHttp2Session, path: string, { token, needsLeader }: CallHeaders, handler: CallHandler) {
    this.#handler = handler
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(token === undefined ? {} : { token }),
      ...(needsLeader ? { hasleader: 'true' } : {}),
    })
    this.#stream = stream
    stream.on('response', (headers) => {
      this.#headers = headers
    })
    stream.on('trailers', (trailers) => {
      this.#trailers = trailers
    })
    stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    stream.on('error', (error) => this.#fail(unavailable(`the connection is lost: ${error.message}`)))
    stream.on('close', () => this.#onClose())
  }

  /** Sends a message, the last one when `last`. */
  send(message: Uint8Array, last: boolean): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return
    if (last) this.#stream.end(frame(message))
    else this.#stream.write(frame(message))
  }

  /** Ends the call, of which nothing is wanted any more. `onEnd` is called with `error`. */
  cancel(error: EtcdError): void {
    this.#fail(error)
  }

  #onData(chunk: Buffer): void {
    if (this.#ended || this.#failure !== undefined) return
    try {
      for (const message of this.#frames.push(chunk)) this.#handler.onMessage(message)
    } catch (error) {
      this.#fail(error as EtcdError)
    }
  }

  #fail(error: EtcdError): void {
    this.#failure ??= error
    if (!this.#stream.destroyed) this.#stream.close(HTTP2_CANCEL)
    // A stream that is closed before its request was sent may never say so.
    this.#onClose()
  }

  #onClose(): void {
    if (this.#ended) return
    this.#ended = true
    this.#handler.onEnd(this.#failure ?? this.#status())
  }

  /** A call that fails at once has its status in the headers, any other one in the trailers. */
  #status(): EtcdError | undefined {
    const http = this.#headers[':status'] as unknown as number | undefined
    const { 'grpc-status': code, 'grpc-message': text = '' } = 'grpc-status' in this.#trailers ? this.#trailers : this.#headers
    if (typeof code === 'string' && /^\d{1,9}$/.test(code)) return code === '0' ? undefined : new EtcdError(Number(code), decoded(text))
    if (http === undefined) return unavailable('the connection is lost')
    if (http !== 200) return unavailable(`the server answers HTTP ${http}`)
    return new EtcdError(GrpcCode.Unavailable, 'the connection is lost before the status came')
  }
}

/** The text of a status, which has percent signs for what is not ASCII. */
function decoded(text: string | string[]): string {
  const joined = String(text)
  try {
    return decodeURIComponent(joined)
  } catch {
    return joined
  }
}
