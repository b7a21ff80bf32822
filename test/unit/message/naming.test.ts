import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controllerName, functionName, groupPrefix, httpName, rpcName } from '../../../src/message/naming.ts'

const table: [name: string, http: string, rpc: string][] = [
  ['AaBb', '/aa_bb', 'AaBb'],
  ['ABcXYz', '/abc_xyz', 'ABcXYz'],
  ['Aa__Bb', '/aa_bb', 'Aa_Bb'],
  ['aa__bb', '/aa_bb', 'aa_bb'],
  ['ABC__XYZ', '/abc_xyz', 'ABC_XYZ'],
  ['Aa_Bb', '/aa/bb', 'Aa.Bb'],
  ['aa_bb', '/aa/bb', 'aa.bb'],
  ['ABC_XYZ', '/abc/xyz', 'ABC.XYZ'],
  ['AddFunc', '/add_func', 'AddFunc'],
  ['', '/', ''],
]
for (const [name, http, rpc] of table) {
  test(`${name || 'an empty name'} is ${http} and ${rpc || 'empty'}`, () => {
    assert.equal(httpName('', name), http)
    assert.equal(rpcName('', name), rpc)
  })
}

test('a prefix passes through, only the name is transformed', () => {
  assert.equal(httpName('AaBb', 'AaBb'), '/AaBb/aa_bb')
  assert.equal(rpcName('AaBb', 'AaBb'), 'AaBb.AaBb')
})

test('a controller method is named by type and method', () => {
  assert.equal(controllerName(httpName, groupPrefix(httpName), 'Math', 'AddFunc'), '/math/add_func')
  assert.equal(controllerName(rpcName, groupPrefix(rpcName), 'Math', 'AddFunc'), 'Math.AddFunc')
  assert.equal(controllerName(httpName, groupPrefix(httpName), 'MathPush', 'Add'), '/math_push/add')
  assert.equal(controllerName(rpcName, groupPrefix(rpcName), 'MathPush', 'Add'), 'MathPush.Add')
})

test('a group goes in front, and groups nest', () => {
  assert.equal(controllerName(httpName, groupPrefix(httpName, 'github'), 'Math', 'Add'), '/github/math/add')
  assert.equal(controllerName(rpcName, groupPrefix(rpcName, 'github'), 'Math', 'Add'), 'github.Math.Add')
  assert.equal(groupPrefix(httpName, 'v1', 'Pay'), '/v1/pay')
  assert.equal(groupPrefix(rpcName, 'v1', 'Pay'), 'v1.Pay')
})

test('a function is named by its own name and must have one', () => {
  assert.equal(functionName(httpName, groupPrefix(httpName), 'AddFunc'), '/add_func')
  assert.equal(functionName(rpcName, groupPrefix(rpcName, 'g'), 'AddFunc'), 'g.AddFunc')
  assert.throws(() => functionName(httpName, '/', ''), TypeError)
})

test('the mapper is called with a prefix and a name and nothing else', () => {
  const seen: unknown[][] = []
  const mapper = (...args: string[]): string => {
    seen.push(args)
    return args.join('|')
  }
  assert.equal(groupPrefix(mapper, 'a', 'b'), '||a|b')
  assert.deepEqual(seen, [
    ['', ''],
    ['|', 'a'],
    ['||a', 'b'],
  ])
})

// Captured from drpc.HTTPServiceMethodMapper and RPCServiceMethodMapper of the Go module.
const captured: [prefix: string, name: string, http: string, rpc: string][] = [
  ['', '_a', '/a', 'a'],
  ['', '__a', '/a', 'a'],
  ['', 'a_', '/a_', 'a_'],
  ['', 'a__', '/a_', 'a_'],
  ['', 'a___b', '/a_b', 'a_b'],
  ['', 'a____b', '/a_b', 'a_b'],
  ['', 'a_b_c__d', '/a/b/c_d', 'a.b.c_d'],
  ['', 'A1B', '/a1_b', 'A1B'],
  ['', 'éA', '/é_a', 'éA'],
  ['', 'ÉcΣİ', '/écσi', 'ÉcΣİ'],
  ['/x/', 'Y', '/x/y', '/x/.Y'],
  ['a/../b', 'C', '/b/c', 'a/../b.C'],
  ['..', '..', '/', ''],
  ['', 'a.b', '/a.b', 'a.b'],
  ['.a.', '.b.', '/.a./.b.', 'a...b'],
  ['', '/A//B/', '/a/b', '/A//B/'],
  ['', 'a\0_b', '/a\0b', 'a\0b'],
  ['', '_', '/', ''],
]
test('odd names come out as in Go', () => {
  for (const [prefix, name, http, rpc] of captured) {
    assert.equal(httpName(prefix, name), http, JSON.stringify([prefix, name]))
    assert.equal(rpcName(prefix, name), rpc, JSON.stringify([prefix, name]))
  }
})

test('a long name takes linear time', () => {
  const start = performance.now()
  for (const unit of ['_', '.', 'A', 'Aa_', './', 'a__']) {
    httpName('', unit.repeat(100_000))
    rpcName('', `${unit.repeat(100_000)}x`)
  }
  const took = performance.now() - start
  assert.ok(took < 2000, `${took} ms`)
})
