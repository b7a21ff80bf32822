import { Code, statusText } from '../base/errors/status.ts'
import { EncodedReply } from '../codecs/redis.ts'
import { CloseReason } from '../message/close-reason.ts'
import { type Incoming, MessageType } from '../message/message.ts'
import { findName } from '../message/names.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { isForeignLine, isTextLine } from './foreign-line.ts'
import { type Proto, ProtoError, type ProtoLink, type ProtoSession } from './proto.ts'
import { CommandReader } from './redis/command.ts'
import { Connection, isConnectionCommand } from './redis/connection.ts'
import { type RedisOptions, readRedisOptions } from './redis/options.ts'
import { ReplyQueue } from './redis/replies.ts'
import { asResp3, NULL2 } from './redis/resp3.ts'

export type { RedisOptions }

/**
 * Makes the protocol `redis`, which built-in.ts describes.
 *
 * @throws TypeError for bad options
 */
export function redis(options: RedisOptions = {}): Proto {
  return redisWith(readRedisOptions(options))
}

/** @param prefix `RedisOptions.prefix` */
export function redisWith(prefix: string): Proto {
  return {
    id: 0x72,
    name: 'redis',
    framing: 'stream',
    // A line typed by hand could belong to any protocol.
    match: (bytes) => (bytes.length === 0 ? undefined : bytes[0] === ASTERISK),
    open: (link) => new RedisSession(link, prefix),
  }
}

export const redisProto: Proto = redis()

const REDIS_CODEC = 0x72
const ASTERISK = 0x2a
const LF = 0x0a
const noArgs = Buffer.from('*0\r\n')

class RedisSession implements ProtoSession {
  readonly #prefix: string
  readonly #prefixBytes: number
  readonly #reader: CommandReader
  readonly #replies: ReplyQueue
  readonly #link: ProtoLink
  /** Commands without a route, by number, until they are answered. */
  readonly #strange = new Map<number, Strange>()
  /** Answers commands about the connection. Made with the first of them. */
  #connection: Connection | undefined
  /** The commands from which on replies are RESP3 or RESP2. While it is empty, all replies are RESP2. */
  #versions: { from: number; proto: 2 | 3 }[] = []
  readonly #spelt: Buffer
  /** Whether a command was received, so that the peer speaks redis. */
  #begun = false
  #ended = false

  constructor(link: ProtoLink, prefix: string) {
    this.#prefix = prefix
    this.#link = link
    this.#spelt = Buffer.alloc(Buffer.byteLength(prefix) + MAX_USUAL)
    this.#prefixBytes = this.#spelt.write(prefix)
    this.#reader = new CommandReader(link.limits)
    this.#replies = new ReplyQueue(link)
  }

