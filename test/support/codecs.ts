import assert from 'node:assert/strict'
import { StatusError } from '../../src/base/errors/status.ts'
import type { Codec } from '../../src/codecs/codec.ts'
import { TextHint } from '../../src/message/message.ts'
import { random } from './random.ts'

const defaults = { maxDepth: 128 }

/** Encodes to bytes of its own: those of a codec may be the next message's. */
export function encodeOwned(codec: Codec, value: unknown): Buffer {
  return Buffer.from(codec.encode(value) as string)
}

/** Decodes `body` from the middle of a buffer full of other things, which are gone when it returns. */
export function decodeBorrowed(codec: Codec, body: string | Uint8Array, limits = defaults): unknown {
  const bytes = Buffer.from(body as string)
  const arena = Buffer.alloc(bytes.length + 200, '<9&[')
  arena.set(bytes, 100)
  try {
    return codec.decode(arena, 100, 100 + bytes.length, TextHint.Nothing, limits)
  } finally {
    arena.fill(0xee)
  }
}

/** Checks a thrown value for `assert.throws`. */
export function badMessage(pattern: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof StatusError, String(error))
    assert.deepEqual([error.code, error.message], [400, 'Bad Message'])
    assert.match(error.cause, pattern)
    return true
  }
}

/**
 * Decodes `count` mutations of the bodies: each is a value or a 400, and none changes Object.prototype.
 * @param onValue what must hold of a value
 * @returns how many were a value
 */
export function fuzz(codec: Codec, bodies: readonly Buffer[], count: number, onValue: (value: unknown, seed: number) => void): number {
  let values = 0
  for (let seed = 1; seed <= count; seed++) {
    const body = mutate(bodies, seed)
    let value: unknown
    try {
      value = decodeBorrowed(codec, body)
    } catch (error) {
      assert.ok(error instanceof StatusError && error.code === 400, `seed ${seed}: ${error instanceof Error ? error.stack : error}`)
      continue
    }
    values++
    onValue(value, seed)
  }
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), prototypeNames)
  return values
}

const prototypeNames = Object.getOwnPropertyNames(Object.prototype).sort()

/** One of the bodies with up to four bytes changed, taken out or doubled, and perhaps cut. */
function mutate(bodies: readonly Buffer[], seed: number): Buffer {
  const rnd = random(seed)
  let body = Buffer.from(bodies[seed % bodies.length])
  for (let i = 1 + rnd(4); i > 0 && body.length > 0; i--) {
    const at = rnd(body.length)
    const kind = rnd(4)
    if (kind < 2) body[at] = kind === 0 ? rnd(256) : body[rnd(body.length)]
    else body = Buffer.concat([body.subarray(0, at), body.subarray(kind === 2 ? at + 1 : Math.max(0, at - 3))])
  }
  return rnd(3) === 0 ? body.subarray(0, rnd(body.length + 1)) : body
}

/** Its value is private: an object without members to whoever does not ask `toJSON`. */
export class Amount {
  readonly #amount: number

  constructor(amount: number) {
    this.#amount = amount
  }

  toJSON(key: string): unknown {
    return { amount: this.#amount, key }
  }
}

const absent = { toJSON: () => undefined }

/** Values with a `toJSON`, at every place where JSON.stringify asks for it. */
export const toJson: readonly unknown[] = [
  new Amount(1),
  [new Amount(2), 5, new Amount(3)],
  { a: new Amount(4), b: [[new Amount(5)]], c: 6 },
  { a: absent, b: 1, c: undefined },
  { url: new URL('http://localhost/x') },
  Object.assign([1, 2], { toJSON: () => 'list' }),
  Object.assign(() => 1, { toJSON: () => 'function' }),
  { toJSON: () => ({ inner: new Amount(7), toJSON: 'not asked' }) },
  { ['__proto__']: new Amount(8), 1: new Amount(9) },
]
