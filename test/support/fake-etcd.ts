import { once } from 'node:events'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { MessageWriter } from '../../src/rpc/registry/etcd/wire.ts'

/** What answers a method. Gets the first message of the request. */
export type Answer = (stream: ServerHttp2Stream, request: Buffer) => void

/** A server that speaks as much of etcd as a test tells it to. */
export interface FakeEtcd {
  readonly endpoint: string
  readonly sessions: Set<ServerHttp2Session>
  /** Names of the methods that were called, in order. */
  readonly calls: string[]
  /** By the name of the method, as `Range`. A method without an answer gets none. */
  readonly answers: Record<string, Answer>
}

export async function fakeEtcd(t: TestContext, answers: Record<string, Answer> = {}): Promise<FakeEtcd> {
  const sessions = new Set<ServerHttp2Session>()
  const calls: string[] = []
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
  })
  const fake = { endpoint: '', sessions, calls, answers: { ...answers } }
  server.on('stream', (stream, headers) => {
    const method = String(headers[':path']).split('/').at(-1) as string
    calls.push(method)
    stream.on('error', () => {})
    stream.once('data', (bytes: Buffer) => fake.answers[method]?.(stream, bytes.subarray(5)))
    stream.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  fake.endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return fake
}

/** Answers with a message, and with success. */
export function reply(message: Uint8Array): Answer {
  return (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': '' }))
    stream.end(framed(message))
  }
}

/** Fails at once, as etcd does: the status is in the headers. */
export function refuse(code: number, message: string): Answer {
  return (stream) => stream.respond({ ':status': 200, 'grpc-status': String(code), 'grpc-message': message }, { endStream: true })
}

/** Sends messages and keeps the stream open. */
export function stream(...messages: Uint8Array[]): Answer {
  return (http) => {
    http.respond({ ':status': 200, 'content-type': 'application/grpc' })
    for (const message of messages) http.write(framed(message))
  }
}

export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

export function header(revision: number, cluster = 1): Uint8Array {
  return new MessageWriter().number(1, cluster).number(3, revision).finish()
}

export function pair(key: string | Buffer, value: string | Buffer, modRevision = 1): Uint8Array {
  return new MessageWriter().bytes(1, Buffer.from(key)).number(3, modRevision).bytes(5, Buffer.from(value)).finish()
}

export function rangeResponse(revision: number, pairs: readonly Uint8Array[], more = false): Uint8Array {
  const response = new MessageWriter().message(1, header(revision))
  for (const each of pairs) response.message(2, each)
  return response.flag(3, more).finish()
}

export interface WatchParts {
  revision?: number
  cluster?: number
  created?: boolean
  canceled?: boolean
  compactRevision?: number
  reason?: string
  fragment?: boolean
  events?: readonly Uint8Array[]
}

export function watchResponse({ revision = 1, cluster = 1, reason = '', events = [], ...parts }: WatchParts): Uint8Array {
  const { created = false, canceled = false, fragment = false, compactRevision = 0 } = parts
  const response = new MessageWriter().message(1, header(revision, cluster)).flag(3, created).flag(4, canceled)
  response.number(5, compactRevision).text(6, reason).flag(7, fragment)
  for (const event of events) response.message(11, event)
  return response.finish()
}

export function event(kv: Uint8Array | undefined, deleted = false): Uint8Array {
  const written = new MessageWriter().flag(1, deleted)
  return (kv === undefined ? written : written.message(2, kv)).finish()
}
