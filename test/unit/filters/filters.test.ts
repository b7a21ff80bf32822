import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { insecureAes } from '../../../src/filters/aes.ts'
import { aesGcm } from '../../../src/filters/aes-gcm.ts'
import { brotli } from '../../../src/filters/brotli.ts'
import { gzip } from '../../../src/filters/gzip.ts'
import { md5 } from '../../../src/filters/md5.ts'
import { type Filter, FilterOverflow, type Unpacker } from '../../../src/message/filter.ts'

const warnings: Error[] = []
process.on('warning', (warning) => warnings.push(warning))
const key = Buffer.alloc(32, 7)
const filters: Filter[] = [
  gzip(),
  gzip({ level: 0 }),
  brotli(),
  md5,
  insecureAes('1234567890123456'),
  aesGcm({ keys: { 1: key }, current: 1 }),
]
const MiB = 1024 * 1024

/** Bytes that compress a little. */
const some = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, i) => (i * i) >> 5))

for (const filter of filters) {
  describe(`filter ${filter.name}`, () => {
    const packAsync = filter.packAsync as (bytes: Uint8Array) => Promise<Uint8Array>
    const unpackAsync = filter.unpackAsync as (bytes: Uint8Array, maxSize: number) => Promise<Uint8Array>

    test('gives back what it was given, at once and off the loop, each what the other packed', async () => {
      for (const size of [0, 1, 15, 16, 17, 1000, 256 * 1024, 600_001]) {
        const bytes = some(size)
        for (const packed of [filter.pack(bytes), await packAsync(bytes)]) {
          assert.ok(bytes.equals(filter.unpack(packed, size)), `${size} bytes`)
          assert.ok(bytes.equals(await unpackAsync(packed, size)), `${size} bytes`)
        }
      }
    })

    test('packs the same bytes at once and off the loop', async () => {
      if (filter.name === 'aes-gcm') return
      assert.deepEqual(await packAsync(some(5000)), filter.pack(some(5000)))
    })

    test('refuses what is cut or has more behind it, and nothing of it is changed in place', async () => {
      const packed = filter.pack(some(1000))
      const before = Buffer.from(packed)
      for (const bytes of [packed.subarray(0, packed.length - 1), packed.subarray(0, 20), Buffer.concat([packed, Buffer.alloc(16)])]) {
        assert.throws(() => filter.unpack(bytes, MiB), `${bytes.length} bytes`)
        await assert.rejects(unpackAsync(bytes, MiB), `${bytes.length} bytes`)
      }
      assert.deepEqual(Buffer.from(packed), before)
    })
  })
}

for (const filter of [gzip(), brotli()]) {
  test(`${filter.name}: output over the limit is refused, at the limit not`, async () => {
    const packed = filter.pack(Buffer.alloc(MiB))
    for (const limit of [0, 1, 1000, MiB - 1]) {
      assert.throws(() => filter.unpack(packed, limit), FilterOverflow)
      await assert.rejects((filter as Required<Unpacker>).unpackAsync(packed, limit), FilterOverflow)
    }
    assert.equal(filter.unpack(packed, MiB).length, MiB)
  })
}

test('gzip: every member is read, zeros and other bytes behind the last are refused', async () => {
  const { unpack, unpackAsync } = gzip() as Required<Filter>
  const two = Buffer.concat([gzipSync('one'), gzipSync(''), gzipSync('two')])
  assert.equal(Buffer.from(unpack(two, 100)).toString(), 'onetwo')
  assert.equal(Buffer.from(await unpackAsync(two, 100)).toString(), 'onetwo')
  for (const tail of [Buffer.alloc(1), Buffer.alloc(100), Buffer.from('x'), Buffer.from([0x1f, 0x8b]), gzipSync('cut').subarray(0, 12)]) {
    assert.throws(() => unpack(Buffer.concat([two, tail]), 100), tail.toString('hex'))
    await assert.rejects(unpackAsync(Buffer.concat([two, tail]), 100), tail.toString('hex'))
  }
})

test('gzip: a wrong checksum or length is refused', () => {
  const packed = Buffer.from(gzip().pack(some(100)))
  for (let back = 1; back <= 8; back++) {
    const changed = Buffer.from(packed)
    changed[packed.length - back] ^= 1
    assert.throws(() => gzip().unpack(changed, 1000))
  }
})

test('gzip: the header is the one Go writes', () => {
  assert.equal(Buffer.from(gzip().pack(some(100))).toString('hex', 0, 10), '1f8b08000000000000ff')
})

test('gzip and brotli take only levels there are', () => {
  for (const level of [-1, 10, 1.5, Number.NaN, '6']) assert.throws(() => gzip({ level: level as number }), RangeError)
  for (const quality of [-1, 12, 1.5, Number.NaN, '6']) assert.throws(() => brotli({ quality: quality as number }), RangeError)
})

test('md5 appends the digest', () => {
  const expected = createHash('md5').update(some(100)).digest()
  assert.deepEqual(Buffer.from(md5.pack(some(100))).subarray(100), expected)
  for (let i = 0; i < 116; i++) {
    const changed = Buffer.from(md5.pack(some(100)))
    changed[i] ^= 0x10
    assert.throws(() => md5.unpack(changed, 1000), /check failed/)
  }
  for (let size = 0; size < 16; size++) assert.throws(() => md5.unpack(Buffer.alloc(size), 1000), /check failed/)
})

