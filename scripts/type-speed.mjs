// Measures what the types of a contract of 1,000 methods cost: tsc above an empty project, and completion in an editor.
// Figures are processor time; Linux.
//   node scripts/type-speed.mjs [--methods 1000] [--tsc path/to/tsc] [--trpc path/to/node_modules] [--json]
// --tsc measures another compiler, such as TypeScript 7; --trpc also measures tRPC, from the node_modules that has it.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const RUNS = 3

const { values } = parseArgs({
  options: {
    methods: { type: 'string', default: '1000' },
    tsc: { type: 'string' },
    trpc: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const count = Number(values.methods)

/** A project of these files in a folder of its own. */
function project(name, files, modules) {
  const folder = join(base, name)
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  for (const [module, target] of Object.entries(modules)) {
    mkdirSync(join(folder, 'node_modules', module, '..'), { recursive: true })
    symlinkSync(target, join(folder, 'node_modules', module))
  }
  const options = { target: 'es2023', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: Object.keys(files) }))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

const numbers = Array.from({ length: count }, (_, i) => i)

/** A contract, what serves it, and what calls each method: three files, and `main.ts`, where somebody types. */
function contract(body) {
  return {
    'contract.ts': `import { call, defineService, plain, push } from 'dmicro/contract'
import { z } from 'zod'
void plain, void z
export const Big = defineService('big', {
${numbers.map((i) => `  method${i}: ${i % 10 === 9 ? `push(${body(i)})` : `call(${body(i)}, ${body(i + 1)})`},`).join('\n')}
})
`,
    'server.ts': `import { Endpoint } from 'dmicro'
import { Big } from './contract.js'
new Endpoint().serve(Big, {
${numbers.map((i) => (i % 10 === 9 ? `  method${i}: (arg) => void arg.a${i},` : `  method${i}: (arg) => ({ a${i + 1}: arg.a${i}, b: arg.b + 1 }),`)).join('\n')}
})
`,
    'calls.ts': `import type { Session } from 'dmicro'
import { Big } from './contract.js'
declare const session: Session
const client = session.client(Big)
${numbers.map((i) => `await client.method${i}({ a${i}: 'x', b: ${i} })`).join('\n')}
`,
    'main.ts': `import type { Session } from 'dmicro'
import { Big } from './contract.js'
declare const session: Session
const client = session.client(Big)
void client
`,
  }
}

function trpc() {
  const shape = (i) => `z.object({ a${i}: z.string(), b: z.number() })`
  const head = `import type { router } from './contract.js'
import { createTRPCClient, httpLink } from '@trpc/client'
const client = createTRPCClient<typeof router>({ links: [httpLink({ url: '' })] })
`
  return {
    'contract.ts': `import { initTRPC } from '@trpc/server'
import { z } from 'zod'
const t = initTRPC.create()
export const router = t.router({
${numbers.map((i) => `  method${i}: t.procedure.input(${shape(i)}).output(${shape(i + 1)}).mutation(({ input }) => ({ a${i + 1}: input.a${i}, b: input.b + 1 })),`).join('\n')}
})
`,
    'calls.ts': `${head}${numbers.map((i) => `await client.method${i}.mutate({ a${i}: 'x', b: ${i} })`).join('\n')}\n`,
    'main.ts': `${head}void client\n`,
  }
}

/** Seconds of processor time that tsc takes, the median: other programs that run do not count. */
function compile(tsc, folder) {
  const times = []
  for (let i = 0; i < RUNS; i++) {
    const line = [...tsc, '-p', folder].map((each) => `'${each}'`).join(' ')
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `TIMEFORMAT='%U %S'; time ${line}`], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${folder}: ${stdout.slice(0, 1_000)}`)
    const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
    times.push(user + system)
  }
  return times.sort((a, b) => a - b)[RUNS >> 1]
}

/** Milliseconds of processor time that a process has taken. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Milliseconds of completions at the end of a project's file, by the language server of the tree: the first, and later ones. */
async function complete(folder, compiled) {
  const text = `${compiled}client.\n`
  writeFileSync(join(folder, 'main.ts'), text)
  const server = spawn(process.execPath, [join(root, 'node_modules/typescript/lib/tsserver.js'), '--disableAutomaticTypingAcquisition'])
  const waiting = new Map()
  createInterface({ input: server.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return
    const message = JSON.parse(line)
    waiting.get(message.request_seq)?.(message)
  })
  let seq = 0
  const ask = (command, args) => {
    const own = ++seq
    const answered = new Promise((settle) => waiting.set(own, settle))
    server.stdin.write(`${JSON.stringify({ seq: own, type: 'request', command, arguments: args })}\n`)
    return answered
  }
  const file = join(folder, 'main.ts')
  server.stdin.write(`${JSON.stringify({ seq: ++seq, type: 'request', command: 'open', arguments: { file } })}\n`)
  const lines = text.split('\n')
  const at = { file, line: lines.length - 1, offset: lines[lines.length - 2].length + 1 }
  const times = []
  for (let i = 0; i < 5; i++) {
    const start = cpuOf(server.pid)
    const { success, body } = await ask('completionInfo', { ...at, triggerCharacter: '.' })
    if (!success || body.entries.length < count) throw new Error(`${folder}: completion found ${body?.entries.length} names`)
    times.push(cpuOf(server.pid) - start)
    // A change, as typing is: what was found is not just told again.
    server.stdin.write(
      `${JSON.stringify({ seq: ++seq, type: 'request', command: 'change', arguments: { file, line: 1, offset: 1, endLine: 1, endOffset: 1, insertString: ' ' } })}\n`,
    )
  }
  server.kill()
  return { first: times[0], later: times.slice(1).sort((a, b) => a - b)[2] }
}

const base = mkdtempSync(join(tmpdir(), 'dmicro-types-'))
try {
  const installed = join(root, 'node_modules')
  const own = { dmicro: root, zod: join(installed, 'zod'), '@types/node': join(installed, '@types/node') }
  const tsc = values.tsc === undefined ? [process.execPath, join(installed, 'typescript/bin/tsc')] : [resolve(values.tsc)]
  const texts = {
    empty: { 'main.ts': 'export {}\n' },
    plain: contract((i) => `plain<{ a${i}: string; b: number }>()`),
    zod: contract((i) => `z.object({ a${i}: z.string(), b: z.number() })`),
    ...(values.trpc === undefined ? undefined : { trpc: trpc() }),
  }
  const results = {}
  for (const [name, files] of Object.entries(texts)) {
    const others = values.trpc === undefined ? {} : { '@trpc': join(resolve(values.trpc), '@trpc'), zod: join(resolve(values.trpc), 'zod') }
    const folder = project(name, files, name === 'trpc' ? others : own)
    const seconds = compile(tsc, folder)
    results[name] = { seconds, ...(name === 'empty' || values.tsc !== undefined ? undefined : await complete(folder, files['main.ts'])) }
    if (values.json) continue
    const { first, later } = results[name]
    const above = name === 'empty' ? '' : `, ${(seconds - results.empty.seconds).toFixed(2)} s above empty`
    const completion = first === undefined ? '' : `; completion ${first.toFixed(0)} ms at first, ${later.toFixed(0)} ms after a change`
    console.log(`${name}: tsc ${seconds.toFixed(2)} s${above}${completion}`)
  }
  if (values.json) console.log(JSON.stringify(results))
} finally {
  rmSync(base, { recursive: true })
}
