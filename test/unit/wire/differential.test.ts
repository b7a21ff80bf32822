import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNPARSED } from '../../../src/message/message.ts'
import { frame } from '../../support/frames.ts'
import { random } from '../../support/random.ts'
import { rawCodecs } from '../../support/raw-codecs.ts'

function someFrame(rnd: (below: number) => number): Buffer {
  const text = (max: number): string => 'aB/_{"0}:zé世'.repeat(30).slice(rnd(20), rnd(20) + rnd(max))
  const statuses = [undefined, '', '{"code":404,"msg":"x","cause":""}', text(100)]
  return frame({
    seq: [String(rnd(1000)), (rnd(2 ** 31) - 2 ** 30).toString(36), text(8), 'ZIK0ZJ', ''][rnd(5)],
    type: rnd(5),
    version: rnd(20) === 0 ? rnd(256) : 1,
    filters: rnd(10) === 0 ? Array.from({ length: rnd(8) }, () => rnd(256)) : [],
    method: text(260).slice(0, 80),
    status: statuses[rnd(4)],
    meta: ['{}', '', '{"a":"b"}', text(60)][rnd(4)],
    codec: rnd(256),
    body: text(300),
  })
}

test('both cores judge 100,000 random and mutated frames alike', (t) => {
  const [js, native] = rawCodecs
  if (native === undefined) return t.skip('no native binary')
  let frames = 0
  for (let seed = 1; seed <= 100_000; seed++) {
    const rnd = random(seed)
    const bytes = someFrame(rnd)
    for (let i = rnd(4); i > 0; i--) bytes[rnd(bytes.length)] = rnd(256)
    const given = rnd(4) === 0 ? bytes.subarray(0, rnd(bytes.length + 1)) : bytes
    const limit = rnd(10) === 0 ? rnd(300) : 1 << 20
    const most = rnd(10) === 0 ? 255 : 4
    const expected = js.unpack(given, limit, most)
    assert.deepEqual(native.unpack(given, limit, most), expected, `seed ${seed}`)
    if (typeof expected === 'object' && expected.type !== UNPARSED) {
      frames++
      const { seq, type, codec, method, status, meta, body } = expected
      if (Buffer.from(status, 'latin1').toString('latin1') !== status || /[\x80-\xff]/.test(status + meta)) continue
      const args = [seq, type, Buffer.from(method, 'latin1'), status, meta, codec, Buffer.from(body, 'latin1')] as const
      assert.deepEqual(native.pack(...args), js.pack(...args), `seed ${seed}`)
    }
  }
  assert.ok(frames > 10_000, `only ${frames} of them were good`)
})
