// What the trials send, by name.

/**
 * @typedef {object} Payload
 * @property {string} name
 * @property {'json' | 'protobuf'} kind
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

/** @type {Record<string, Payload>} */
export const payloads = {
  'json-32': text('json-32', 32),
  'json-64': text('json-64', 64),
  'json-1k': text('json-1k', 1024),
  'json-64k': text('json-64k', 65_536),
  'bench-json': benchmarkMessage('bench-json', 'json', Buffer.byteLength(JSON.stringify(message))),
  'bench-protobuf': benchmarkMessage('bench-protobuf', 'protobuf', 567),
}
