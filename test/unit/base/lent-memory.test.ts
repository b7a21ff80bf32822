import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Tries to take memory away that was lent before and after `what`, in a new process; resolves to the bytes that are left. */
function leftAfter(what: string): number[] {
  const program = `
    import { keepHere, lendToUsers } from './src/base/lent-memory.ts'
    import { readOptions } from './src/session/options.ts'
    const [before, after] = [new ArrayBuffer(8), new ArrayBuffer(8)]
    keepHere(before)
    ${what}
    keepHere(after)
    for (const memory of [before, after]) try { structuredClone(memory, { transfer: [memory] }) } catch {}
    process.stdout.write(JSON.stringify([before.byteLength, after.byteLength]))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

const own = [
  `codecs: [{ id: 200, name: 'own', encode: String, decode: String }]`,
  `filters: [{ id: 200, name: 'own', pack: (bytes) => bytes, unpack: (bytes) => bytes }]`,
  `protocols: [{ id: 200, name: 'own', framing: 'envelope', open() {} }]`,
]

for (const options of own) {
  test(`memory cannot be taken away once an endpoint has ${options.split(':')[0]} of its user`, () => {
    assert.deepEqual(leftAfter(`readOptions({ ${options} })`), [8, 8])
  })
}

test('nor once protobuf types of users can read it', () => {
  assert.deepEqual(leftAfter(`const { protobufRuntime } = await import('./src/codecs/protobuf/runtime.ts')\n protobufRuntime()`), [8, 8])
})
