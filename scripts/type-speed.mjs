// Measures what the types of a contract of 1,000 methods cost, above an empty project and beside what TypeScript takes
// without them: tsc, and completion in an editor (in milliseconds: the first, after a change in the caller's file,
// after a change in the contract). Linux. Figures: docs/contract.md.
//   node scripts/type-speed.mjs [--methods 1000] [--only zod,empty] [--native path/to/tsc] [--json]
//     [--trpc path/to/node_modules]
// --native measures TypeScript 7 too, by the executable of its package; --trpc measures tRPC, from the node_modules
// that has it.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { languageServer, tsserver } from './type-speed-editors.mjs'
import { sources } from './type-speed-sources.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const installed = join(root, 'node_modules')
const RUNS = 3
const CHANGES = 7

const { values } = parseArgs({
  options: {
    methods: { type: 'string', default: '1000' },
    only: { type: 'string' },
    native: { type: 'string' },
    trpc: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const count = Number(values.methods)
const others = values.trpc === undefined ? undefined : resolve(values.trpc)

/** A project of these files in a folder of its own. */
function project(name, files) {
  const folder = join(base, name)
  const modules = { dmicro: root, zod: join(installed, 'zod'), '@types/node': join(installed, '@types/node') }
  if (name === 'trpc') Object.assign(modules, { '@trpc': join(others, '@trpc') })
  for (const [module, target] of Object.entries(modules)) {
    const link = join(folder, 'node_modules', module)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(target, link)
  }
  const options = { target: 'es2023', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: Object.keys(files) }))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]

/** Seconds that a compiler takes: of processor time, the median, and by the clock, the least. */
function compile(tsc, folder) {
  const runs = Array.from({ length: RUNS }, () => {
    const line = [...tsc, '-p', folder].map((each) => `'${each}'`).join(' ')
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `TIMEFORMAT='%R %U %S'; time ${line}`], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${folder}: ${stdout.slice(0, 1_000)}`)
    const [real, user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
    return { real, processor: user + system }
  })
  return { processor: median(runs.map((run) => run.processor)), clock: Math.min(...runs.map((run) => run.real)) }
}

/** Milliseconds of completions after `client.` at the end of the caller's file. */
async function complete(editor, folder, files) {
  const caller = { file: join(folder, 'main.ts'), text: `${files['main.ts']}client.\n` }
  const contract = { file: join(folder, 'contract.ts'), text: files['contract.ts'] }
  await editor.open(folder, caller, contract)
  const position = { line: caller.text.split('\n').length - 2, character: 'client.'.length }
  const once = async () => {
    const start = performance.now()
    const found = await editor.complete(caller.file, position)
    if (found < count) throw new Error(`${folder}: completion found ${found} names`)
    return performance.now() - start
  }
  const after = async (file) => {
    const times = []
    for (let i = 0; i < CHANGES; i++) {
      // A space at the beginning, as typing is: what was found is not just told again.
      editor.change(file)
      times.push(await once())
    }
    return median(times)
  }
  const result = { first: await once(), caller: await after(caller.file), contract: await after(contract.file) }
  editor.close()
  return result
}

const compilers = { 6: [process.execPath, join(installed, 'typescript/lib/tsc.js')] }
const editors = { 6: () => tsserver(join(installed, 'typescript/lib/tsserver.js')) }
if (values.native !== undefined) {
  compilers[7] = [resolve(values.native)]
  editors[7] = () => languageServer(resolve(values.native))
}
const base = mkdtempSync(join(tmpdir(), 'dmicro-types-'))
try {
  const only = values.only?.split(',')
  const results = {}
  for (const [name, files] of Object.entries(sources(count, others !== undefined))) {
    if (only !== undefined && !only.includes(name) && name !== 'empty') continue
    const folder = project(name, files)
    for (const version of Object.keys(compilers)) {
      const tsc = compile(compilers[version], folder)
      const completion = name === 'empty' ? undefined : await complete(editors[version](), folder, files)
      results[name] = { ...results[name], [version]: { tsc, completion } }
      if (values.json) continue
      const above = (clock) => (tsc[clock] - results.empty[version].tsc[clock]).toFixed(2)
      const times = completion === undefined ? [] : Object.values(completion).map((each) => each.toFixed(0))
      console.log(
        name === 'empty'
          ? `TypeScript ${version}, empty: tsc ${tsc.clock.toFixed(2)} s, ${tsc.processor.toFixed(2)} s of processor time`
          : `TypeScript ${version}, ${name}: above empty ${above('clock')} s, ${above('processor')} s of processor time; completion ${times.join(', ')} ms`,
      )
    }
  }
  if (values.json) console.log(JSON.stringify(results))
} finally {
  rmSync(base, { recursive: true })
}
