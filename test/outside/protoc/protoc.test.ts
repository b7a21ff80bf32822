import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { protos, tools } from './tools.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const everyFile = ['edition.proto', 'future.proto', 'old.proto', 'shop/shop.proto']
/** Debian's protoc knows no editions. */
const files = { 'protoc of Debian': ['old.proto', 'shop/shop.proto'], 'protoc of Python': everyFile, buf: everyFile }
const names = Object.keys(files) as (keyof typeof files)[]

await suite('protoc-gen-dmicro', tools, ({ dmctl, protocs, folder }) => {
  const generated = async (make: (out: string) => Promise<{ code: number | null; stderr: string }>): Promise<Record<string, string>> => {
    const out = folder()
    const { code, stderr } = await make(out)
    assert.equal(code, 0, stderr)
    const texts = readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')])
    rmSync(out, { recursive: true })
    return Object.fromEntries(texts)
  }

  for (const name of names) {
    it(`${name}: the files are those of dmctl gen, with comments`, async () => {
      const expected = await generated((out) => dmctl(protos, out, files[name]))
      assert.equal(Object.keys(expected).length, files[name].length)
      assert.deepEqual(await generated((out) => protocs[name](protos, out, files[name])), expected)
    })

    it(`${name}: what is wrong is one line with file, line and column`, async () => {
      const from = folder()
      const head = 'syntax = "proto3";\nmessage A {}\nservice S {\n  rpc Get(A) returns (A);\n'
      const cases: [text: string, parameters: string | undefined, message: string][] = [
        ['  rpc get(A) returns (A);\n}', undefined, 'a.proto:5:7: the methods Get and get of S would both be named get'],
        ['  rpc Watch(A) returns (stream A);\n}', undefined, 'a.proto:5:7: Watch is a stream, which dmicro does not have'],
        ['}', 'path=flat', 'there is no parameter path; there is paths'],
        ['}', 'paths=x', 'the parameter paths is source_relative or flat, got "x"'],
      ]
      for (const [text, parameters, message] of cases) {
        writeFileSync(join(from, 'a.proto'), head + text)
        const { code, stderr } = await protocs[name](from, join(from), ['a.proto'], parameters)
        assert.notEqual(code, 0)
        assert.equal(stderr.trim().replace(/^(--dmicro_out: |Failure: plugin [^:]+: )/, ''), message)
      }
      rmSync(from, { recursive: true })
    })
  }

  for (const name of ['protoc of Python', 'buf'] as const) {
    it(`${name}: an edition that the plugin does not know is refused before it is started`, async () => {
      const from = folder()
      writeFileSync(join(from, 'a.proto'), 'edition = "2026";\nmessage A {}\n')
      const { code, stderr } = await protocs[name](from, from, ['a.proto'])
      assert.notEqual(code, 0)
      assert.match(stderr, /edition .?2026|Edition 2026/)
      rmSync(from, { recursive: true })
    })
  }

  it('files lie as the .proto files do, without parameters', async () => {
    const out = folder()
    assert.equal((await protocs['protoc of Python'](protos, out, ['shop/shop.proto'], '')).code, 0)
    assert.deepEqual(readdirSync(out, { recursive: true }).sort(), ['shop', 'shop/shop.ts'])
    rmSync(out, { recursive: true })
  })

  it('the files compile with tsc --strict', async () => {
    const out = folder()
    assert.equal((await dmctl(protos, out, everyFile)).code, 0)
    cpSync(join(protos, '../use.txt'), join(out, 'use.ts'))
    mkdirSync(join(out, 'types'))
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, isolatedModules: true, noEmit: true },
      ...{ target: 'es2023', module: 'nodenext', types: ['node'], typeRoots: [join(root, 'node_modules/@types')], skipLibCheck: true },
    }
    writeFileSync(join(out, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const { code, stdout } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', out])
    assert.equal(code, 0, stdout)
    rmSync(out, { recursive: true })
  })
})
