import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const script = join(import.meta.dirname, '../../scripts/check-imports.mjs')
const { checkTree } = (await import(pathToFileURL(script).href)) as {
  checkTree(root: string): { problems: string[]; summary: string }
}

/** Calls `use` with the root of a tree made of `files`, path to content. */
function withTree<T>(files: Record<string, string>, use: (root: string) => T): T {
  const root = mkdtempSync(join(tmpdir(), 'dmicro-imports-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return use(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

const problems = (files: Record<string, string>): string[] => withTree(files, (root) => checkTree(root).problems)

test('the command prints the problems and exits with 1, or prints one line and exits with 0', () => {
  const run = (root: string) => spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
  const bad = withTree({ 'src/base/limits.ts': "import './endpoint.ts'\n", 'src/endpoint/endpoint.ts': '' }, run)
  assert.deepEqual([bad.status, bad.stdout, bad.stderr], [1, '', 'src/base/limits.ts: imports endpoint, which is above it\n'])
  const good = withTree({ 'src/base/limits.ts': '' }, run)
  assert.deepEqual(
    [good.status, good.stdout, good.stderr],
    [0, 'imports are in order: 1 files in src/, 0 in native/wire and native/io\n', ''],
  )
})

test('a tree in order passes', () => {
  const found = problems({
    'src/base/limits.ts': "import { x } from 'node:fs'\nexport const a = x\n",
    'src/base/errors/status.ts':
      "import { a } from './limits.ts'\n// import { b } from './endpoint.ts'\nexport const b = \"import './endpoint.ts'\" + a\n",
    'src/codecs/json.ts': "import type { b } from '../status.ts'\nexport type B = typeof b\n",
    'src/transports/native.ts': "import '../native.ts'\n",
    'src/transports/native/addon.ts': '',
    'src/endpoint/endpoint.ts': "export * from './status.ts'\nawait import('./codecs/json.ts')\n",
    'native/wire/a.h': '#include <vector>\n#include "wire/b.h"\n// #include <uv.h>\n/*\n#include <napi.h>\n*/\n',
    'native/io/a.cc': '#include <uv.h>\n#include "wire/a.h"\n#include "io/b.h"\n',
    'native/node/a.cc': '#include <napi.h>\n#include "io/a.h"\n',
  })
  assert.deepEqual(found, [])
})

test('the project itself passes', () => {
  assert.deepEqual(checkTree(join(import.meta.dirname, '../..')).problems, [])
})

test('an upward import fails in every form it can take', () => {
  const upward: Record<string, string> = {
    'src/base/limits.ts': "import { Endpoint } from './endpoint.ts'\n",
    'src/base/errors/status.ts': "import type { Endpoint } from './endpoint.ts'\n",
    'src/base/log.ts': "export { Endpoint } from './endpoint.ts'\n",
    'src/message/message.ts': "export * from './endpoint.ts'\n",
    'src/message/names.ts': "import './endpoint.ts'\n",
    'src/message/meta.ts': "const x = await import('./endpoint.ts')\n",
    'src/message/naming.ts': "let x: import('./endpoint.ts').Endpoint\n",
    'src/transports/address.ts': "import { type Endpoint } from './endpoint'\n",
    'src/codecs/json.ts': "import {\n  Endpoint,\n} from '../endpoint.ts'\n",
  }
  const found = problems({ ...upward, 'src/endpoint/endpoint.ts': 'export class Endpoint {}\n' })
  assert.deepEqual(
    found.sort(),
    Object.keys(upward)
      .map((file) => `${file}: imports endpoint, which is above it`)
      .sort(),
  )
})

test('siblings may not import each other, nor a file itself', () => {
  const found = problems({
    'src/codecs/json.ts': "import './plain.ts'\n",
    'src/codecs/plain.ts': "import './plain.ts'\n",
  })
  assert.deepEqual(found, ['src/codecs/json.ts: imports codecs/plain, which is a sibling', 'src/codecs/plain.ts: imports itself'])
})

test('nobody imports index, by its path or by the name of the package', () => {
  const found = problems({ 'src/index.ts': '', 'src/endpoint/endpoint.ts': "import './index.ts'\nimport 'dmicro'\n" })
  assert.deepEqual(found, [
    'src/endpoint/endpoint.ts: imports index, which is above it',
    'src/endpoint/endpoint.ts: imports dmicro, which is the package itself',
  ])
})

test('native is only for the native transport and the chooser', () => {
  const found = problems({
    'src/transports/native/addon.ts': '',
    'src/transports/choose.ts': "import '../native.ts'\n",
    'src/endpoint/endpoint.ts': "import './native.ts'\n",
  })
  assert.deepEqual(found, [
    'src/endpoint/endpoint.ts: imports native, which is only for transports/native and transports/native/core and transports/choose',
  ])
})

test('a file without a place in the order fails', () => {
  const found = problems({ 'src/stray.ts': '', 'src/deep/stray.ts': '' })
  assert.deepEqual(found, [
    'src/deep/stray.ts: has no place in the order, give it one in scripts/check-imports.mjs',
    'src/stray.ts: has no place in the order, give it one in scripts/check-imports.mjs',
  ])
})

test('an import that leaves src fails', () => {
  const found = problems({ 'src/base/limits.ts': "import '../test/helpers.ts'\n" })
  assert.deepEqual(found, ['src/base/limits.ts: imports test/helpers, which is outside src'])
})

test('native layers may not include what is above them', () => {
  const found = problems({
    'src/base/limits.ts': '',
    'native/wire/a.h': '#include <uv.h>\n#include "uv.h"\n  #  include <napi.h>\n#include <node_api.h>\n#include <uv/unix.h>\n',
    'native/wire/b.cc': '#include "io/reactor.h"\n#include "../io/reactor.h"\n#include "../node/addon.h"\n#include NAME\n',
    'native/io/c.cc': '#include <uv.h>\n#include "node/addon.h"\n#include <napi.h>\n#include <js_native_api.h>\n',
  })
  assert.deepEqual(found, [
    ...['uv.h', 'uv.h', 'napi.h', 'node_api.h', 'uv/unix.h'].map(
      (header) => `native/wire/a.h: includes ${header}, which is above native/wire`,
    ),
    ...['io/reactor.h', '../io/reactor.h', '../node/addon.h'].map(
      (header) => `native/wire/b.cc: includes ${header}, which is above native/wire`,
    ),
    'native/wire/b.cc: includes NAME, which cannot be checked',
    ...['node/addon.h', 'napi.h', 'js_native_api.h'].map((header) => `native/io/c.cc: includes ${header}, which is above native/io`),
  ])
})

test('a root without sources fails rather than pass by mistake', () => {
  assert.equal(problems({}).length, 1)
})
