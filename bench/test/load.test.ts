import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { attempt } from '../attempt.ts'
import { bodiesFile } from '../body.ts'
import { driver } from '../drivers.ts'
import { objectOf } from '../payloads.mjs'
import { loadClient, manner, startServer } from '../peers.ts'
import { Program, path, programs } from '../processes.ts'
import { trials } from '../trials.ts'

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

/** What the C++ client says of a server of Node. */
async function loadPeer(name: string, more: string[]): Promise<{ calls: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-load-'))
  const trial = { ...trials.find(({ id }) => id === 'ws@16x64')!, connections: 2, inFlight: 4, share: 1 }
  const settings = { seconds: 0.1, warmup: 0, env: {}, serverFlags: [] }
  const server = await startServer(driver(name), trial, settings)
  try {
    const { file, count } = await bodiesFile(folder, 'object-json')
    const body = more.includes('handshake') ? [] : ['--body-file', file, '--body-count', count]
    const shape = more.includes('handshake') ? { ...trial, inFlight: 1 } : trial
    return await loadClient<{ calls: number }>([...body, ...more, ...manner(driver(name))], shape, [server], settings)
  } finally {
    await server.program.stop()
    rmSync(folder, { recursive: true })
  }
}

const dist = existsSync(path('../dist/index.js')) ? false : 'dmicro is not built'
const secure = skip || dist || (await attempt([`${programs}/load`, '--tls', '--address', '127.0.0.1:1']))?.includes('OpenSSL')

test('the C++ client speaks the raw protocol over WebSocket, and over TLS', { skip: secure }, async () => {
  assert.ok((await loadPeer('js-ws', [])).calls > 0)
  assert.ok((await loadPeer('js-tls', [])).calls > 0)
})

test('the C++ client makes full and resumed handshakes', { skip: secure }, async () => {
  for (const name of ['js-tls', 'node-tls']) {
    assert.ok((await loadPeer(name, ['--mode', 'handshake'])).calls > 0)
    assert.ok((await loadPeer(name, ['--mode', 'handshake', '--resume'])).calls > 0)
  }
})

const packages = existsSync(path('node_modules/ws')) ? false : "the peers' packages are not installed"

test('the C++ client sends servers of WebSockets without RPC bodies alone', { skip: skip || packages }, async () => {
  assert.ok((await loadPeer('ws', [])).calls > 0)
})

test('a reply that is printed in another way than what was sent ends the C++ client', { skip }, async () => {
  const spaced = written((caller) => JSON.stringify(objectOf(caller)).replace(',', ', '))
  await assert.rejects(load(spaced), /body is not the one sent; received: .*"id":20\d{3},"text"/)
})

test('the floor drops a client whose body is no such object', { skip }, async () => {
  const lacking = written((caller) => JSON.stringify({ ...objectOf(caller), f: undefined }))
  await assert.rejects(load(lacking), /the server closed connection/)
})
