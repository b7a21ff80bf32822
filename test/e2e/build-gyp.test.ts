import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { buildAndCall, checkout, has, root } from '../support/addon-build.ts'

test('node-gyp builds the same sources without downloading anything', (t) => {
  if (!has('python3') || !has('make') || !has('c++')) return t.skip('no python3, make or C++ compiler')
  const nodedir = resolve(process.execPath, '../..')
  const output = buildAndCall(checkout(t), process.execPath, [
    join(root, 'node_modules/node-gyp/bin/node-gyp.js'),
    'rebuild',
    '--jobs=max',
    `--nodedir=${nodedir}`,
  ])
  assert.equal(output, '6 native')
})
