import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildAndCall, checkout, has, root } from '../support/addon-build.ts'

test('cmake-js builds the addon without downloading anything', (t) => {
  if (!has('cmake') || !has('c++')) return t.skip('no cmake or C++ compiler')
  const output = buildAndCall(checkout(t), process.execPath, [join(root, 'node_modules/cmake-js/bin/cmake-js'), 'compile'])
  assert.equal(output, '6 native')
})
