import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textOf } from '../../../src/base/errors/error-text.ts'
import { Code, StatusError, statusText, toStatusError } from '../../../src/base/errors/status.ts'

test('codes and texts are those of Go', () => {
  const go: [number, number, string][] = [
    [Code.UnknownError, -1, 'Unknown Error'],
    [Code.Ok, 0, ''],
    [Code.InvalidOperation, 1, 'Invalid Operation'],
    [Code.WrongConnection, 100, 'Wrong Connection'],
    [Code.ConnectionClosed, 102, 'Connection Closed'],
    [Code.WriteFailed, 104, 'Write Failed'],
    [Code.DialFailed, 105, 'Dial Failed'],
    [Code.BadMessage, 400, 'Bad Message'],
    [Code.Unauthorized, 401, 'Unauthorized'],
    [Code.NotFound, 404, 'Not Found'],
    [Code.MessageTypeNotAllowed, 405, 'Message Type Not Allowed'],
    [Code.HandleTimeout, 408, 'Handle Timeout'],
    [Code.InternalServerError, 500, 'Internal Server Error'],
    [Code.BadGateway, 502, 'Bad Gateway'],
  ]
  for (const [name, code, text] of go) {
    assert.equal(name, code)
    assert.equal(statusText(code), text)
  }
})

test('our own codes have texts, 409 among them', () => {
  assert.equal(statusText(409), 'Conflict')
  assert.equal(statusText(429), 'Too Many Requests')
  assert.equal(statusText(499), 'Canceled')
  assert.equal(statusText(503), 'Service Unavailable')
})

test('every code has a text, and a code without one is an unknown error', () => {
  for (const code of Object.values(Code)) assert.equal(typeof statusText(code), 'string')
  assert.equal(statusText(4711), 'Unknown Error')
})

test('a StatusError is an Error with code, message, cause and name', () => {
  const error = new StatusError(4001, 'no money', 'balance 0')
  assert.ok(error instanceof Error)
  assert.equal(error.code, 4001)
  assert.equal(error.message, 'no money')
  assert.equal(error.cause, 'balance 0')
  assert.equal(error.name, 'StatusError')
  assert.equal(String(error), 'StatusError: no money')
  assert.deepEqual(Object.keys(error).sort(), ['cause', 'code'])
})

test('message defaults to the text of the code, cause to nothing', () => {
  const error = new StatusError(404)
  assert.equal(error.message, 'Not Found')
  assert.equal(error.cause, '')
})

test('the stack is there by default and absent on request, and the limit of others is restored', () => {
  const before = Error.stackTraceLimit
  assert.match(new StatusError(1).stack ?? '', /status\.test\.ts/)
  assert.doesNotMatch(new StatusError(1, 'x', '', { stack: false }).stack ?? '', /status\.test\.ts/)
  assert.equal(Error.stackTraceLimit, before)
})

test('a code that is no int32 is refused', () => {
  for (const code of [1.5, NaN, Infinity, 2 ** 31, -(2 ** 31) - 1]) assert.throws(() => new StatusError(code), RangeError)
  for (const code of ['404', null, 5n, {}]) assert.throws(() => new StatusError(code as unknown as number), TypeError)
  assert.equal(new StatusError(2 ** 31 - 1).code, 2 ** 31 - 1)
  assert.equal(new StatusError(-(2 ** 31)).code, -(2 ** 31))
})

test('message and cause are strings even when a caller without types passes something else', () => {
  const error = new StatusError(1, Symbol('m') as unknown as string, new Error('deep') as unknown as string, { stack: false })
  assert.equal(error.message, 'Symbol(m)')
  assert.equal(error.cause, 'deep')
})

test('a thrown StatusError passes through as it is', () => {
  const error = new StatusError(4001, 'x')
  assert.equal(toStatusError(error, false), error)
})

test('anything else becomes a 500 whose cause is empty unless exposed', () => {
  const hidden = toStatusError(new Error('secret'), false)
  assert.deepEqual([hidden.code, hidden.message, hidden.cause], [500, 'Internal Server Error', ''])
  assert.equal(toStatusError(new Error('secret'), true).cause, 'secret')
  assert.equal(toStatusError('text', true).cause, 'text')
  assert.equal(toStatusError(undefined, true).cause, 'undefined')
  assert.equal(toStatusError(Symbol('s'), true).cause, 'Symbol(s)')
})

test('a StatusError that claims success is a 500', () => {
  const error = toStatusError(new StatusError(0, 'fine'), true)
  assert.equal(error.code, 500)
  assert.match(error.cause, /code 0/)
  assert.equal(toStatusError(new StatusError(0), false).cause, '')
})

test('a StatusError that was tampered with is a 500', () => {
  const error = new StatusError(4001)
  Object.assign(error, { code: 'x' })
  assert.equal(toStatusError(error, false).code, 500)
  const other = new StatusError(4001)
  Object.assign(other, { cause: { toString: () => 'x' } })
  assert.equal(toStatusError(other, false).code, 500)
})

test('hostile objects cannot make the conversion throw', () => {
  const boom = (): never => {
    throw new Error('trap')
  }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  class Liar extends StatusError {
    constructor() {
      super(1)
      Object.defineProperty(this, 'code', { get: boom })
    }
  }
  const hostile: unknown[] = [
    null,
    Object.create(null),
    { toString: boom },
    { [Symbol.toPrimitive]: boom },
    Object.defineProperty(new Error('x'), 'message', { get: boom }),
    Object.defineProperty(new Error('x'), 'message', { value: Symbol('m') }),
    new Proxy({}, { get: boom, getPrototypeOf: boom, has: boom }),
    new Proxy(new StatusError(5), { get: boom }),
    revoked.proxy,
    new Liar(),
  ]
  for (const thrown of hostile) {
    for (const expose of [false, true]) assert.equal(toStatusError(thrown, expose).code, 500)
    assert.equal(typeof textOf(thrown), 'string')
  }
})

test('exposed text is cut to what a status can carry', () => {
  assert.ok(Buffer.byteLength(JSON.stringify(toStatusError(new Error('\u0001'.repeat(1e6)), true).cause)) < 65_000)
})
