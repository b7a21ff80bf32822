import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { applicationFiles } from '../../../src/dmctl/new/files.ts'

// What ARCHITECTURE.md and the guides say of the tree holds: paths exist, classes and functions have these names, rooms stand in the order of imports.

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (name: string): string => readFileSync(join(root, name), 'utf8')

function filesIn(folder: string, kinds: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => kinds.test(name))
    .map((name) => `${folder}/${name}`)
}

const made = applicationFiles({ name: 'shop', version: '0.1.0', language: 'ts' })
const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...filesIn('docs', /\.md$/)]
const sources = [...filesIn('src', /\.ts$/), ...filesIn('native', /\.(h|cc)$/)]
const rooms = [...read('ARCHITECTURE.md').matchAll(/^\| (\w+) \| .* \| `(src\/[\w./-]+)` \|$/gm)].map(([, room, file]) => ({ room, file }))

test('every path of the tree in ARCHITECTURE.md and docs exists', () => {
  let seen = 0
  for (const page of pages) {
    for (const [, path] of read(page).matchAll(/(?<![\w/.-])((?:src|native|test|scripts|bench|examples|docs)\/[\w./-]*\w\/?)/g)) {
      seen++
      // That page is about an application of its own.
      const exists = basename(page) === 'quickstart.md' && /^(src|dist)\//.test(path) ? path in made : existsSync(join(root, path))
      assert.ok(exists, `${page}: ${path}`)
    }
    for (const [, name] of read(page).matchAll(/`([\w-]+\.(?:ts|cc|h))`/g))
      assert.ok(sources.some((file) => basename(file) === name), `${page}: no file is named ${name}`) // biome-ignore format: one line
  }
  assert.ok(seen > 60, `${seen} paths`)
})

test('the rooms of ARCHITECTURE.md are the folders of src/, each begins at a file of its own, and none imports from below', () => {
  const order = rooms.map(({ room }) => room)
  const found = readdirSync(join(root, 'src')).map((name) => name.replace('.ts', ''))
  assert.deepEqual(order.toSorted(), found.toSorted())
  for (const { room, file } of rooms) assert.match(file, new RegExp(`^src/${room}(/|\\.ts$)`))
  for (const file of sources.filter((name) => name.startsWith('src/'))) {
    for (const [, other] of read(file).matchAll(/(?:from|import) '(\.[^']+)'/g)) {
      const target = join(file, '..', other)
      const [from, to] = [file, target].map((path) => order.indexOf(path.split('/')[1].replace('.ts', '')))
      assert.ok(to <= from, `${file} imports ${target}, which ARCHITECTURE.md puts below it`)
    }
  }
})

/** Whether a class of TypeScript, or one that it extends, has a member of this name. */
function hasMember(texts: readonly string[], name: string, member: string): boolean {
  for (const text of texts) {
    const declared = new RegExp(`\\b(?:class|interface) ${name}\\b(?:[^{]* extends (\\w+))?`).exec(text)
    if (declared === null) continue
    if (new RegExp(`^ +(?:[a-z]+ )*${member}[(<:!?]`, 'm').test(text.slice(declared.index))) return true
    if (declared[1] !== undefined && hasMember(texts, declared[1], member)) return true
  }
  return false
}

test('every class, function and member that ARCHITECTURE.md names is in the sources', () => {
  const texts = sources.map(read)
  const spans = [...read('ARCHITECTURE.md').matchAll(/`([A-Z]\w+)(?:(\.|::)(#?\w+))?`/g)]
  assert.ok(spans.length > 60, `${spans.length} names`)
  for (const [span, name, dot, member] of spans) {
    assert.ok(texts.some((text) => new RegExp(`\\b${name}\\b`).test(text)), span) // biome-ignore format: one line
    if (dot === '.') assert.ok(hasMember(texts, name, member), span)
    if (dot === '::') assert.ok(texts.some((text) => text.includes(`${name}::${member}(`)), span) // biome-ignore format: one line
  }
  for (const [span, name] of read('ARCHITECTURE.md').matchAll(/`([a-z]\w*[A-Z]\w*)`/g))
    assert.ok(texts.some((text) => new RegExp(`\\b${name}\\b`).test(text)), span) // biome-ignore format: one line
})

test('README.md and ARCHITECTURE.md stay short, and prose of all pages within 120 columns', () => {
  for (const page of ['README.md', 'ARCHITECTURE.md']) assert.ok(read(page).split('\n').length <= 151, page)
  for (const page of pages) {
    // Tables may be wider; docs/compatibility.md and parts of docs/benchmarks.md are generated.
    if (page === 'docs/compatibility.md' || page === 'docs/benchmarks.md') continue
    for (const [i, line] of read(page).split('\n').entries())
      assert.ok(line.length <= 120 || line.startsWith('|'), `${page}:${i + 1}: ${line.length} columns`)
  }
})
