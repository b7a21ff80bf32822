import { MAX_BATCH } from '../base/limits.ts'
import { CloseReason } from '../message/close-reason.ts'
import { type Incoming, MessageType } from '../message/message.ts'
import { decodeMeta } from '../message/meta.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { isForeignLine } from './foreign-line.ts'
import { AskedTable, Batch } from './jsonrpc/batch.ts'
import { invalidRequest, parseError } from './jsonrpc/errors.ts'
import { Fields } from './jsonrpc/fields.ts'
import { int32, isId, takeMethod, takeParams, takeReply } from './jsonrpc/incoming.ts'
import { JsonBytes } from './jsonrpc/json-bytes.ts'
import { callLine, pushLine, reply, writeCall, writeReply } from './jsonrpc/writer.ts'
import { type Proto, ProtoError, type ProtoLink, type ProtoSession } from './proto.ts'

/**
 * JSON-RPC 2.0, one object or batch per line, in both directions: the standard, and Go's dialect
 * (docs/spec/wire.md#jsonrpc), which writes meta into a member `context` and DMicro's status codes into `error.code`.
 *
 * - A request with `context` is answered in the dialect, one without as in the standard: 404, 400 and 500 become
 *   -32601, -32602 and -32603, and `error.data` is the whole status. Received codes of the standard become DMicro's.
 * - Go's dialect has no place for the cause of a status, so the cause is sent only where the message is empty.
 * - Bodies are JSON only. `params` and `result` are decoded once, from exactly the text received
 *   (docs/spec/go-defects.md W10). An empty result is sent and received as null; `params` of null, which the standard
 *   does not allow, are an empty body.
 * - A line of HTTP or TLS closes the connection, because a web page can make its browser send what follows it. On an
 *   accepted connection, a line that is no JSON text before the first one does too: the peer speaks another protocol.
 *   Later ones are answered with a parse error.
 * - A PUSH is a notification. A received notification is a PUSH, or runs the handler of a CALL without a reply if no
 *   PUSH handler has the name. A Go peer handles our notifications as CALLs without sending a reply.
 */
export const jsonrpcProto: Proto = {
  id: 3,
  name: 'jsonrpc',
  framing: 'stream',

  match(bytes) {
    for (let at = 0; at < bytes.length; at++) {
      const c = bytes[at]
      if (c === OPEN_OBJECT || c === OPEN_ARRAY) return true
      if ((c !== 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) || at === MAX_BLANKS) return false
    }
    return undefined
  },

  open: (link) => new JsonRpcSession(link),
}

/** Maximum number of white space bytes before the first message of a connection whose protocol is being detected. */
const MAX_BLANKS = 64

const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b

// No state here outlives one call of `unpack`, so all sessions share it.
const json = new JsonBytes()
const fields = new Fields()

class JsonRpcSession implements ProtoSession {
  readonly #link: ProtoLink
  readonly #asked = new AskedTable()
  /** Number of bytes of the unfinished line that are known to have no line end. */
  #searched = 0
  /**
   * Whether the newest request was a plain one. The reply to an id without an entry in the table is then plain too.
   */
  #plain = false
  // The batch that is being read. Offsets count from the start of its line, which is used up with its last member.
  #batch: Batch | undefined
  #membersLeft = 0
  #memberAt = 0
  #lineBytes = 0
  /** Whether a JSON text was received, so that the peer speaks JSON. */
  #begun = false
  /** Bytes of replies that wait for the rest of their batches. */
  #held = 0

  constructor(link: ProtoLink) {
    this.#link = link
  }

  pack(message: Outgoing): string {
    const { type, seq } = message
    if (type === MessageType.Call) return callLine(message)
    if (type === MessageType.Push) return pushLine(message)
    if (type !== MessageType.Reply) throw new TypeError(`jsonrpc has no messages of type ${type}`)
    if ((seq | 0) === seq) return `${reply(message, `${seq}`, this.#plain)}\r\n`
    const asked = this.#asked.get(seq)
    if (asked === undefined) return '' // answered before
    const text = reply(message, asked.id, asked.plain)
    if (asked.batch !== undefined) this.#hold(asked.batch, text, message.statusText === '')
    this.#asked.delete(seq)
    return asked.batch === undefined ? `${text}\r\n` : this.#finished(asked.batch)
  }