  pack(message: Outgoing): string | Uint8Array {
    if (message.type !== MessageType.Reply) throw new TypeError('redis is server-side only: nothing can be called or pushed over it')
    const { seq } = message
    const reply = message.statusText === '' ? this.#result(message) : (this.#builtIn(message) ?? this.#error(message))
    const text = this.#replies.ready(seq, reply)
    if (this.#strange.size > 0) this.#strange.delete(seq)
    return text
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    if (this.#ended) return end - start
    const size = this.#reader.read(bytes, start, end)
    if (size <= 0) return size < 0 ? -size : 0
    const { words } = this.#reader
    if (words !== undefined) this.#checkLine(bytes, start, start + size - 1)
    this.#begun = true
    const name = words === undefined ? bytes.subarray(start + this.#reader.nameStart, start + this.#reader.nameEnd) : Buffer.from(words[0])
    const seq = this.#replies.begin()
    if (isQuit(name)) {
      this.#ended = true
      this.#replies.endWith(seq, '+OK\r\n')
      return size
    }
    message.type = MessageType.Call
    message.seq = seq
    message.codec = REDIS_CODEC
    if (this.#takeMethod(name, message)) {
      const stranger = this.#stranger(name, bytes, start, size)
      message.namedOnly = stranger.args !== undefined
      this.#strange.set(message.seq, stranger)
    }
    if (words === undefined && this.#reader.argsStart < size) {
      message.buffer = bytes
      message.bodyStart = message.nameStart = message.nameEnd = start + this.#reader.argsStart
      message.statusStart = message.statusEnd = message.metaStart = message.metaEnd = message.bodyStart
      message.bodyEnd = start + size
    } else {
      message.setBody(words === undefined || words.length === 1 ? noArgs : Buffer.from(words.slice(1).map(bulk).join('')))
    }
    return size
  }

  /**
   * Checks a command typed as a line.
   *
   * @throws ProtoError for a line of HTTP or TLS, and for a first one that is not text
   */
  #checkLine(bytes: Buffer, start: number, end: number): void {
    if (isForeignLine(bytes, start, end)) throw new ProtoError('a browser talks HTTP to this port')
    if (this.#begun || isTextLine(bytes, start, end)) return
    throw new ProtoError('the first line is no command', CloseReason.Malformed, '-ERR Protocol error: the first line is no text\r\n')
  }

  /**
   * Sets the service method of a command.
   *
   * @returns whether no route handles it; a hook may still change the service method
   */
  #takeMethod(name: Buffer, message: Incoming): boolean {
    const spelt = this.#prefix === '' ? name : this.#lowered(name)
    message.route = findName(spelt, 0, spelt.length)
    if (message.route >= 0) return this.#link.handles?.(message.route) === false
    message.method = spelt.toString()
    return true
  }

  #stranger(name: Buffer, bytes: Buffer, start: number, size: number): Strange {
    const { words, argsStart } = this.#reader
    const args = words === undefined ? argumentsIn(bytes, start + argsStart, start + size) : words.slice(1).map((word) => Buffer.from(word))
    const known = isConnectionCommand(name)
    return {
      name: name.toString('utf8', 0, MAX_SHOWN),
      args: known ? args.map((arg) => Buffer.from(arg)) : undefined,
      said: known ? '' : shownArgs(args),
    }
  }

  /** Returns prefix and lower-case command, in memory that is reused for commands of usual length. */
  #lowered(name: Buffer): Buffer {
    const from = this.#prefixBytes
    if (name.length > MAX_USUAL) return Buffer.from(this.#prefix + name.toString().toLowerCase())
    for (let i = 0; i < name.length; i++) {
      const c = name[i]
      if (c >= 0x80) return Buffer.from(this.#prefix + name.toString().toLowerCase())
      this.#spelt[from + i] = c >= 0x41 && c <= 0x5a ? c | 0x20 : c
    }
    return this.#spelt.subarray(0, from + name.length)
  }

  #result(message: Outgoing): string | Uint8Array {
    const reply = resultOf(message)
    return this.#versions.length > 0 && this.#protoOf(message.seq) === 3 ? asResp3(reply) : reply
  }

  /** The RESP version for the reply to a command: replies that are late use the version agreed upon before. */
  #protoOf(seq: number): 2 | 3 {
    for (let i = this.#versions.length - 1; i >= 0; i--) if (this.#versions[i].from <= seq) return this.#versions[i].proto
    return 2
  }

  /** The reply to a command about the connection, if no route or hook has answered it. */
  #builtIn({ seq, status }: Outgoing): string | Uint8Array | undefined {
    if (status?.code !== Code.NotFound || status.message !== notFound) return undefined
    const { name, args } = this.#strange.get(seq) ?? {}
    if (name === undefined || args === undefined) return undefined
    this.#connection ??= new Connection()
    const { proto } = this.#connection
    const answer = this.#connection.answer(name, args)
    if (this.#connection.proto !== proto) {
      this.#versions = this.#versions.filter(
        ({ from }, i, all) => from >= this.#replies.first || (all[i + 1]?.from ?? Infinity) > this.#replies.first,
      )
      this.#versions.push({ from: seq, proto: this.#connection.proto })
    }
    return answer
  }

  #error({ seq, status, statusText: text }: Outgoing): string {
    if (status === undefined) throw new TypeError(`no status: ${text.slice(0, 64)}`)
    const strange = status.code === Code.NotFound && status.message === notFound ? this.#strange.get(seq) : undefined
    const said =
      strange === undefined
        ? status.message || status.cause
        : `ERR unknown command '${strange.name}', with args beginning with: ${strange.said}`
    // A line break would begin another reply.
    const line = said.replace(/[\r\n]/g, ' ')
    return /^[A-Z][A-Z0-9_]+(?: |$)/.test(line) ? `-${line}\r\n` : `-ERR ${line}\r\n`
  }
}

/** A command without a route. */
interface Strange {
  /** The command as sent, cut to a maximum length. */
  readonly name: string
  /** Arguments of a command about the connection; undefined for another command. */
  readonly args: readonly Buffer[] | undefined
  /** Arguments as redis repeats them in the error: the first ones, each followed by a space. */
  readonly said: string
}

/** Maximum length of a command that is looked up without making a string. */
const MAX_USUAL = 64

/** Maximum bytes of an unknown command, and characters of its arguments, that an error repeats. */
const MAX_SHOWN = 128

/** Maximum number of arguments of an unknown command that are read. */
const MAX_ARGS = 1024

/** Views of the arguments of a command. Requires a command that `CommandReader` has accepted. */
function argumentsIn(bytes: Buffer, from: number, end: number): Buffer[] {
  const args: Buffer[] = []
  for (let at = from; at < end && args.length < MAX_ARGS; ) {
    const data = bytes.indexOf(LF, at) + 1
    const size = Number(bytes.toString('latin1', at + 1, data - 2))
    args.push(bytes.subarray(data, data + size))
    at = data + size + 2
  }
  return args
}

function shownArgs(args: readonly Buffer[]): string {
  let text = ''
  for (const arg of args) {
    if (text.length >= MAX_SHOWN) break
    text += `'${arg.toString('utf8', 0, MAX_SHOWN - text.length)}' `
  }
  return text
}

const notFound = statusText(Code.NotFound)

/** The handler's result. A Uint8Array, and the output of another codec, become a bulk string. */
function resultOf({ codec, body }: Outgoing): string | Uint8Array {
  if (body === null) return NULL2
  if (typeof body === 'string') return codec === REDIS_CODEC ? body : bulk(body)
  if (body instanceof EncodedReply) return body
  return Buffer.concat([Buffer.from(`$${body.length}\r\n`), body, lineEnd])
}

const lineEnd = Buffer.from('\r\n')

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

function isQuit(name: Buffer): boolean {
  return name.length === 4 && name.toString('latin1').toLowerCase() === 'quit'
}
