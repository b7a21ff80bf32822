// What the trials send, by name.

/**
 * @typedef {object} Payload
 * @property {string} name
 * @property {'json' | 'protobuf' | 'msgpack' | 'cbor' | 'bytes'} kind
 * @property {number} bytes on the wire, without any framing
 * @property {any} value
 * @property {(reply: any) => boolean} same whether a reply is the value
 * @property {(caller: number) => Payload} of one caller's payload; texts differ, so that a server that mixes up calls is found out
 */

const SENTENCE = '如果爱，请深爱，老男人情话大赏!'
const NUMBER = 100_000

/** DMicro's benchmark message; a field it leaves out has its default here, as a decoder gives it. */
const message = {
  Field1: SENTENCE,
  Field2: NUMBER,
  Field3: NUMBER,
  Field4: SENTENCE,
  Field5: [SENTENCE, SENTENCE, SENTENCE],
  Field6: NUMBER,
  Field7: SENTENCE,
  Field8: SENTENCE,
  Field9: true,
  Field10: true,
  Field11: true,
  Field12: true,
  Field13: NUMBER,
  Field14: SENTENCE,
  Field15: NUMBER,
  Field16: 9999,
  Field17: false,
  Field18: 11111,
  Field19: 0,
  Field20: false,
  Field21: false,
  Field22: 111111111,
  Field23: 22222222,
  Field24: 22222222,
  Field25: false,
  Field26: false,
  Field27: false,
  Field28: 2223333,
  Field29: 45778888,
  Field30: SENTENCE,
  Field31: 'aaaaaa',
  Field32: 12222,
  Field33: NUMBER,
  Field34: 'fdsfsdfsafadsfsfa',
  Field35: NUMBER,
  Field36: 23456,
  Field37: NUMBER,
  Field38: NUMBER,
  Field39: NUMBER,
  Field40: NUMBER,
}

/** The fields that `===` can compare. */
const plainFields = Object.keys(message).filter((field) => field !== 'Field5' && field !== 'Field16')

function sameMessage(reply) {
  if (typeof reply !== 'object' || reply === null) return false
  for (const field of plainFields) if (reply[field] !== message[field]) return false
  // An int64 may come as a number, a BigInt or a Long.
  if (Number(reply.Field16) !== message.Field16) return false
  const { Field5: list } = message
  return Array.isArray(reply.Field5) && reply.Field5.length === list.length && list.every((item, i) => reply.Field5[i] === item)
}

const CALLER_DIGITS = 8

/** A JSON string of `bytes` bytes with its quotes. */
function text(name, bytes, caller = 0) {
  const filler = Buffer.alloc(bytes - 2, 'abcdefghijklmnopqrstuvwxyz')
  filler.latin1Write(caller.toString(16).toUpperCase().padStart(CALLER_DIGITS, '0'))
  const value = filler.latin1Slice()
  return { name, kind: 'json', bytes, value, same: (reply) => reply === value, of: (other) => text(name, bytes, other) }
}

function benchmarkMessage(name, kind, bytes) {
  const payload = { name, kind, bytes, value: message, same: sameMessage, of: () => payload }
  return payload
}

/** Bytes that no codec looks at. */
function bytesOf(name, bytes, caller = 0) {
  const value = Buffer.alloc(bytes, lettersOf(caller))
  return { name, kind: 'bytes', bytes, value, same: (reply) => value.equals(reply), of: (other) => bytesOf(name, bytes, other) }
}

const LEAST_ID = 20_000
const IDS = 80_000
const LETTERS = 8

/** Eight letters that no two callers share; neighbours differ in more than the last. */
function lettersOf(caller) {
  const mixed = Math.imul(caller, 0x9e3779b1) >>> 0 // an odd factor: one to one
  return mixed
    .toString(16)
    .padStart(LETTERS, '0')
    .replaceAll(/./g, (digit) => String.fromCharCode(65 + Number.parseInt(digit, 16)))
}

/**
 * What users send: number, text, nested list, boolean and float. 64 bytes as JSON for every caller, and the same bytes whichever
 * language has parsed and printed it.
 */
export const objectOf = (caller) => ({ id: LEAST_ID + (caller % IDS), text: lettersOf(caller), list: [1, [2]], ok: true, f: 0.25 })

/** The same as a message of `object.proto`, which has no lists of lists: those inside stand beside the numbers. */
export const messageOf = ({ id, text, list: [number, inner], ok, f }) => ({
  id,
  text,
  list: { numbers: [number], lists: [{ numbers: inner, lists: [] }] },
  ok,
  f,
})

// Every field is looked at, and nothing that costs more than that: it is part of what the client's call costs.
const hasList = ({ list }) => list[0] === 1 && list[1][0] === 2
const hasMessageList = ({ list }) => list.numbers[0] === 1 && list.lists[0].numbers[0] === 2

function object(name, kind, bytes, caller = 0) {
  const value = kind === 'protobuf' ? messageOf(objectOf(caller)) : objectOf(caller)
  const hasItsList = kind === 'protobuf' ? hasMessageList : hasList
  const { id, text } = value
  return {
    name,
    kind,
    bytes,
    value,
    same: (reply) => reply.id === id && reply.text === text && reply.ok === true && reply.f === 0.25 && hasItsList(reply),
    of: (other) => object(name, kind, bytes, other),
  }
}

/** @type {Record<string, Payload>} */
export const payloads = {
  'json-32': text('json-32', 32),
  'json-64': text('json-64', 64),
  'json-1k': text('json-1k', 1024),
  'json-64k': text('json-64k', 65_536),
  'bytes-1k': bytesOf('bytes-1k', 1024),
  'object-json': object('object-json', 'json', 64),
  'object-protobuf': object('object-protobuf', 'protobuf', 35),
  'object-msgpack': object('object-msgpack', 'msgpack', 45),
  'object-cbor': object('object-cbor', 'cbor', 45),
  'bench-json': benchmarkMessage('bench-json', 'json', Buffer.byteLength(JSON.stringify(message))),
  'bench-protobuf': benchmarkMessage('bench-protobuf', 'protobuf', 567),
}
