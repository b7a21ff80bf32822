import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const script = join(import.meta.dirname, '../../../scripts/check-imports.mjs')
const { ROOMS, checkTree } = (await import(pathToFileURL(script).href)) as {
  ROOMS: string[]
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
  const bad = withTree({ 'src/base/limits.ts': "import '../endpoint/endpoint.ts'\n", 'src/endpoint/endpoint.ts': '' }, run)
  assert.deepEqual([bad.status, bad.stdout, bad.stderr], [1, '', 'src/base/limits.ts: imports endpoint/endpoint, which is above it\n'])
  const good = withTree({ 'src/base/limits.ts': '' }, run)
  assert.deepEqual(
    [good.status, good.stdout, good.stderr],
    [0, 'imports are in order: 1 files in src/, 0 in native/ below native/node\n', ''],
  )
})

test('a tree in order passes', () => {
  const found = problems({
    'src/base/limits.ts': "import { x } from 'node:fs'\nexport const a = x\n",
    'src/base/errors/status.ts':
      "import { a } from '../limits.ts'\n// import { b } from '../../endpoint/endpoint.ts'\nexport const b = \"import '../../endpoint/endpoint.ts'\" + a\n",
    'src/codecs/json.ts': "import type { b } from '../base/errors/status.ts'\nexport type B = typeof b\n",
    'src/transports/native.ts': "import './native/addon.ts'\n",
    'src/transports/native/addon.ts': '',
    'src/endpoint/endpoint.ts': "export * from '../base/errors/status.ts'\nawait import('../codecs/json.ts')\n",
    'src/index.ts': "export * from './endpoint/endpoint.ts'\n",
    'native/wire/a.h': '#include <vector>\n#include "wire/b.h"\n// #include <uv.h>\n/*\n#include <napi.h>\n*/\n',
    'native/io/a.cc': '#include <uv.h>\n#include "wire/a.h"\n#include "io/b.h"\n',
    'native/node/a.cc': '#include <napi.h>\n#include "io/a.h"\n',
  })
  assert.deepEqual(found, [])
})