test('aes: its use is warned of once', async () => {
  insecureAes('1234567890123456')
  await new Promise(setImmediate)
  assert.deepEqual(
    warnings.map(({ name }) => name),
    ['SecurityWarning'],
  )
})

test('aes: RAW-7 of docs/spec/wire.md#vectors, keys of three sizes, and no other', () => {
  const sealed = Buffer.from('5d74547a50ee9901a9c3e44b9c01169c43fab3e70858f44d5c2111edf6eae24eb6dd2f09d8093114af3319a3096da6ea', 'hex')
  const plain = Buffer.from('01310200001e7b22636f6465223a302c226d7367223a22222c226361757365223a22227d00027b7d6a3135', 'hex')
  const aes = insecureAes('1234567890123456')
  assert.deepEqual(aes.unpack(sealed, 1000), plain)
  assert.deepEqual(aes.pack(plain), sealed)
  for (const size of [24, 32]) {
    const other = insecureAes(Buffer.alloc(size, 1))
    assert.deepEqual(other.unpack(other.pack(plain), 1000), plain)
    assert.throws(() => other.unpack(sealed, 1000))
  }
  for (const size of [0, 15, 17, 33]) assert.throws(() => insecureAes(Buffer.alloc(size)), RangeError)
  for (const size of [0, 1, 15, 17]) assert.throws(() => aes.unpack(Buffer.alloc(size), 1000), /blocks/)
})

describe('aes-gcm', () => {
  const made = (current = 1, keys: Record<number, Buffer> = { 1: key }) => aesGcm({ keys, current })

  test('any changed bit is refused, in a session and out of it', () => {
    const sealed = Buffer.from(made().pack(some(50)))
    const session = made().receiver?.() as Unpacker
    for (let i = 0; i < sealed.length * 8; i++) {
      const changed = Buffer.from(sealed)
      changed[i >> 3] ^= 1 << (i & 7)
      assert.throws(() => made().unpack(changed, 1000), `bit ${i}`)
      assert.throws(() => session.unpack(changed, 1000), `bit ${i}`)
    }
    assert.deepEqual(session.unpack(sealed, 1000), some(50))
  })

  test('no nonce repeats, and two filters have different ones', () => {
    const [one, two] = [made(), made()]
    const seen = new Set<string>()
    for (let i = 0; i < 2000; i++) for (const filter of [one, two]) seen.add(Buffer.from(filter.pack(some(1))).toString('hex', 1, 13))
    assert.equal(seen.size, 4000)
  })

  test('a session takes each message once and none that is older', async () => {
    const [sender, other, session] = [made(), made(), made().receiver?.() as Required<Unpacker>]
    const sealed = [1, 2, 3, 4].map((n) => Buffer.from(sender.pack(Buffer.from([n]))))
    assert.equal(session.unpack(sealed[0], 10)[0], 1)
    assert.equal((await session.unpackAsync(sealed[2], 10))[0], 3)
    for (const old of sealed.slice(0, 3)) {
      assert.throws(() => session.unpack(old, 10), /came before/)
      await assert.rejects(session.unpackAsync(old, 10), /came before/)
    }
    assert.equal(session.unpack(sealed[3], 10)[0], 4)
    session.unpack(other.pack(some(1)), 10)
    assert.throws(() => session.unpack(sender.pack(some(1)), 10), /came before/, 'a prefix that was left stays left')
    for (let i = 2; i <= 16; i++) session.unpack(made().pack(some(1)), 10)
    assert.throws(() => session.unpack(made().pack(some(1)), 10), /too often/)
  })

  test('messages of any known key are taken, one is sent under; keys change at once', () => {
    const second = Buffer.alloc(32, 8)
    const sender = made()
    const receiver = made(1, { 1: key, 2: second })
    const old = Buffer.from(sender.pack(some(9)))
    sender.setKeys({ keys: { 2: second }, current: 2 })
    const fresh = Buffer.from(sender.pack(some(9)))
    assert.deepEqual([old[0], fresh[0]], [1, 2])
    for (const sealed of [old, fresh]) assert.deepEqual(receiver.unpack(sealed, 100), some(9))
    receiver.setKeys({ keys: { 2: second }, current: 2 })
    assert.throws(() => receiver.unpack(old, 100), /unknown key/)
    assert.throws(() => receiver.setKeys({ keys: {}, current: 2 }), RangeError)
    assert.deepEqual(receiver.unpack(fresh, 100), some(9))
    assert.throws(() => made(1, { 1: second }).unpack(old, 100), 'another key of the same id')
  })

  test('what are no keys is refused', () => {
    for (const [keys, current] of [
      [{}, 1],
      [{ 1: key }, 2],
      [{ 1: key }, undefined],
      [{ 256: key }, 256],
      [{ x: key }, 'x'],
      [{ 1: key.subarray(1) }, 1],
      [{ 1: 'x'.repeat(32) }, 1],
    ] as unknown[][]) {
      assert.throws(() => aesGcm({ keys, current } as never), /key/)
    }
  })
})
