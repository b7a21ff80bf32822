import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Keys, rangeEnd } from '../../../../../src/rpc/registry/etcd/keys.ts'
import { decodeValue, encodeValue } from '../../../../../src/rpc/registry/etcd/value.ts'
import type { Service } from '../../../../../src/rpc/registry/registry.ts'

interface Entry {
  key: string
  value: string
  valueBytes: number
}

const { entries } = JSON.parse(readFileSync(new URL('../../../../vectors/etcd.json', import.meta.url), 'utf8')) as { entries: Entry[] }
const keys = new Keys('/dmicro/registry/')

for (const { key, value, valueBytes } of entries) {
  test(`the key and the value of Go are read, and written byte for byte: ${key}`, () => {
    assert.equal(Buffer.byteLength(value), valueBytes)
    const { name, version, nodes } = JSON.parse(value) as Service
    const service = { name, version, metadata: {}, nodes }
    assert.equal(encodeValue(service, nodes[0]), value)
    assert.equal(keys.ofNode(name, nodes[0].id), key)
    const decoded = decodeValue(Buffer.from(value))
    const address = nodes[0].address.replace('[::]', 'localhost')
    assert.deepEqual(decoded, { name, records: [{ version, metadata: {}, node: { ...nodes[0], address } }] })
  })
}

test('a value is written as Go writes it: order, escapes, empty maps and lists', () => {
  const node = {
    id: 'a-1',
    address: '127.0.0.1:1',
    paths: [],
    metadata: { b: '<\u2028>&\u2029"\\', é: '\u0001\b\f\n\r\t\u007f', '10': 'x', '9': 'y', a: '\ud800' },
  }
  const service = { name: 'a', version: '', metadata: { 2: 'b', 10: 'a' }, nodes: [node] }
  const expected =
    '{"name":"a","version":"","metadata":{"10":"a","2":"b"},"nodes":[{"id":"a-1","address":"127.0.0.1:1","paths":[],"metadata":' +
    '{"10":"x","9":"y","a":"\ufffd","b":"\\u003c\\u2028\\u003e\\u0026\\u2029\\"\\\\","é":"\\u0001\\b\\f\\n\\r\\t\u007f"}}]}'
  assert.equal(encodeValue(service, node), expected)
  const bare = { ...node, paths: undefined, metadata: {} }
  assert.match(encodeValue({ ...service, metadata: {} }, bare), /"metadata":null,"nodes":\[\{.*"paths":null,"metadata":null\}\]\}$/)
})

test('what is no record of a service is not read', () => {
  const node = { id: 'a-1', address: '127.0.0.1:1', paths: [], metadata: {} }
  const service = { name: 'a', version: '1', metadata: {}, nodes: [node] }
  const bad: unknown[] = [
    null,
    7,
    'a',
    [],
    [service],
    {},
    { ...service, name: 7 },
    { ...service, name: undefined },
    { ...service, version: 1 },
    { ...service, metadata: 'a' },
    { ...service, metadata: ['a'] },
    { ...service, metadata: { a: 1 } },
    { ...service, metadata: { a: null } },
    { ...service, nodes: undefined },
    { ...service, nodes: {} },
    { ...service, nodes: [null] },
    { ...service, nodes: ['a'] },
    { ...service, nodes: Array(1000).fill(node) },
    ...[{ id: '' }, { id: 1 }, { address: '' }, { address: {} }, { paths: {} }, { paths: [1] }, { metadata: { a: true } }].map((wrong) => ({
      ...service,
      nodes: [{ ...node, ...wrong }],
    })),
  ]
  for (const value of bad) assert.equal(decodeValue(Buffer.from(JSON.stringify(value))), undefined, JSON.stringify(value))
  for (const text of ['', '{', '{"name":"a"', '\ufeff{}', '['.repeat(100_000), '\u0000'])
    assert.equal(decodeValue(Buffer.from(text)), undefined, text.slice(0, 20))
  assert.equal(decodeValue(Buffer.from([0xff, 0xfe, 0x00])), undefined)
  const long = { ...service, metadata: { a: 'x'.repeat(300_000) } }
  assert.equal(decodeValue(Buffer.from(JSON.stringify(long))), undefined)
  assert.notEqual(decodeValue(Buffer.from(JSON.stringify({ ...service, version: undefined, metadata: null, more: 1 }))), undefined)
})

test('names such as __proto__ are names like any other', () => {
  const value =
    '{"name":"__proto__","version":"__proto__","metadata":{"__proto__":"a","constructor":"b"},' +
    '"nodes":[{"id":"__proto__","address":"a:1","paths":null,"metadata":{"__proto__":"c"}}],"__proto__":{"polluted":1}}'
  const decoded = decodeValue(Buffer.from(value))
  assert.ok(decoded)
  assert.equal(decoded.name, '__proto__')
  const [{ metadata, node }] = decoded.records
  assert.deepEqual(Object.entries(metadata), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
  assert.deepEqual(Object.entries(node.metadata), [['__proto__', 'c']])
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  const written = encodeValue({ name: 'a', version: '', metadata, nodes: [node] }, node)
  assert.match(written, /"metadata":\{"__proto__":"a","constructor":"b"\}/)
})

test('prefixes are cleaned, and names that are no part of a path refused', () => {
  for (const prefix of ['/a/b/', 'a/b', '//a//./b//']) assert.equal(new Keys(prefix).ofNode('s/t', 'i/j'), '/a/b/s-t/i-j')
  for (const prefix of ['', '/']) assert.equal(new Keys(prefix).ofService('s'), '/s/')
  assert.throws(() => new Keys('a/../b'), TypeError)
  for (const name of ['', '.', '..']) {
    assert.throws(() => keys.ofService(name), TypeError)
    assert.throws(() => keys.ofNode('s', name), TypeError)
  }
  assert.equal(rangeEnd('/dmicro/registry/').toString(), '/dmicro/registry0')
})
