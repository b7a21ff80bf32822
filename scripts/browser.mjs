// Makes dist/browser.js, the code of sessions in one file that needs nothing of Node.js, and dist/contract/browser.js,
// that of contracts. Modules that need Node.js are replaced by stand-ins, which lie in src/browser/stand-ins/.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { build } from 'esbuild'
import { minify } from 'terser'
import ts from 'typescript'

/** Stand-ins, and the modules of src/ and of Node.js that they replace. */
const STAND_INS = {
  absent: [
    'base/errors/error-text',
    'base/json/read',
    'base/json/write',
    'filtering/pipes',
    'filters/filter-table',
    'hooks/session-socket',
    'message/body-size',
    'message/is-first-word',
    'protos/connection/protocol-detector',
    'protos/prepare',
    'session/early-messages',
    'session/request-counts',
    'session/retry-counts',
    'session/takeover',
    'transports/first-to-connect',
    'transports/resolve',
    'transports/socket-options',
    'wire/raw-envelope',
  ],
  address: ['transports/address'],
  contexts: ['base/async/root-context', 'base/async/call-context', 'base/here', 'base/lent-memory'],
  endpoint: [
    'endpoint/acceptor',
    'endpoint/connect-options',
    'endpoint/listeners',
    'overload/admission',
    'overload/settings',
    'transports/choose',
    'protos/websocket/load',
  ],
  'json-scan': ['base/text/json-scan'],
  log: ['base/log'],
  naming: ['message/naming'],
  node: ['base/builtin', 'async_hooks', 'buffer', 'events', 'perf_hooks', 'timers', 'util'],
  path: ['path'],
  plugin: ['hooks/plugin', 'endpoint/hooked-dispatch', 'session/hooked-calls'],
  'reconnect-schedule': ['session/reconnect-schedule'],
  sleep: ['base/time/sleep'],
  'status-json': ['message/status-json'],
  tables: ['codecs/built-in', 'protos/proto-table'],
}

/** The outputs of esbuild: the files and their source maps. */
export async function browserBundle(root, out) {
  const src = join(root, 'src')
  const folder = join(src, 'browser', 'stand-ins')
  const standIns = new Map(Object.entries(STAND_INS).flatMap(([file, names]) => names.map((name) => [name, join(folder, `${file}.ts`)])))
  const numbers = new Map(NUMBERS.flatMap(([file, name]) => numbersOf(join(src, `${file}.ts`), name)))
  const plugin = {
    name: 'stand-ins',
    setup({ onResolve, onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => ({ contents: inlined(readFileSync(path, 'utf8'), numbers), loader: 'ts' }))
      onResolve({ filter: /^(?:\.|node:)/ }, ({ path, resolveDir, importer }) => {
        const name = path.startsWith('node:')
          ? path.slice('node:'.length)
          : relative(src, join(resolveDir, path)).split(sep).join('/').replace(/\.ts$/, '')
        const found = standIns.get(name)
        return found === undefined || found === importer ? undefined : { path: found }
      })
    },
  }
  const options = {
    absWorkingDir: root,
    entryPoints: [join(src, 'browser', 'index.ts')],
    outfile: join(out, 'browser.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'ascii',
    sourcemap: true,
    legalComments: 'none',
    logLevel: 'warning',
    inject: [join(folder, 'globals.ts')],
    plugins: [plugin],
    metafile: true,
    write: false,
  }
  const { metafile } = await build(options)
  const inputs = Object.keys(metafile.inputs).filter((file) => file.startsWith('src/'))
  const names = privateNames(root, inputs)
  const { outputFiles } = await build({ ...options, mangleProps: new RegExp(`^(?:${names.join('|')})$`) })
  // A contract names its routes by any mapper, not by that of pages alone.
  standIns.delete('message/naming')
  const contract = { entryPoints: [join(src, 'contract', 'browser.ts')], outfile: join(out, 'contract', 'browser.js') }
  const contracts = await build({ ...options, ...contract, inject: [], metafile: false })
  return [...(await smaller(outputFiles)), ...(await smaller(contracts.outputFiles))]
}

/** The file of a bundle and its source map, once more made shorter, by 4 % of what is sent to a page. */
async function smaller([map, file]) {
  const { code, map: mapped } = await minify(
    { [file.path]: file.text },
    {
      module: true,
      compress: { passes: 2 },
      format: { ascii_only: true },
      sourceMap: { content: map.text, url: basename(map.path), includeSources: true },
    },
  )
  return [
    { path: file.path, text: code },
    { path: map.path, text: mapped },
  ]
}

/** Files whose names others see: types of users, and members of what is sent or shown. */
const PUBLIC = [
  'base/errors/status',
  'base/limits',
  'browser/endpoint-types',
  'browser/index',
  'browser/json-messages',
  'browser/page',
  'browser/stand-ins/node',
  'browser/types',
  'message/message-type',
  'message/standard-schema',
]

/** Members of bodies that sessions send each other (docs/resume.md, docs/extensions.md). */
const SENT = ['code', 'from', 'received', 'sent', 'seq', 'settled', 'skip', 'token']

/**
 * Names of members that only this code uses, so that they can be short: those declared in `files`, without names of the
 * language, of pages, of public types, of log lines, and names that occur as text.
 */
function privateNames(root, files) {
  const used = new Set(SENT)
  const members = new Set()
  const isMember = (node) =>
    ts.isPropertyDeclaration(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isAccessor(node) ||
    ts.isPropertySignature(node) ||
    ts.isMethodSignature(node)
  const visit = (node) => {
    if (ts.isStringLiteralLike(node)) used.add(node.text)
    if (isMember(node) && ts.isIdentifier(node.name)) members.add(node.name.text)
    if (ts.isCallExpression(node) && /\b(?:log|warnings)\??\.\w+$/.test(node.expression.getText())) collectNames(node, used)
    ts.forEachChild(node, visit)
  }
  for (const file of files) visit(parse(join(root, file)))
  for (const file of PUBLIC) collectNames(parse(join(root, 'src', `${file}.ts`)), used)
  const lib = join(root, 'node_modules/typescript/lib')
  for (const file of readdirSync(lib)) if (/^lib\.(?:es\d+|esnext|dom)\b.*\.d\.ts$/.test(file)) collectNames(parse(join(lib, file)), used)
  return [...members].filter((name) => name.length > 2 && !used.has(name)).sort()
}

/** Objects of numbers whose members are written as numbers where they are used, which is shorter. */
const NUMBERS = [
  ['base/errors/status', 'Code'],
  ['message/close-reason', 'CloseReason'],
  ['message/message', 'MessageType'],
]

/** The members of such an object with their values: `Code.Ok` and 0. */
function numbersOf(path, name) {
  const object = new RegExp(`export const ${name} = \\{([^}]*)\\} as const`).exec(readFileSync(path, 'utf8'))
  return [...object[1].matchAll(/(\w+): (-?\d+)/g)].map(([, member, value]) => [`${name}.${member}`, value])
}

function inlined(text, numbers) {
  return text.replace(/\b[A-Z]\w+\.[A-Z]\w+\b/g, (member) => numbers.get(member) ?? member)
}

function parse(path) {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext, true)
}

function collectNames(node, into) {
  if (ts.isIdentifier(node)) into.add(node.text)
  ts.forEachChild(node, (child) => collectNames(child, into))
}