  write(message: Outgoing, target: Buffer, at: number, end: number): number {
    if (message.type === MessageType.Call) return writeCall(message, target, at, end)
    if (message.type !== MessageType.Reply || (message.seq | 0) !== message.seq) return -1
    return writeReply(message, this.#plain, target, at, end)
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    if (this.#membersLeft > 0) return this.#nextMember(bytes, start, message)
    const { maxMessage, maxDepth } = this.#link.limits
    if (this.#searched === 0 && bytes[start] === OPEN_OBJECT) {
      const used = readObjectLine(bytes, start, end, maxDepth)
      if (used > 0 && used <= maxMessage) {
        this.#begun = true
        this.#take(bytes, message, undefined)
        return used
      }
    }
    const found = findLineEnd(bytes, start + this.#searched, end)
    const size = found < 0 ? end - start : found + 1 - start
    if (size > maxMessage) throw new ProtoError('a line over the size limit', CloseReason.TooLarge)
    if (found < 0) {
      this.#searched = size
      return 0
    }
    this.#searched = 0
    json.set(bytes, start, start + size - 1)
    const first = json.peek()
    if (first === OPEN_OBJECT) {
      if (fields.read(json, maxDepth) && json.peek() === -1) {
        this.#begun = true
        this.#take(bytes, message, undefined)
      } else {
        this.#link.write(`${parseError}\r\n`)
      }
    } else if (first === OPEN_ARRAY) {
      return this.#beginBatch(bytes, start, size, message)
    } else if (first !== -1) {
      if (isForeignLine(bytes, json.at, json.end)) throw new ProtoError('a browser talks HTTP to this port')
      this.#refuseLine(json.value(maxDepth) && json.peek() === -1)
    }
    return size
  }

  /**
   * Answers a line that is neither an object nor a batch.
   *
   * @param isJson whether it is a JSON text nevertheless
   * @throws ProtoError when the peer does not speak JSON
   */
  #refuseLine(isJson: boolean): void {
    if (!isJson && !this.#begun && this.#link.accepted)
      throw new ProtoError('the first line is no JSON', CloseReason.Malformed, `${parseError}\r\n`)
    this.#begun ||= isJson
    this.#link.write(isJson ? `${invalidRequest('null')}\r\n` : `${parseError}\r\n`)
  }

  #beginBatch(bytes: Buffer, start: number, size: number, message: Incoming): number {
    json.at++
    const membersAt = json.at
    const members = countMembers(this.#link.limits.maxDepth)
    this.#begun ||= members >= 0
    if (members < 1 || members > MAX_BATCH) {
      this.#link.write(members < 0 ? `${parseError}\r\n` : `${invalidRequest('null')}\r\n`)
      return size
    }
    this.#batch = new Batch(members)
    this.#membersLeft = members
    this.#memberAt = membersAt - start
    this.#lineBytes = size
    return this.#nextMember(bytes, start, message)
  }

  /** Reads the batch up to the next member that is a message. */
  #nextMember(bytes: Buffer, start: number, message: Incoming): number {
    const batch = this.#batch as Batch
    json.set(bytes, start + this.#memberAt, start + this.#lineBytes)
    while (this.#membersLeft > 0 && message.type === 0) {
      this.#membersLeft--
      if (json.peek() === OPEN_OBJECT) {
        fields.read(json, this.#link.limits.maxDepth)
        this.#take(bytes, message, batch)
      } else {
        json.value(this.#link.limits.maxDepth)
        this.#refuse(batch, 'null')
      }
      json.take(COMMA)
    }
    this.#memberAt = json.at - start
    if (this.#membersLeft > 0) return 0
    this.#batch = undefined
    const text = this.#finished(batch)
    if (text !== '') this.#link.write(text)
    return this.#lineBytes
  }

  /** Makes a message of the object in `fields`, if it is one. */
  #take(bytes: Buffer, message: Incoming, batch: Batch | undefined): void {
    const { methodStart, methodEnd, resultEnd, errorEnd } = fields
    // Go's replies have no method, and Go treats an empty one as none.
    const isReply = (resultEnd > 0 || errorEnd > 0) && (methodEnd === 0 || (methodEnd - methodStart === 2 && bytes[methodStart] === QUOTE))
    if (isReply) {
      takeReply(fields, bytes, message)
      batch?.add('', 0)
    } else {
      this.#takeRequest(bytes, message, batch)
    }
    if (message.type !== 0 && fields.contextEnd - fields.contextStart > 2 && bytes[fields.contextStart] === OPEN_OBJECT) {
      message.meta = decodeMeta(bytes.toString('utf8', fields.contextStart, fields.contextEnd), this.#link.limits)
      if (message.meta === undefined) throw new ProtoError('a context over the limits', CloseReason.Meta)
    }
  }

  #takeRequest(bytes: Buffer, message: Incoming, batch: Batch | undefined): void {
    const { idStart, idEnd, methodStart, methodEnd } = fields
    const goodId = idEnd === 0 || isId(fields, bytes)
    if (!goodId || !fields.standard || bytes[methodStart] !== QUOTE || methodEnd - methodStart < 3) {
      this.#refuse(batch, goodId && idEnd > 0 ? bytes.toString('utf8', idStart, idEnd) : 'null')
      return
    }
    const plain = fields.contextEnd === 0
    if (idEnd === 0) {
      message.type = MessageType.Push
      message.allowCallRoute = true
      batch?.add('', 0)
    } else {
      message.type = MessageType.Call
      const seq = batch === undefined ? int32(bytes, idStart, idEnd) : Number.NaN
      if ((seq | 0) === seq) message.seq = seq
      else message.seq = this.#asked.add({ id: bytes.toString('utf8', idStart, idEnd), plain, batch })
      this.#plain = plain
    }
    takeMethod(fields, bytes, message)
    takeParams(fields, bytes, message)
  }

  /** Answers an object that is no request. */
  #refuse(batch: Batch | undefined, id: string): void {
    const text = invalidRequest(id)
    if (batch === undefined) this.#link.write(`${text}\r\n`)
    else this.#hold(batch, text, false)
  }

  /**
   * Adds a reply to a batch.
   *
   * @param replaceable whether the error for a reply that is too large can be sent instead
   */
  #hold(batch: Batch, text: string, replaceable: boolean): void {
    const { maxMessage, maxUnsent } = this.#link.limits
    const size = Buffer.byteLength(text)
    // Brackets and the line end around all replies, a comma after each.
    const fits = batch.size + size + 5 <= maxMessage
    if (!fits && replaceable) throw new RangeError('the answer to the batch is over the size limit')
    if (!fits || this.#held + size > maxUnsent) throw new ProtoError('the answers to batches are over the limit', CloseReason.Unsent)
    batch.add(text, size)
    this.#held += size + 1
  }

  /** The replies to a batch; '' while they are not complete. */
  #finished(batch: Batch): string {
    if (!batch.complete) return ''
    this.#held -= batch.size
    return batch.text
  }
}

/**
 * Reads a line that is one object into `fields`, without searching for its end first.
 *
 * @returns its size; 0 when there may be no such line
 */
function readObjectLine(bytes: Buffer, start: number, end: number, maxDepth: number): number {
  json.set(bytes, start, end)
  if (!fields.read(json, maxDepth) || json.broken) return 0
  let at = json.at
  if (at < end && bytes[at] === CR) at++
  return at < end && bytes[at] === LF ? at + 1 - start : 0
}

/**
 * Finds the line end. A view costs more than a short search, and is needed only where bytes of other connections
 * follow.
 */
function findLineEnd(bytes: Buffer, from: number, end: number): number {
  if (end === bytes.length) return bytes.indexOf(LF, from)
  const found = bytes.subarray(from, end).indexOf(LF)
  return found < 0 ? -1 : from + found
}

/**
 * Counts the members of the array in `json`, whose bracket is consumed.
 *
 * @returns the number of members, at most one more than allowed; -1 when the array is malformed or followed by
 *   something
 */
function countMembers(maxDepth: number): number {
  let members = 0
  if (!json.take(CLOSE_ARRAY)) {
    do {
      // One level more, because the values inside a member may nest `maxDepth` deep.
      if (!json.value(maxDepth + 1)) return -1
      if (++members > MAX_BATCH) return members
    } while (json.take(COMMA))
    if (!json.take(CLOSE_ARRAY)) return -1
  }
  return json.peek() === -1 ? members : -1
}
