import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
/** Whether the machine has a command. */
export const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0

/** A copy of what a build needs, without what earlier builds made. */
export function checkout(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-build-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const part of ['src', 'native', 'package.json', 'binding.gyp', 'CMakeLists.txt'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Builds offline, with no setting of this machine to help, and makes one call on the result. */
export function buildAndCall(folder: string, command: string, args: string[]): string {
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