test('the project itself passes, and has every room of the list', () => {
  const project = join(import.meta.dirname, '../../..')
  assert.deepEqual(checkTree(project).problems, [])
  const entries = readdirSync(join(project, 'src'), { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  assert.deepEqual(folders.sort(), [...ROOMS].sort())
})

test('an import of a later room fails in every form it can take', () => {
  const upward: Record<string, string> = {
    'src/base/limits.ts': "import { Endpoint } from '../endpoint/endpoint.ts'\n",
    'src/base/errors/status.ts': "import type { Endpoint } from '../../endpoint/endpoint.ts'\n",
    'src/base/log.ts': "export { Endpoint } from '../endpoint/endpoint.ts'\n",
    'src/message/message.ts': "export * from '../endpoint/endpoint.ts'\n",
    'src/message/names.ts': "import '../endpoint/endpoint.ts'\n",
    'src/message/meta.ts': "const x = await import('../endpoint/endpoint.ts')\n",
    'src/message/naming.ts': "let x: import('../endpoint/endpoint.ts').Endpoint\n",
    'src/transports/address.ts': "import { type Endpoint } from '../endpoint/endpoint'\n",
    'src/codecs/json.ts': "import {\n  Endpoint,\n} from '../endpoint/endpoint.ts'\n",
    'src/session/session.ts': "import '../endpoint/endpoint.js'\n",
  }
  const found = problems({ ...upward, 'src/endpoint/endpoint.ts': 'export class Endpoint {}\n' })
  assert.deepEqual(
    found.sort(),
    Object.keys(upward)
      .map((file) => `${file}: imports endpoint/endpoint, which is above it`)
      .sort(),
  )
})

test('each room may import all before it and none behind it', () => {
  assert.ok(ROOMS.length > 10)
  const ends = ['observe', 'testing', 'browser'] // nothing imports these at all
  for (const [rank, room] of ROOMS.entries()) {
    if (ends.includes(room)) continue
    const others = ROOMS.filter((other) => other !== room && !ends.includes(other))
    const text = others.map((other) => `import '../${other}/x.ts'\n`).join('')
    const found = problems({ [`src/${room}/y.ts`]: text, ...Object.fromEntries(others.map((other) => [`src/${other}/x.ts`, ''])) })
    const above = others.filter((other) => ROOMS.indexOf(other) > rank)
    assert.deepEqual(
      found,
      above.map((other) => `src/${room}/y.ts: imports ${other}/x, which is above it`),
    )
  }
})

test('a circle within a room fails, whatever its length, its folders and the kinds of its imports', () => {
  const two = problems({ 'src/session/a.ts': "import './b.ts'\n", 'src/session/b.ts': "import type { A } from './a.ts'\n" })
  assert.deepEqual(two, ['src/session/b.ts: closes a circle of imports: session/a > session/b > session/a'])
  const four = problems({
    'src/session/a.ts': "export * from './b.ts'\n",
    'src/session/b.ts': "import './parts/c.ts'\nimport './leaf.ts'\n",
    'src/session/leaf.ts': '',
    'src/session/parts/c.ts': "let x: import('./d.ts').D\n",
    'src/session/parts/d.ts': "await import('../b.ts')\n",
  })
  assert.deepEqual(four, ['src/session/parts/d.ts: closes a circle of imports: session/b > session/parts/c > session/parts/d > session/b'])
  const both = problems({
    'src/endpoint/a.ts': "import './b.ts'\n",
    'src/endpoint/b.ts': "import './a.ts'\nimport './c.ts'\n",
    'src/endpoint/c.ts': "import './b.ts'\n",
  })
  assert.deepEqual(both, [
    'src/endpoint/b.ts: closes a circle of imports: endpoint/a > endpoint/b > endpoint/a',
    'src/endpoint/c.ts: closes a circle of imports: endpoint/b > endpoint/c > endpoint/b',
  ])
})

test('many ways to the same file are no circle', () => {
  const found = problems({
    'src/session/a.ts': "import './b.ts'\nimport './c.ts'\nimport './d.ts'\nimport './d.ts'\n",
    'src/session/b.ts': "import './d.ts'\n",
    'src/session/c.ts': "import './b.ts'\nimport './d.ts'\n",
    'src/session/d.ts': '',
  })
  assert.deepEqual(found, [])
})

test('siblings may not import each other nor what belongs to one, nor a file itself', () => {
  const found = problems({
    'src/codecs/json.ts': "import './plain.ts'\nimport './xml/reader.ts'\nimport './record.ts'\nimport './json/own.ts'\n",
    'src/codecs/json/own.ts': "import '../msgpack.ts'\nimport '../record.ts'\n",
    'src/codecs/msgpack.ts': '',
    'src/codecs/plain.ts': "import './plain.ts'\n",
    'src/codecs/record.ts': '',
    'src/codecs/xml/reader.ts': '',
    'src/filters/gzip.ts': "import './md5.ts'\n",
    'src/filters/md5.ts': '',
    'src/overload/fair-queue.ts': "import './drain-rate.ts'\n",
    'src/overload/drain-rate.ts': '',
    'src/plugins/auth.ts': "import './events.ts'\n",
    'src/plugins/events.ts': '',
    'src/protos/http/reader.ts': "import '../json/fields.ts'\n",
    'src/protos/json/fields.ts': "import '../proto.ts'\n",
    'src/protos/proto.ts': '',
  })
  assert.deepEqual(found, [
    'src/codecs/json.ts: imports codecs/plain, which is a sibling',
    'src/codecs/json.ts: imports codecs/xml/reader, which is a sibling',
    'src/codecs/json/own.ts: imports codecs/msgpack, which is a sibling',
    'src/codecs/plain.ts: imports itself',
    'src/filters/gzip.ts: imports filters/md5, which is a sibling',
    'src/overload/fair-queue.ts: imports overload/drain-rate, which is a sibling',
    'src/plugins/auth.ts: imports plugins/events, which is a sibling',
    'src/protos/http/reader.ts: imports protos/json/fields, which is a sibling',
  ])
})

test('nobody imports index, by its path or by the name of the package', () => {
  const found = problems({
    'src/index.ts': '',
    'src/endpoint/endpoint.ts': "import '../index.ts'\nimport 'dmicro'\n",
    'src/testing/index.ts': "import '../index.ts'\nimport 'dmicro/testing'\n",
  })
  assert.deepEqual(found, [
    'src/endpoint/endpoint.ts: imports dmicro, which is the package itself',
    'src/endpoint/endpoint.ts: imports index, which is above it',
    'src/testing/index.ts: imports dmicro/testing, which is the package itself',
    'src/testing/index.ts: imports index, which is above it',
  ])
})

test('native is only for the native transport, the chooser and the supervisor', () => {
  const found = problems({
    'src/transports/native/addon.ts': '',
    'src/transports/native/core.ts': "import './addon.ts'\n",
    'src/transports/native/cluster.ts': "import './addon.ts'\n",
    'src/transports/native.ts': "import './native/addon.ts'\n",
    'src/transports/choose.ts': "import './native/addon.ts'\n",
    'src/transports/js.ts': "import './native/addon.ts'\n",
    'src/endpoint/endpoint.ts': "import '../transports/native/addon.ts'\n",
    'src/index.ts': "import './transports/native/addon.ts'\n",
  })
  const only =
    'which is only for transports/native and transports/native/core and transports/choose and transports/handover/environment and dserver/os/native'
  assert.deepEqual(found, [
    `src/endpoint/endpoint.ts: imports transports/native/addon, ${only}`,
    `src/index.ts: imports transports/native/addon, ${only}`,
    `src/transports/js.ts: imports transports/native/addon, ${only}`,
    `src/transports/native/cluster.ts: imports transports/native/addon, ${only}`,
  ])
})

test('the transports are only for the chooser', () => {
  const found = problems({
    'src/transports/choose.ts': "import './js.ts'\nimport './native.ts'\n",
    'src/transports/js.ts': '',
    'src/transports/native.ts': "import './js.ts'\n",
    'src/endpoint/endpoint.ts': "import '../transports/native.ts'\nimport '../transports/js.ts'\n",
  })
  assert.deepEqual(found, [
    'src/endpoint/endpoint.ts: imports transports/native, which is only for transports/choose',
    'src/endpoint/endpoint.ts: imports transports/js, which is only for transports/choose',
    'src/transports/native.ts: imports transports/js, which is only for transports/choose',
  ])
})

test('what is for tests is not a part of the package’s main entry', () => {
  const found = problems({
    'src/testing/network.ts': '',
    'src/testing/index.ts': "import './network.ts'\n",
    'src/index.ts': "export * from './testing/network.ts'\n",
  })
  assert.deepEqual(found, ['src/index.ts: imports testing/network, which is only for testing itself'])
})

test('a file that is in no room fails, and so does who imports it', () => {
  const found = problems({
    'src/stray.ts': '',
    'src/deep/stray.ts': '',
    'src/base.ts': '',
    'src/index/stray.ts': '',
    'src/base/log.ts': "import '../stray.ts'\nimport '../deep/stray.ts'\n",
  })
  assert.deepEqual(found, [
    'src/base.ts: is in no room, name its folder in scripts/check-imports.mjs',
    'src/base/log.ts: imports stray, which is in no room',
    'src/base/log.ts: imports deep/stray, which is in no room',
    'src/deep/stray.ts: is in no room, name its folder in scripts/check-imports.mjs',
    'src/index/stray.ts: is in no room, name its folder in scripts/check-imports.mjs',
    'src/stray.ts: is in no room, name its folder in scripts/check-imports.mjs',
  ])
})

test('more than 20 rooms fail', () => {
  assert.ok(ROOMS.length <= 20)
  const tree = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`src/room${i}/deep/x.ts`, '']))
  assert.equal(problems(tree(21))[0], 'src: has 21 rooms, at most 20 are allowed')
  assert.doesNotMatch(problems(tree(20)).join('\n'), /rooms/)
})

test('an import that leaves src fails', () => {
  const found = problems({ 'src/base/limits.ts': "import '../../test/helpers.ts'\n", 'src/index.ts': "import '../test/helpers.ts'\n" })
  assert.deepEqual(found, [
    'src/base/limits.ts: imports test/helpers, which is outside src',
    'src/index.ts: imports test/helpers, which is outside src',
  ])
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
