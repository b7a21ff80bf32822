import { random } from './random.ts'

/** Bytes that mean something to most formats. */
const telling = Buffer.from([0, 1, 0x22, 0x2c, 0x2d, 0x30, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff])

/** `count` damaged variants of `samples`: bytes changed, dropped, repeated, put in, and pieces of one in another. */
export function* mutations(samples: readonly Buffer[], count: number, seed: number): Generator<Buffer> {
  const below = random(seed)
  for (let i = 0; i < count; i++) {
    let bytes = Buffer.from(samples[below(samples.length)])
    for (let changes = 1 + below(4); changes > 0; changes--) bytes = change(bytes, samples[below(samples.length)], below)
    yield bytes
  }
}

function change(bytes: Buffer, other: Buffer, below: (limit: number) => number): Buffer<ArrayBuffer> {
  const at = below(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + below(8))
  const head = bytes.subarray(0, at)
  const from = below(other.length)
  switch (below(6)) {
    case 0:
      return Buffer.concat([head, Buffer.from([below(256)]), bytes.subarray(at + 1)])
    case 1:
      return Buffer.concat([head, telling.subarray(below(telling.length)).subarray(0, 1), bytes.subarray(at + 1)])
    case 2:
      return Buffer.concat([head, bytes.subarray(to)])
    case 3:
      return Buffer.concat([head, bytes.subarray(at, to), bytes.subarray(at)])
    case 4:
      return Buffer.concat([head, other.subarray(from, from + 1 + below(24)), bytes.subarray(at)])
    default:
      return Buffer.from(head)
  }
}
