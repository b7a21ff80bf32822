// Fails when a file imports from a later room, in a circle, from a sibling, or across the native border.
//   node scripts/check-imports.mjs [root]        root: the folder that holds src/ and native/, default the project's
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/**
 * The rooms: the folders of src/, lowest first. A file imports from its own room and from earlier ones; `import type`
 * counts. Within a room the imports form no circle. `src/index.ts` stands above all rooms, and there is no other file
 * beside them.
 */
export const ROOMS = [
  'base',
  'message',
  'codecs',
  'filters',
  'wire',
  'transports',
  'filtering',
  'protos',
  'hooks',
  'overload',
  'contract',
  'session',
  'endpoint',
  'plugins',
  'rpc',
  'observe',
  'dserver',
  'dmctl',
  'testing',
  'browser',
]

/** More folders than this at the top of src/ are no longer taken in at a glance. */
const MAX_ROOMS = 20

/**
 * Rooms of interchangeable things, and such a folder within a room: what belongs to one of them, `json.ts` and `json/`,
 * never imports what belongs to another, so that each can be read, replaced or removed alone. What all of the room
 * share, or what puts them together, is listed.
 */
const SHARED = {
  codecs: ['binary', 'built-in', 'codec', 'codec-table', 'decimal', 'record'],
  filters: ['filter-table', 'slices', 'zlib'],
  protos: ['built-in', 'connection', 'foreign-line', 'prepare', 'proto', 'proto-table', 'websocket'],
  overload: ['admission'],
  plugins: ['body-cipher'],
  'rpc/registry': ['registry', 'snapshots', 'record', 'errors'],
}

/** Files and rooms that, apart from the room's own files, only these may import. */
const ONLY_FOR = {
  'transports/native/addon': [
    'transports/native',
    'transports/native/core',
    'transports/choose',
    'transports/handover/environment',
    'dserver/os/native',
  ],
  'transports/native': ['transports/choose'],
  'transports/js': ['transports/choose'],
  observe: [],
  dmctl: [],
  testing: [],
  browser: [],
}

/**
 * Includes that the C++ of a layer may not have: folders of native/, and headers of libraries by how their name begins.
 */
const NATIVE = {
  wire: { folders: ['layer', 'kcp', 'io', 'node'], headers: /^(uv\b|napi|node|js_native_api|v8)/ },
  layer: { folders: ['kcp', 'io', 'node'], headers: /^(uv\b|napi|node|js_native_api|v8)/ },
  kcp: { folders: ['io', 'node'], headers: /^(uv\b|napi|node|js_native_api|v8)/ },
  io: { folders: ['node'], headers: /^(napi|node|js_native_api|v8)/ },
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { problems, summary } = checkTree(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'))
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
  else console.log(summary)
}

/** One line for each problem under `root`, and one that sums up when there is none. */
export function checkTree(root) {
  const src = resolve(root, 'src')
  const imports = new Map(files(src, /\.[cm]?[jt]sx?$/).map((file) => [slashes(relative(src, file)), importsOf(src, file)]))
  const problems = checkRooms(imports.keys())
  for (const [file, specifiers] of imports) problems.push(...checkSource(file, specifiers))
  problems.push(...checkCircles(imports))
  if (imports.size === 0) problems.push(`${src}: has no source files`)
  let natives = 0
  for (const layer of Object.keys(NATIVE)) {
    const found = files(resolve(root, 'native', layer), /\.(h|hpp|hh|inc|c|cc|cpp|cxx)$/)
    for (const file of found) problems.push(...checkNative(layer, file, slashes(relative(root, file))))
    natives += found.length
  }
  return { problems, summary: `imports are in order: ${imports.size} files in src/, ${natives} in native/ below native/node` }
}

/**
 * The imports of a file: units of src/, which begin with `../` when they are outside, and packages under `packages`.
 */
function importsOf(src, file) {
  const specifiers = ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName)
  const isPath = (specifier) => /^(\.|\/)/.test(specifier)
  return {
    packages: specifiers.filter((specifier) => !isPath(specifier)),
    units: specifiers.filter(isPath).map((specifier) => unit(slashes(relative(src, resolve(dirname(file), specifier))))),
  }
}

