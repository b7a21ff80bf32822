import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0

/** A copy of what a build needs, without what earlier builds made. */
function checkout(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-build-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const part of ['src', 'native', 'package.json', 'binding.gyp', 'CMakeLists.txt'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Builds offline, with no setting of this machine to help, and makes one call on the result. */
function buildAndCall(folder: string, command: string, args: string[]): string {
  const env: NodeJS.ProcessEnv = { ...process.env, npm_config_nodedir: '', npm_config_offline: 'true' }
  // Whatever wants to download headers must fail.
  for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) env[name] = 'http://127.0.0.1:9'
  for (const name of Object.keys(env)) if (/^npm_config_(nodedir|disturl|cache)$/i.test(name)) delete env[name]
  const built = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, HOME: folder, npm_config_userconfig: join(folder, 'none') },
  })
  assert.equal(built.status, 0, built.stdout + built.stderr)
  const code = `
    const { Endpoint } = await import('./src/index.ts')
    const server = new Endpoint()
    server.routeCall('/add', (n) => n.reduce((a, b) => a + b))
    const session = await server.dial((await server.listen('tcp://127.0.0.1:0')).url)
    console.log(await session.call('/add', [1, 2, 3]), String(server.transport))
    await server.close()`
  const called = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { cwd: folder, encoding: 'utf8' })
  return (called.stdout + called.stderr).trim()
}

test('cmake-js builds the addon without downloading anything', (t) => {
  if (!has('cmake') || !has('c++')) return t.skip('no cmake or C++ compiler')
  const output = buildAndCall(checkout(t), process.execPath, [join(root, 'node_modules/cmake-js/bin/cmake-js'), 'compile'])
  assert.equal(output, '6 native')
})

test('node-gyp builds the same sources without downloading anything', (t) => {
  if (!has('python3') || !has('make') || !has('c++')) return t.skip('no python3, make or C++ compiler')
  const nodedir = resolve(process.execPath, '../..')
  const output = buildAndCall(checkout(t), process.execPath, [
    join(root, 'node_modules/node-gyp/bin/node-gyp.js'),
    'rebuild',
    `--nodedir=${nodedir}`,
  ])
  assert.equal(output, '6 native')
})
