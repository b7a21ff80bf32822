import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { applyMask, closeFrame, controlFrame, headerSize, isCloseCode, Opcode, writeHeader } from '../../../../src/wire/websocket/frame.ts'
import { Event, FrameReader, type FrameRules, MAX_FRAGMENTS } from '../../../../src/wire/websocket/reader.ts'
import { Utf8Check } from '../../../../src/wire/websocket/utf8.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const MASK = 0x37fa213d
const server: FrameRules = { masked: true, compression: false, maxMessage: 1024 * 1024 }

/** A frame with any first byte, masked unless said otherwise. */
function frame(first: number, payload: Buffer | string = '', masked = true): Buffer {
  const body = Buffer.from(payload as string)
  const bytes = Buffer.alloc(headerSize(body.length, masked) + body.length)
  const start = writeHeader(bytes, 0, 0, body.length, masked ? MASK : undefined)
  bytes[0] = first
  body.copy(bytes, start)
  if (masked) applyMask(bytes, start, bytes.length, MASK)
  return bytes
}

/** What an echo server answers to `bytes`, which arrive in chunks of `size`. */
function answers(bytes: Buffer, size = Number.POSITIVE_INFINITY, rules = server): string[] {
  const reader = new FrameReader(rules)
  const found: string[] = []
  let message = Buffer.alloc(0)
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = Buffer.from(bytes.subarray(at, Math.min(at + size, bytes.length)))
    reader.at = reader.out = 0
    let taken = 0
    for (;;) {
      const event = reader.read(chunk, chunk.length)
      message = Buffer.concat([message, chunk.subarray(taken, reader.out)])
      taken = reader.out
      assert(message.length <= rules.maxMessage && reader.out <= reader.at)
      if (event === Event.More) break
      if (event === Event.Message) {
        found.push(`${reader.text ? 'text' : 'binary'} ${message.toString('latin1')}`)
        message = Buffer.alloc(0)
      } else if (event === Event.Ping) found.push(`pong ${reader.control.toString('latin1')}`)
      else if (event === Event.Close) return [...found, `close ${reader.closeCode}`]
      else if (event === Event.Bad) return [...found, `fail ${reader.closeCode}`]
    }
  }
  return found
}

