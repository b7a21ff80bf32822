import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_CALLED_NAMES } from '../../../src/base/limits.ts'
import { findName, internCalled, internName, nameBytes, nameText, watchNames } from '../../../src/message/names.ts'

const find = (text: string): number => {
  const bytes = Buffer.from(`<<${text}>>`)
  return findName(bytes, 2, bytes.length - 2)
}

test('a name keeps its number and is found by its bytes', () => {
  const ids = ['/a', '/b', '/ü', '__proto__', ''].map((name) => internName(name))
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(internName('/a'), ids[0])
  assert.equal(find('/ü'), ids[2])
  assert.equal(nameText(ids[2]), '/ü')
  assert.deepEqual(nameBytes(ids[2]), Buffer.from('/ü'))
  for (const unknown of ['/A', '/a/', '/', 'constructor']) assert.equal(find(unknown), -1)
})

test('looking a name up adds nothing', () => {
  const before = internName('/before')
  for (let i = 0; i < 1000; i++) assert.equal(find(`/never/${i}`), -1)
  assert.equal(internName('/after'), before + 1)
})

test('a name too long for the wire, or no well-formed text, has no number, and a route is told why', () => {
  assert.ok(internName('x'.repeat(255)) >= 0)
  for (const [name, why] of [
    ['x'.repeat(256), /over 255 bytes/],
    ['ü'.repeat(128), /over 255 bytes/],
    ['/\ud800', /no well-formed text/],
  ] as const) {
    assert.equal(internCalled(name), -1)
    assert.throws(() => internName(name), { name: 'RangeError', message: why })
  }
})

test('names that are called use up a number of their own, and none of the routes', () => {
  const heard: number[] = []
  watchNames((id) => heard.push(id))
  const ids = Array.from({ length: MAX_CALLED_NAMES + 5000 }, (_, i) => internCalled(`/user/${i}`))
  assert.ok(ids.slice(0, MAX_CALLED_NAMES).every((id) => id >= 0))
  assert.ok(ids.slice(MAX_CALLED_NAMES).every((id) => id === -1))
  assert.equal(internCalled('/user/7'), ids[7], 'names that are in stay')
  for (let i = 0; i < 100_000; i++) assert.ok(internName(`/many/${i}`) >= 0)
  assert.ok(
    heard.every((id, i) => id === i),
    'watchers hear of all, in order',
  )
  assert.equal(nameText(find('/many/99999')), '/many/99999')
})