function checkRooms(names) {
  const rooms = new Set([...names].filter((name) => name.includes('/')).map(topOf))
  return rooms.size > MAX_ROOMS ? [`src: has ${rooms.size} rooms, at most ${MAX_ROOMS} are allowed`] : []
}

function checkSource(file, { packages, units }) {
  const name = unit(file)
  const problems = rankOf(name) < 0 ? ['is in no room, name its folder in scripts/check-imports.mjs'] : []
  for (const specifier of packages)
    if (specifier === 'dmicro' || specifier.startsWith('dmicro/')) problems.push(`imports ${specifier}, which is the package itself`)
  for (const other of units) problems.push(...checkImport(name, other))
  return problems.map((problem) => `src/${file}: ${problem}`)
}

function checkImport(name, other) {
  if (other === name) return ['imports itself']
  if (other.startsWith('../')) return [`imports ${other.slice(3)}, which is outside src`]
  const problems = []
  const rank = rankOf(name)
  const otherRank = rankOf(other)
  if (otherRank < 0) problems.push(`imports ${other}, which is in no room`)
  else if (rank >= 0 && otherRank > rank) problems.push(`imports ${other}, which is above it`)
  else if (otherRank === rank && areSiblings(name, other)) problems.push(`imports ${other}, which is a sibling`)
  for (const guarded of [other, topOf(other)]) {
    const allowed = ONLY_FOR[guarded]
    if (allowed === undefined || allowed.includes(name) || topOf(name) === guarded) continue
    problems.push(`imports ${other}, which is only for ${allowed.join(' and ') || `${guarded} itself`}`)
  }
  return problems
}

/** Whether two files of one room belong to different ones of its interchangeable things. */
function areSiblings(name, other) {
  return Object.entries(SHARED).some(([folder, shared]) => {
    if (!name.startsWith(`${folder}/`) || !other.startsWith(`${folder}/`)) return false
    const [own, others] = [name, other].map((path) => path.slice(folder.length + 1).split('/')[0])
    return own !== others && !shared.includes(own) && !shared.includes(others)
  })
}

/** One problem for each import that closes a circle. */
function checkCircles(imports) {
  const graph = new Map([...imports].map(([file, { units }]) => [unit(file), { file, units }]))
  const problems = []
  const done = new Set()
  const path = []
  const visit = (name) => {
    path.push(name)
    for (const other of new Set(graph.get(name).units)) {
      if (other === name || !graph.has(other) || done.has(other)) continue
      const start = path.indexOf(other)
      if (start < 0) visit(other)
      else problems.push(`src/${graph.get(name).file}: closes a circle of imports: ${[...path.slice(start), other].join(' > ')}`)
    }
    path.pop()
    done.add(name)
  }
  for (const name of graph.keys()) if (!done.has(name)) visit(name)
  return problems
}

/** Position of a file's room, above all of them for index. -1 when it is in none. */
function rankOf(name) {
  if (name === 'index') return ROOMS.length
  return name.includes('/') ? ROOMS.indexOf(topOf(name)) : -1
}

function topOf(name) {
  return name.split('/')[0]
}

function checkNative(layer, file, shown) {
  const { folders, headers } = NATIVE[layer]
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const problems = []
  for (const [, operand] of text.matchAll(/^[ \t]*#[ \t]*(?:include|import|include_next)\b[ \t]*(.*)$/gm)) {
    const header = /^[<"]([^>"]+)[>"]/.exec(operand)?.[1]
    if (header === undefined) {
      problems.push(`${shown}: includes ${operand}, which cannot be checked`)
      continue
    }
    // "io/x.h" is meant from native/, "../io/x.h" from the file itself.
    const paths = [header, posix.relative('native', posix.join(posix.dirname(shown), header))]
    const crosses = headers.test(header) || paths.some((path) => folders.some((folder) => posix.normalize(path).startsWith(`${folder}/`)))
    if (crosses) problems.push(`${shown}: includes ${header}, which is above native/${layer}`)
  }
  return problems
}

function files(folder, pattern) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

/** Path of a file below src/ without its extension. */
function unit(file) {
  return file.replace(/\.[cm]?[jt]sx?$/, '')
}

function slashes(path) {
  return path.split(sep).join('/')
}