describe('WebSocket frames', () => {
  test('headers and control frames are those of RFC 6455, byte for byte', () => {
    assert.deepEqual(frame(0x81, 'Hello', false), hex('810548656c6c6f'))
    assert.deepEqual(frame(0x81, 'Hello'), hex('818537fa213d7f9f4d5158'))
    assert.deepEqual(controlFrame(Opcode.Pong, Buffer.from('Hello'), undefined), hex('8a0548656c6c6f'))
    assert.deepEqual(closeFrame(1000, undefined), hex('880203e8'))
    assert.deepEqual(closeFrame(1000, MASK), hex('888237fa213d3412'))
    assert.deepEqual(closeFrame(1005, undefined), hex('8800'))
    for (const [size, head] of [
      [125, '827d'],
      [126, '827e007e'],
      [65_535, '827effff'],
      [65_536, '827f0000000000010000'],
      [2 ** 40, '827f0000010000000000'],
    ] as const) {
      const bytes = Buffer.alloc(14)
      assert.deepEqual(bytes.subarray(0, writeHeader(bytes, 0, Opcode.Binary, size, undefined)), hex(head))
      assert.equal(headerSize(size, false), head.length / 2)
    }
  })

  test('masks apply at every size, phase and place', () => {
    for (let size = 0; size < 150; size++) {
      for (let phase = 0; phase < 4; phase++) {
        const bytes = Buffer.from(new ArrayBuffer(size + phase + 3), phase, size + 1).fill(0)
        for (let i = 0; i < size; i++) bytes[i] = i * 7
        applyMask(bytes, 0, size, MASK, phase)
        for (let i = 0; i < size; i++) assert.equal(bytes[i], ((i * 7) & 0xff) ^ [0x37, 0xfa, 0x21, 0x3d][(phase + i) % 4])
        assert.equal(bytes[size], 0)
      }
    }
  })

  test('frames give the same messages in any chunks', () => {
    const bytes = Buffer.concat([
      frame(0x81, 'one'),
      frame(0x82, 'x'.repeat(300)),
      frame(0x89, 'are you there'),
      frame(0x01, 'fra'),
      frame(0x8a, 'unasked'),
      frame(0x00, 'gme'),
      frame(0x80, 'nts'),
      frame(0x82, 'y'.repeat(70_000)),
      frame(0x81),
      frame(0x88, hex('03e9')),
    ])
    const expected = [
      'text one',
      `binary ${'x'.repeat(300)}`,
      'pong are you there',
      'text fragments',
      `binary ${'y'.repeat(70_000)}`,
      'text ',
      'close 1001',
    ]
    for (const size of [Number.POSITIVE_INFINITY, 1, 2, 3, 7, 13, 64, 1000, 65_536]) {
      if (size < 7) assert.deepEqual(answers(bytes.subarray(0, 400), size), answers(bytes.subarray(0, 400)))
      else assert.deepEqual(answers(bytes, size), expected)
    }
  })

  test('what breaks the protocol is answered with the code that the RFC names', () => {
    const cases: [Buffer, string, FrameRules?][] = [
      [frame(0x82, 'x', false), 'fail 1002'],
      [frame(0x82, 'x'), 'fail 1002', { ...server, masked: false }],
      [frame(0x83, 'x'), 'fail 1002'],
      [frame(0x8b, 'x'), 'fail 1002'],
      [frame(0xc1, 'x'), 'fail 1002'],
      [frame(0xa1, 'x'), 'fail 1002'],
      [frame(0x09, 'ping'), 'fail 1002'],
      [frame(0x89, 'x'.repeat(126)), 'fail 1002'],
      [frame(0x80, 'x'), 'fail 1002'],
      [Buffer.concat([frame(0x01, 'x'), frame(0x81, 'y')]), 'fail 1002'],
      [frame(0x81, hex('eda080')), 'fail 1007'],
      [frame(0x81, hex('e4bd')), 'fail 1007'],
      [hex('827e03e9'), 'fail 1009', { masked: false, compression: false, maxMessage: 1000 }],
      [hex('827f7fffffffffffffff'), 'fail 1009', { ...server, masked: false }],
      [hex('827fffffffffffffffff'), 'fail 1002', { ...server, masked: false }],
      [frame(0x88, hex('03')), 'fail 1002'],
      [frame(0x88, hex('03ed')), 'fail 1002'],
      [frame(0x88, hex('03e8ff')), 'fail 1007'],
      [Buffer.concat([hex('0200'), Buffer.alloc(2 * MAX_FRAGMENTS)]), 'fail 1008', { ...server, masked: false }],
    ]
    for (const [bytes, expected, rules] of cases) {
      assert.deepEqual(answers(bytes, undefined, rules), [expected])
      if (bytes.length < 1000) assert.deepEqual(answers(bytes, 1, rules), [expected])
    }
    for (const code of [1000, 1003, 1007, 1014, 3000, 4999]) assert(isCloseCode(code))
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000]) assert(!isCloseCode(code))
  })

  test('UTF-8 is judged wherever the text is cut', () => {
    for (const [text, valid] of [
      ['6162c2b5e4bda0f09f9880', true],
      ['f48fbfbf', true],
      ['f4908080', false],
      ['eda080', false],
      ['c080', false],
      ['e4bd', false],
    ] as const) {
      const bytes = hex(text)
      for (let cut = 0; cut <= bytes.length; cut++) {
        const check = new Utf8Check()
        assert.equal(check.add(bytes, 0, cut) && check.add(bytes, cut, bytes.length) && check.finish(), valid)
      }
    }
  })
})
