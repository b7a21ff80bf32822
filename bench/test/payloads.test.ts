import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bodiesFile, bodyFile } from '../body.ts'
import { messageOf, objectOf, payloads } from '../payloads.mjs'
import { path } from '../processes.ts'
import type { Payload } from '../trials.ts'

/** As many as the largest trial has, and the edge of the numbers. */
const CALLERS = [...Array(20_000).keys(), 79_999, 80_000, 200_000]

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-payloads-'))
  try {
    await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('every caller has an object of its own, of 64 bytes, which parsing and printing leave as they are', () => {
  const texts = new Set<string>()
  for (const caller of CALLERS) {
    const json = JSON.stringify(objectOf(caller))
    assert.equal(json.length, 64, json)
    assert.equal(JSON.stringify(JSON.parse(json)), json)
    texts.add(objectOf(caller).text)
  }
  assert.equal(texts.size, CALLERS.length)
  assert.equal(JSON.stringify(objectOf(0)), '{"id":20000,"text":"AAAAAAAA","list":[1,[2]],"ok":true,"f":0.25}')
})

test('a reply is the object only when every field is', () => {
  const { same } = payloads['object-json'].of(7)
  const object = objectOf(7)
  assert.ok(same(JSON.parse(JSON.stringify(object))))
  const { id, text } = objectOf(8)
  for (const wrong of [{ id }, { text }, { list: [1, [3]] }, { list: [2, [2]] }, { ok: false }, { f: 0.5 }]) {
    assert.ok(!same({ ...object, ...wrong }), JSON.stringify(wrong))
  }
  const message = payloads['object-protobuf'].of(7)
  assert.ok(message.same(messageOf(object)))
  assert.ok(!message.same({ ...messageOf(object), list: { numbers: [1], lists: [{ numbers: [3] }] } }))
})

test('bytes are the same only when all are', () => {
  const { value, same } = payloads['bytes-1k'].of(3)
  assert.ok(same(Buffer.from(value as Buffer)))
  assert.ok(!same(payloads['bytes-1k'].of(4).value))
})

test('the C++ client gets a body of each of many callers, and one where all callers send the same', async () => {
  await inFolder(async (folder) => {
    const { file, count } = await bodiesFile(folder, 'object-json')
    const bodies = readFileSync(file, 'latin1')
    assert.equal(bodies.length, 64 * count)
    assert.ok(count > 1 && Number.isInteger(Math.log2(count)), `${count} is a power of two`)
    assert.equal(bodies.slice(64, 128), JSON.stringify(objectOf(1)))
    assert.equal((await bodiesFile(folder, 'bench-json')).count, 1)
    assert.equal(readFileSync(await bodyFile(folder, 'object-json'), 'latin1'), JSON.stringify(objectOf(0)))
  })
})

test('bodies of every codec are as long as the payload says', async (context) => {
  const binary: Payload[] = ['object-msgpack', 'object-cbor', 'object-protobuf']
  const packages = existsSync(path('node_modules/@grpc/proto-loader'))
  const built = existsSync(path('../dist/index.js'))
  await inFolder(async (folder) => {
    for (const payload of binary) {
      const missing = payload === 'object-protobuf' ? !packages : !built
      if (missing) context.diagnostic(`${payload}: not installed or not built`)
      else assert.equal((await bodiesFile(folder, payload)).count, 1_024)
    }
  })
})
