// Fails when a file imports upward, sideways between siblings, or across the native border.
//   node scripts/check-imports.mjs [root]        root: the folder that holds src/ and native/, default the project's
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/**
 * The files of src/, lowest first, without `.ts`. A file imports only from earlier entries; `import type` counts. `x/*` is
 * every file below x/ that has no entry of its own; those stand on one level and never import each other.
 */
const ORDER = [
  'limits',
  'check-options',
  'mark',
  'error-text',
  'queue',
  'chain',
  'least-busy',
  'when-aborted',
  'route-table',
  'status',
  'here',
  'socket-options',
  'root-context',
  'clock',
  'log',
  'filter',
  'thenable',
  'standard-schema',
  'message-type',
  'close-reason',
  'names',
  'write-text',
  'compare-utf8',
  'json-depth',
  'json-scan',
  'status-json',
  'tally',
  'endpoint-stats',
  'overload/*',
  'meta',
  'message',
  'outgoing',
  'proto',
  'naming',
  'address',
  'timer-wheel',
  'aborts',
  'inherited',
  'announcement',
  'refusal',
  'pending',
  'call-options',
  'pending-call',
  'codec',
  'codecs/record',
  'codecs/protobuf/text',
  'codecs/protobuf/scalars',
  'codecs/protobuf/*',
  'codecs/protobuf/runtime',
  'codecs/decimal',
  'codecs/binary/*',
  'codecs/msgpack/*',
  'codecs/cbor/items',
  'codecs/cbor/*',
  'codecs/xml/scalars',
  'codecs/xml/*',
  'codecs/*',
  'codec-table',
  'filters/slices',
  'filters/zlib',
  'filters/*',
  'filter-table',
  'envelope',
  'transport',
  'ignore-wire',
  'first-to-connect',
  'untransferable',
  'failures',
  'guard',
  'transports/native/ring-layout',
  'native',
  'protos/bytes',
  'protos/foreign-line',
  'protos/raw',
  'protos/raw-pack',
  'protos/raw-unpack',
  'protos/raw-envelope',
  'protos/envelope',
  'protos/json/fields',
  'protos/json/*',
  'protos/json/layout',
  'protos/protobuf/fields',
  'protos/protobuf/*',
  'protos/http/refusal',
  'protos/http/date',
  'protos/http/byte-table',
  'protos/http/header-names',
  'protos/http/content-type',
  'protos/http/llhttp-wasm',
  'protos/http/llhttp',
  'protos/http/fields',
  'protos/http/cors',
  'protos/http/pages',
  'protos/http/*',
  'protos/http/reader',
  'protos/http/write',
  'protos/http/requests',
  'protos/http/responses',
  'protos/http/session',
  'protos/jsonrpc/json-bytes',
  'protos/jsonrpc/errors',
  'protos/jsonrpc/fields',
  'protos/jsonrpc/*',
  'protos/redis/*',
  'protos/*',
  'protos/cutters',
  'protos/framer',
  'proto-table',
  'wires/rest',
  'wires/frame-clock',
  'wires/idle-watch',
  'wires/proto-wire',
  'wires/*',
  'filtering/jobs',
  'filtering/layers',
  'filtering/*',
  'filtering/pipes',
  'transports/native/wire',
  'transports/system-error',
  'transports/native/core',
  'transports/native/cluster',
  'transports/js/*',
  'transports/js/net-listener',
  'transports/js/reading',
  'transports/js/writing',
  'transports/js/wire',
  'transports/*',
  'transports/choose',
  'session-socket',
  'session-views',
  'hook-timeout',
  'hooks',
  'hooked-messages',
  'plugin',
  'redial',
  'comeback',
  'rate-meter',
  'held-requests',
  'options',
  'life-hooks',
  'peering',
  'resume',
  'session-events',
  'first-word',
  'early',
  'draining',
  'resuming',
  'waiting-calls',
  'hooked-calls',
  'session',
  'context-age',
  'context',
  'router',
  'hooked-context',
  'requests',
  'admission',
  'replies',
  'handlers',
  'holding',
  'hooked-dispatch',
  'dispatcher',
  'dialling',
  'session-table',
  'endpoint',
  'multi-client',
  'plugins/body-cipher',
  'plugins/*',
  'index',
  'testing/random',
  'testing/virtual-time',
  'testing/settle',
  'testing/faults',
  'testing/trace',
  'testing/pipe',
  'testing/report',
  'testing/socket',
  'testing/link',
  'testing/host',
  'testing/network',
  'testing/index',
]

/** Files that only these may import. */
const ONLY_FOR = {
  native: ['transports/native', 'transports/native/core', 'transports/choose'],
}

/** What the C++ of a layer may not include: folders of native/, and headers of libraries by how their name begins. */
const NATIVE = {
  wire: { folders: ['io', 'node'], headers: /^(uv\b|napi|node|js_native_api|v8)/ },
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
  const sources = files(src, /\.[cm]?[jt]sx?$/)
  const problems = sources.flatMap((file) => checkSource(src, file))
  if (sources.length === 0) problems.push(`${src}: has no source files`)
  let natives = 0
  for (const layer of Object.keys(NATIVE)) {
    const found = files(resolve(root, 'native', layer), /\.(h|hpp|hh|inc|c|cc|cpp|cxx)$/)
    for (const file of found) problems.push(...checkNative(layer, file, slashes(relative(root, file))))
    natives += found.length
  }
  return { problems, summary: `imports are in order: ${sources.length} files in src/, ${natives} in native/wire and native/io` }
}

function checkSource(src, file) {
  const name = unit(src, file)
  const shown = `src/${slashes(relative(src, file))}`
  const problems = rankOf(name) < 0 ? ['has no place in the order, give it one in scripts/check-imports.mjs'] : []
  for (const { fileName: specifier } of ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles) {
    if (specifier === 'dmicro' || specifier.startsWith('dmicro/')) problems.push(`imports ${specifier}, which is the package itself`)
    else if (/^(\.|\/)/.test(specifier)) problems.push(...checkImport(name, unit(src, resolve(dirname(file), specifier))))
  }
  return problems.map((problem) => `${shown}: ${problem}`)
}

function checkImport(name, other) {
  if (other === name) return ['imports itself']
  if (other.startsWith('../')) return [`imports ${other.slice(3)}, which is outside src`]
  const problems = []
  const rank = rankOf(name)
  const otherRank = rankOf(other)
  if (otherRank < 0) problems.push(`imports ${other}, which has no place in the order`)
  else if (rank >= 0 && otherRank > rank) problems.push(`imports ${other}, which is above it`)
  else if (otherRank === rank) problems.push(`imports ${other}, which is a sibling`)
  const allowed = ONLY_FOR[other]
  if (allowed !== undefined && !allowed.includes(name)) problems.push(`imports ${other}, which is only for ${allowed.join(' and ')}`)
  return problems
}

/** Position in ORDER; an entry of its own wins over the longest `folder/*`. -1 when there is none. */
function rankOf(name) {
  const own = ORDER.indexOf(name)
  if (own >= 0) return own
  for (let folder = posix.dirname(name); folder !== '.' && folder !== '/'; folder = posix.dirname(folder)) {
    const rank = ORDER.indexOf(`${folder}/*`)
    if (rank >= 0) return rank
  }
  return -1
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

/** How ORDER names a file. */
function unit(src, file) {
  return slashes(relative(src, file)).replace(/\.[cm]?[jt]sx?$/, '')
}

function slashes(path) {
  return path.split(sep).join('/')
}
