import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run, start, succeed } from '../support/processes.ts'
import { Lacking, suite } from '../support/suite.ts'

const folder = import.meta.dirname
const outside = resolve(folder, '..')

interface Runtime {
  readonly command: readonly string[]
  readonly kind: 'native' | 'js'
  /** Flag that takes all rights away, and those that give the few back that a service needs without the native binary. */
  readonly restrict?: readonly string[]
}

/** Every runtime that the package is for. */
async function runtimes(): Promise<Record<string, Runtime>> {
  const { platform, arch } = process
  if (platform !== 'linux' || arch !== 'x64') throw new Lacking(`no packages of all runtimes for ${platform} ${arch}`)
  const [nodes, others] = await Promise.all(['nodes', 'runtimes'].map((name) => npmPackages(join(outside, name))))
  const find = (...paths: string[]): string => paths.find(existsSync) ?? assert.fail(`none of ${paths}`)
  const node = (version: number): string => join(nodes, `node_modules/node-${version}/bin/node`)
  const read = '--allow-fs-read=*'
  return {
    'Node 20': { command: [process.execPath, '--no-warnings'], kind: 'native', restrict: ['--experimental-permission', read] },
    'Node 22': { command: [node(22), '--no-warnings'], kind: 'native', restrict: ['--permission', read] },
    'Node 24': { command: [node(24), '--no-warnings'], kind: 'native', restrict: ['--permission', read] },
    'Node 26': { command: [node(26), '--no-warnings'], kind: 'native', restrict: ['--permission', read, '--allow-net'] },
    Bun: { command: [find(join(others, 'node_modules/@oven/bun-linux-x64/bin/bun'))], kind: 'js' },
    Deno: { command: [find(join(others, 'node_modules/@deno/linux-x64-glibc/deno')), 'run', '-A', '--no-lock'], kind: 'js' },
  }
}

interface Seen {
  entries: number
  lacking: string[]
  said: string
  refused: number
  kind: string
  reason: string
}

/** A project with the packed package and this machine's binary. */
async function project(): Promise<string> {
  const app = await consumer(undefined, join(folder, 'project'))
  const files = {
    'package.json': '{ "private": true }',
    'required.cjs': "require('dmicro')\nimport('./smoke.mjs')\n",
    'server.mjs': `import { Endpoint } from 'dmicro'
const server = new Endpoint({ log: false })
server.routeCall('/double', (n) => 2 * n)
console.log((await server.listen('tcp://127.0.0.1:0')).url)
`,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(app, name), text)
  return app
}

const prepare = async () => ({ all: await runtimes(), app: await project() })

await suite('smoke', prepare, ({ all, app }) => {
  const look = async (command: readonly string[], file = 'smoke.mjs'): Promise<Seen> => {
    const [program, ...args] = command
    const seen = JSON.parse(await succeed(program, [...args, file], { cwd: app })) as Seen
    assert.deepEqual([seen.lacking, seen.said, seen.refused], [[], 'hello ann', 400])
    assert.ok(seen.entries >= 11, String(seen.entries))
    return seen
  }

  const callsWithDmctl = async (t: TestContext, command: readonly string[]): Promise<void> => {
    const [program, ...args] = command
    const { line } = await start(t, program, [...args, 'server.mjs'], { cwd: app })
    const dmctl = [...args, 'node_modules/dmicro/dist/dmctl/index.js']
    assert.equal(await succeed(program, [...dmctl, 'call', line, '/double', '21'], { cwd: app }), '42')
    const { code, stderr } = await run(program, [...dmctl, 'call', line, '/none', '21'], { cwd: app })
    assert.deepEqual([code, stderr], [4, `dmctl: no route /none at ${line}\n`])
  }

  for (const [name, { command, kind, restrict }] of Object.entries(all)) {
    test(`the packed package on ${name}: every entry, imported and required, a contract, dmctl`, async (t) => {
      for (const file of ['smoke.mjs', 'required.cjs']) assert.equal((await look(command, file)).kind, kind)
      await callsWithDmctl(t, command)
    })

    if (restrict === undefined) continue
    test(`the packed package on ${name} with --permission: native where addons are allowed, and JavaScript otherwise`, async () => {
      assert.equal((await look([...command, ...restrict, '--allow-addons'])).kind, 'native')
      const without = await look([...command, ...restrict])
      assert.equal(without.kind, 'js')
      assert.match(without.reason, /^the native binary does not load: .*addons is disabled/)
    })
  }
})
