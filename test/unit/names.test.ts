import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findName, internName, nameBytes, nameText, watchNames } from '../../src/names.ts'

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

test('a name too long for the wire, or no well-formed text, has no number', () => {
  assert.ok(internName('x'.repeat(255)) >= 0)
  assert.equal(internName('x'.repeat(256)), -1)
  assert.equal(internName('ü'.repeat(128)), -1)
  assert.equal(internName('/\ud800'), -1)
})

test('watchers hear of every name there is and will be, in order, until the table is full', () => {
  const heard: number[] = []
  watchNames((id) => heard.push(id))
  let last = 0
  for (let i = 0; last >= 0; i++) last = internName(`/many/${i}`)
  assert.equal(heard.length, 65_536)
  assert.ok(heard.every((id, i) => id === i))
  assert.equal(nameText(find('/many/60000')), '/many/60000')
  assert.ok(internName('/a') >= 0, 'names that are in stay')
})
