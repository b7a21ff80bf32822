import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

// What the types of a contract cost the compiler, counted: instantiations of types are the same on every machine.
// scripts/type-speed.mjs measures the seconds.

const root = fileURLToPath(new URL('../../..', import.meta.url))
const METHODS = 20

type Sources = (count: number, withTrpc: boolean) => Record<string, Record<string, string>>
const { sources } = (await import(new URL('../../../scripts/type-speed-sources.mjs', import.meta.url).href)) as { sources: Sources }

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  types: [],
  paths: { dmicro: [join(root, 'src/index.ts')], 'dmicro/contract': [join(root, 'src/contract/index.ts')] },
}
const parsed = new Map<string, ts.SourceFile | undefined>()

/** Instantiations, for each method, that checking some files of a project takes. */
function count(project: string, ...checked: string[]): number {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const files = new Map(Object.entries(sources(METHODS, false)[project]).map(([name, text]) => [join(folder, name), text]))
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, getSourceFile } = host
  host.readFile = (name) => files.get(name) ?? readFile(name)
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.getSourceFile = (name, given) => {
    const text = files.get(name)
    if (text !== undefined) return ts.createSourceFile(name, text, given)
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, given))
    return parsed.get(name)
  }
  const names = checked.map((name) => join(folder, name))
  const program = ts.createProgram(names, options, host) as ts.Program & { getInstantiationCount(): number }
  for (const name of names)
    assert.deepEqual(
      program.getSemanticDiagnostics(program.getSourceFile(name)).map(({ messageText }) => messageText),
      [],
    )
  return program.getInstantiationCount() / METHODS
}

for (const [project, bounds] of [
  ['plain', { contract: 18, calls: 110, server: 220 }],
  ['zod', { contract: 70, calls: 450, server: 590 }],
] as const)
  for (const [part, bound] of Object.entries(bounds))
    test(`${part} with ${project} bodies: at most ${bound} instantiations of types for each method`, () => {
      const found = count(project, `${part}.ts`)
      assert.ok(found <= bound, `it takes ${found}`)
    })

test('an exported contract is not worked out by a caller that uses none of its methods', () => {
  const found = count('zod-exported', 'main.ts')
  assert.ok(found <= 2, `it takes ${found}`)
})
