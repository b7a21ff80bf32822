import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bodiesFile } from '../body.ts'
import { objectOf } from '../payloads.mjs'
import { programs } from '../peers.ts'
import { Program, path } from '../processes.ts'

const LIMIT = 10_000
const SHAPE = ['--connections', '4', '--in-flight', '8', '--seconds', '0.1', '--warmup', '0', '--json']
/** Built after the last change of its sources; `npm run bench` does it. */
function isBuilt(name: 'floor' | 'load'): boolean {
  const program = `${programs}/${name}`
  const changed = (folder: string) =>
    readdirSync(path(folder), { recursive: true, encoding: 'utf8' }).map((file) => statSync(path(`${folder}/${file}`)).mtimeMs)
  return existsSync(program) && statSync(program).mtimeMs >= Math.max(...changed(name), ...changed('load/common'))
}
const skip = isBuilt('floor') && isBuilt('load') ? false : 'the C++ programs are not built'

/** What the C++ client says of the floor that parses and prints objects, given these bodies. */
async function load(bodies: (folder: string) => Promise<{ file: string; count: number }>): Promise<{ calls: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-load-'))
  const floor = new Program('the floor', [`${programs}/floor`, '--mode', 'object'])
  try {
    const { file, count } = await bodies(folder)
    const { port } = await floor.next<{ port: number }>(LIMIT)
    const args = ['--address', `127.0.0.1:${port}`, '--body-file', file, '--body-count', String(count), ...SHAPE]
    return await new Program('the client', [`${programs}/load`, ...args]).result<{ calls: number }>(LIMIT)
  } finally {
    await floor.stop()
    rmSync(folder, { recursive: true })
  }
}

const written = (text: (caller: number) => string) => async (folder: string) => {
  const file = join(folder, 'bodies')
  writeFileSync(file, Array.from({ length: 32 }, (_, caller) => text(caller)).join(''))
  return { file, count: 32 }
}

test('the C++ client gets its objects back from the floor that parses and prints them', { skip }, async () => {
  const { calls } = await load((folder) => bodiesFile(folder, 'object-json'))
  assert.ok(calls > 0)
})

test('a reply that is printed in another way than what was sent ends the C++ client', { skip }, async () => {
  const spaced = written((caller) => JSON.stringify(objectOf(caller)).replace(',', ', '))
  await assert.rejects(load(spaced), /body is not the one sent; received: .*"id":20\d{3},"text"/)
})

test('the floor drops a client whose body is no such object', { skip }, async () => {
  const lacking = written((caller) => JSON.stringify({ ...objectOf(caller), f: undefined }))
  await assert.rejects(load(lacking), /the server closed connection/)
})
